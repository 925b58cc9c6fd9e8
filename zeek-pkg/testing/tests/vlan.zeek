# Where Zeek tells connections apart by VLANs, the same addresses in two of them
# are two hosts: each has the scores that it has alone, the command line has them
# of the log, and a notice says which host it is about.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic vlans 1 $PCAPS/office-day.pcap >one.trace && ./traffic vlans 2 $PCAPS/office-day.pcap >two.trace
# @TEST-EXEC: ./traffic beacon 100 60 >beacon.trace && ./traffic vlans 2 beacon.trace >beacons.trace
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: btest-diff output
run() {
	dir=$1 && trace=$2 && shift 2
	mkdir $dir && (cd $dir && zeek -C -r ../$trace.trace frameworks/conn_key/vlan_fivetuple "$PACKAGE" IForest::model_file=../site.model "$@" 2>stderr) || exit 1
	grep IForest $dir/stderr >>output
	return 0
}
of() { zeek-cut id.ctx.vlan id.orig_h id.orig_p id.resp_h id.resp_p proto ts anomaly_score <$2/conn.log | awk -v vlan=$1 -F'\t' '$1 == vlan' | cut -f2- | sort; }

run one one
run two two
zeek-cut -C <two/conn.log | grep '^#fields' | grep -o 'id[.]ctx[^	]*' >>output
of 1 one >alone
of 1 two >first
of 2 two >second
cmp alone first && cmp alone second && echo "$(wc -l <alone) connections have their scores in each VLAN" >>output
zeek-cut anomaly_score <two/conn.log >sensor
for log in tsv json; do
	[ $log = json ] && run json two LogAscii::use_json=T
	zeek-iforest score -m site.model $([ $log = json ] && echo json || echo two)/conn.log 2>/dev/null >scored
	if [ $log = json ]; then sed 's/.*"anomaly_score":\([0-9.]*\).*/\1/' scored; else zeek-cut anomaly_score <scored; fi >offline
	cmp sensor offline && echo "$(wc -l <sensor) scores of the $log log are the sensor's" >>output
done
# One host does twice as much where nothing tells its VLANs apart.
zeek-cut -C ts uid id.orig_h id.orig_p id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state missed_bytes orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes <two/conn.log |
	zeek-iforest score -m site.model 2>/dev/null | zeek-cut anomaly_score >merged
cmp -s sensor merged || echo "without the column they are others" >>output

run beacons beacons
zeek-cut note src dst n msg <beacons/notice.log | grep Beacon | sort >>output
zeek-iforest score -m site.model --alerts-per-day 20 beacons/conn.log 2>/dev/null | grep -o 'beacon: .*' | sort >>output
