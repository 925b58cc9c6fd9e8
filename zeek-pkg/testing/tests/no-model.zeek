# Without a model and without learning: no score, no "(empty)", no warning, and
# no Go in the process.
#
# @TEST-GROUP: smoke
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::learn=F 2>warnings
# @TEST-EXEC: test ! -s warnings
# @TEST-EXEC: zeek-cut anomaly_score <conn.log | sort -u >output
# @TEST-EXEC: cat maps >>output
# @TEST-EXEC: btest-diff output

event zeek_done()
	{
	system(fmt("if grep -q libiforest /proc/%d/maps; then echo loaded; else echo not loaded; fi >maps", getpid()));
	}
