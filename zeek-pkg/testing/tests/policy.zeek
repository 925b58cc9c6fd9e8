# A site's hook keeps a score out of the log; the event says all the others.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model >output
# @TEST-EXEC: zeek-cut proto anomaly_score <conn.log >>output
# @TEST-EXEC: btest-diff output

hook IForest::policy(c: connection, score: double)
	{
	if ( get_port_transport_proto(c$id$resp_p) == tcp )
		break;
	}

event IForest::scored(c: connection, score: double)
	{
	print c$id$resp_h, c$id$resp_p, score, c$conn$anomaly_score;
	}
