# A cluster has one budget for all its workers and logs. What the manager tells of a
# worker that sees all is what one sensor tells, word for word, also of connections
# that go on and of beacons; several workers have no more than the budget together.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic idle 3500 $PCAPS/ssh.pcap $PCAPS/office-day.pcap >days.trace
# @TEST-EXEC: ./traffic beacon 100 60 >beacon.trace
# @TEST-EXEC: BACKEND=broker sh %INPUT
# @TEST-EXEC: rm -f traffic *.trace
# @TEST-EXEC: btest-diff output
. "$SCRIPTS/cluster-nodes"
layout
# Zeek's own suppression ends by timers, which the gaps of this trace hold back, and
# by the wall clock at the manager.
echo 'hook Notice::policy(n: Notice::Info) { n$suppress_for = 0secs; }' >once.zeek
cat once.zeek >>node.zeek
# What the manager tells before it knows its logger would be lost.
cat >>node.zeek <<-'END'
	event Cluster::node_up(name: string, id: string) &priority=-20
		{
		close(open(name + ".up"));
		}
END
mkdir plain && (cd plain && zeek -C -r ../days.trace) || exit 1
office-model conn.model 2>train.stderr || cat train.stderr
for log in dns ssl; do
	zeek-iforest train --seed 1 -o $log.model plain/$log.log 2>train.stderr || cat train.stderr
done
budget() { # in any order: the logger may write what comes at once in another one
	zeek-cut note src dst p proto n msg sub <$1/notice.log | grep '^IForest' | sort
}
run() { # TRACE BUDGET WORKERS
	logs="$PACKAGE/score-dns.zeek $PACKAGE/score-ssl.zeek $PACKAGE/log-uid.zeek IForest::model_file=$PWD/conn.model IForest::alerts_per_day=$2
		IForest::log_models=table([\"dns\"]=\"$PWD/dns.model\",[\"ssl\"]=\"$PWD/ssl.model\")"
	node manager $logs
	node logger $logs
	comes test -e manager/logger.up
	for i in $(seq $3); do
		node worker-$i -r ../$1 $logs -f "$(share $((i - 1)) $3)"
	done
	for i in $(seq $3); do
		ended worker-$i
	done
	stop manager
	stop logger
}
run days.trace 1000.0 1
mkdir alone && (cd alone && zeek -C -r ../days.trace -f "$(share 0 1)" $PACKAGE $PACKAGE/log-model.zeek ../once.zeek $logs 2>stderr) || exit 1
budget alone >alone.told
budget logger >cluster.told
cut -f 1 alone.told | sort | uniq -c >&2
diff alone.told cluster.told | cut -c 1-300 | head >&2
cut -f 1 alone.told | sort -u >>output
cmp alone.told cluster.told && echo "the cluster tells the same" >>output
zeek-cut note peer_descr <logger/notice.log | sed -n 's/^IForest::Anomalous_C.*\t//p' | sort -u >>output
cat */stderr | warnings | grep IForest >>output
rm -r manager logger worker-?

run days.trace 5.0 3
alerts=$(budget logger | grep -vc Anomalous_Host)
days=$(zeek-cut ts <logger/conn.log | sort -n | sed -n '1p;$p' | awk 'NR == 1 { a = $1 } END { print int(($1 - a) / 86400) + 1 }')
echo "$alerts alerts of three workers in $days days" >&2
test $alerts -gt 0 && test $alerts -le $((5 * days)) && echo "three workers keep to the budget" >>output
rm -r manager logger worker-?

run beacon.trace 20.0 1
budget logger | cut -f 1-4,6,7 | grep Beacon >>output
cat */stderr | warnings | grep IForest >>output
exit 0
