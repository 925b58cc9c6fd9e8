# A sensor that begins with a state which train --state-dir made of a log scores
# its first connection by that model.
#
# @TEST-EXEC: zeek-iforest replay -o day.log $PCAPS/office-day.pcap 2>/dev/null
# @TEST-EXEC: zeek-iforest train --state-dir state --warmup 200 day.log 2>/dev/null
# @TEST-EXEC: cp state/zeek/model made.model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE $PACKAGE/log-model.zeek %INPUT IForest::state_dir=$PWD/state IForest::state_with_traces=T >output 2>warnings
# @TEST-EXEC: test ! -s warnings
# @TEST-EXEC: zeek-iforest info made.model | awk '$1 == "model" { print $2 }' >made
# @TEST-EXEC: zeek-cut anomaly_model <conn.log | sort -u | cmp - made
# @TEST-EXEC: btest-diff output

event zeek_done()
	{
	local s = IForest::statistics();
	print fmt("%d learnt, %d scored, %d by the seed", s$learnt, s$scored, s$by_seed);
	}
