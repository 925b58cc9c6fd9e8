# The library and the model are deleted, and then replaced by garbage, under a
# running Zeek, as an upgrade or a careless hand does: scoring goes on.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut uid anomaly_score <conn.log >whole
# @TEST-EXEC: plugin-copy
# @TEST-EXEC: ZEEK_PLUGIN_PATH=$PWD/plugin zeek -r $PCAPS/office-day.pcap $PACKAGE %INPUT IForest::model_file=site.model
# @TEST-EXEC: test ! -e site.model
# @TEST-EXEC: grep -q garbage plugin/lib/libiforest.so
# @TEST-EXEC: zeek-cut uid anomaly_score <conn.log >deleted
# @TEST-EXEC: cmp whole deleted

global n = 0;

event connection_state_remove(c: connection)
	{
	if ( ++n == 100 )
		system("rm plugin/lib/libiforest.so site.model");

	if ( n == 200 )
		system("echo garbage >plugin/lib/libiforest.so");
	}
