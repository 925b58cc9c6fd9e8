# The sensor library is of another version than the plugin.
#
# @TEST-REQUIRES: which cc
# @TEST-EXEC: office-model
# @TEST-EXEC: cc -shared -fPIC -o $(plugin-copy)/lib/libiforest.so $ROOT/gobridge/testdata/stale.c
# @TEST-EXEC: ZEEK_PLUGIN_PATH=$PWD/plugin zeek -r $PCAPS/dns.pcap $PACKAGE IForest::model_file=site.model 2>stderr
# @TEST-EXEC: warnings stderr >output
# @TEST-EXEC: zeek-cut proto anomaly_score <conn.log >>output
# @TEST-EXEC: btest-diff output
