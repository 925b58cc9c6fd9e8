# What the telemetry says.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model | sort >output
# @TEST-EXEC: btest-diff output

event zeek_done()
	{
	for ( i, m in Telemetry::collect_metrics("iforest", "*") )
		print fmt("%s %s %s", m$opts$name, m$label_values,
		    /age/ in m$opts$name ? "(a time)" : cat(m$value));
	}
