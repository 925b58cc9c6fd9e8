# A fresh sensor has a score for its first connection: the seed model's, the same
# digits as offline, named so in the log and counted, without a notice. Without
# the seed these rows have none.
#
# @TEST-GROUP: smoke
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE $PACKAGE/log-model.zeek $PACKAGE/log-rank.zeek $PACKAGE/log-reason.zeek %INPUT IForest::alerts_per_day=100000.0 >output 2>warnings
# @TEST-EXEC: test ! -s warnings
# @TEST-EXEC: test ! -e notice.log
# @TEST-EXEC: zeek-cut anomaly_model <conn.log | sed 's/-.*/-.../' | sort | uniq -c >>output
# @TEST-EXEC: zeek-cut uid anomaly_score anomaly_rank anomaly_reason anomaly_model <conn.log >sensor
# @TEST-EXEC: zeek-iforest score -m seed --columns score,rank,reason,model conn.log 2>/dev/null | zeek-cut uid anomaly_score anomaly_rank anomaly_reason anomaly_model >offline
# @TEST-EXEC: test -s sensor && cmp sensor offline
# @TEST-EXEC: rm conn.log && zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::seed_model=F
# @TEST-EXEC: zeek-cut anomaly_score <conn.log | sort | uniq -c >>output
# @TEST-EXEC: btest-diff output

event zeek_init() &priority=-10
	{
	print "a model at the start", IForest::model()?$fingerprint;
	}

event zeek_done()
	{
	local m = IForest::model();
	print sub(m$fingerprint, /-.*/, "-..."), m$by_seed, m?$last, m?$seed;
	for ( i, metric in Telemetry::collect_metrics("iforest", "*") )
		if ( /connections_total|scored_by_seed|model_age/ in metric$opts$name )
			print metric$opts$name, metric$label_values, metric$value;
	}
