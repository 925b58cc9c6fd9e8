# A row that a site keeps out of conn.log is scored like the others and takes
# nothing with it.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut -F ' ' uid proto anomaly_score <conn.log | grep -v tcp >all
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap %INPUT $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut -F ' ' uid proto anomaly_score <conn.log >some
# @TEST-EXEC: cmp all some

hook Conn::log_policy(rec: Conn::Info, id: Log::ID, filter: Log::Filter)
	{
	if ( rec$proto == tcp )
		break;
	}
