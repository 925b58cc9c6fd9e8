# A fault in the library, provoked by a connection to the discard port in a
# library built for this: the row is written without a score, all others with.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: office-model
# @TEST-EXEC: cd $ROOT && CGO_ENABLED=1 go build -buildmode=c-shared -tags provoke -o $(cd - >/dev/null && plugin-copy)/lib/libiforest.so ./gobridge
# @TEST-EXEC: ZEEK_PLUGIN_PATH=$PWD/plugin zeek -r $PCAPS/scan.pcap $PACKAGE %INPUT IForest::model_file=site.model >output 2>stderr
# @TEST-EXEC: warnings stderr | grep IForest >>output
# @TEST-EXEC: zeek-cut id.resp_p anomaly_score <conn.log | grep -v "0\.[0-9]*$" >>output
# @TEST-EXEC: zeek-cut anomaly_score <conn.log | grep -c "^0\.[0-9]*$" >>output
# @TEST-EXEC: btest-diff output

event zeek_done()
	{
	local s = IForest::statistics();
	print "scored", s$scored, "faults", s$fault;
	}
