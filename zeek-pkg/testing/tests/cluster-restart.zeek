# A worker that is stopped, or killed, scores on as if it had not been: its windows,
# what it remembers, its model and its day of alerts are in its state.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: BACKEND=broker sh %INPUT
# @TEST-EXEC: rm -f traffic *.trace
# @TEST-EXEC: btest-diff output
. "$SCRIPTS/cluster-nodes"
layout
cat >>node.zeek <<-'END'
	module IForest;
	# The models that the manager has made.
	event model_promoted(m: Model)
		{
		if ( Cluster::node != "manager" )
			return;
		local f = open(m$fingerprint);
		enable_raw_output(f);
		print f, __model_file();
		close(f);
		}
	# A worker that is to be killed has written what it counted, and waits.
	export { const killed = F &redef; }
	event new_connection(c: connection)
		{
		if ( ! killed || network_time() < double_to_time(1700001630.0) )
			return;
		suspend_processing();
		send_samples();
		local f = open("ready");
		print f, getpid();
		close(f);
		}
END
# The worker ends amid a scan, once the connections before that are over.
./traffic scan 30 15 >scan.trace
./traffic without 1620 scan.trace 9999 >one.trace
./traffic without 0 scan.trace 1640 >two.trace
./traffic without 1620 scan.trace 1640 >both.trace
zeek -C -r both.trace || exit 1

worker() {
	node worker-1 IForest::state_with_traces=T IForest::state_dir=$PWD/state IForest::save_every=300 "$@"
}
begin() {
	node manager IForest::seed=7 IForest::warmup=700 IForest::state_dir=
	node logger
}
compare() { # rows behind the end, with what score finds in the log of all
	zeek-cut ts id.orig_h id.orig_p anomaly_score anomaly_model <logger/conn.log | awk '$1 >= 1700001640' | sort >again
	for m in $(cut -f 5 again | sort -u); do
		zeek-iforest score -m manager/$m --columns score,model conn.log 2>/dev/null | zeek-cut ts id.orig_h id.orig_p anomaly_score anomaly_model
	done | awk '$1 >= 1700001640' | sort >want
	echo "$(wc -l <again | tr -d ' ') rows behind the end, $(comm -23 again want | wc -l | tr -d ' ') of them with another score" >>output
	cat */stderr | warnings | grep IForest >>output
}
behind() { # how many rows of a log are behind the end
	zeek-cut ts <$1 2>/dev/null | awk '$1 >= 1700001640' | wc -l
}
all_there() {
	test $(behind logger/conn.log) -eq $(behind conn.log)
}
echo "stopped:" >>output
begin
worker -r ../one.trace
ended worker-1
worker -r ../two.trace
ended worker-1
comes all_there
stop manager logger
compare
ls state/worker-1 >>output

rm -r manager logger worker-1 state
echo "killed:" >>output
begin
worker -r ../both.trace IForest::killed=T
comes test -s worker-1/ready
kill -9 $(cat worker-1/ready)
wait $(cat worker-1.pid)
rm worker-1.pid
ls state/worker-1 | sed 's/rows.*/rows/' | uniq >>output
worker -r ../two.trace
ended worker-1
comes all_there
stop manager logger
compare
ls state/worker-1 >>output
exit 0
