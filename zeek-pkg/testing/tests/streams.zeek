# Beside other packages: Community ID in the same row, and a second filter that
# writes JSON, as JSON streaming logs do. Each row is scored once.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model >output
# @TEST-EXEC: zeek-cut community_id anomaly_score <conn.log >>output
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >tsv
# @TEST-EXEC: sed 's/.*"anomaly_score"://; s/[,}].*//' <json_streaming_conn.log >json
# @TEST-EXEC: cmp tsv json
# @TEST-EXEC: btest-diff output

@load policy/protocols/conn/community-id-logging

event zeek_init()
	{
	Log::add_filter(Conn::LOG, Log::Filter($name="json-streaming", $path="json_streaming_conn",
	    $config=table(["use_json"] = "T")));
	}

event zeek_done()
	{
	print "scored", IForest::statistics()$scored;
	}
