# The sensor library is not there.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: rm $(plugin-copy)/lib/libiforest.so
# @TEST-EXEC: ZEEK_PLUGIN_PATH=$PWD/plugin zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model >output 2>stderr
# @TEST-EXEC: warnings stderr >>output
# @TEST-EXEC: zeek-cut proto anomaly_score <conn.log >>output
# @TEST-EXEC: btest-diff output

event zeek_done()
	{
	local s = IForest::statistics();
	print "library", s$library, "scored", s$scored, "without library", s$no_library;
	}
