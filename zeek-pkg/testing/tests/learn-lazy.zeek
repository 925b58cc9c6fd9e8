# A Zeek that is to learn loads Go at its first connection, and one that reads a
# trace writes nothing for it.
#
# @TEST-GROUP: smoke
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::state_dir=$PWD/state >output 2>warnings
# @TEST-EXEC: test ! -s warnings
# @TEST-EXEC: test ! -e state
# @TEST-EXEC: zeek-cut anomaly_score <conn.log | cut -c 1-2 | sort | uniq -c >>output
# @TEST-EXEC: btest-diff output

function loaded(at: string)
	{
	print at, IForest::statistics()$library, IForest::statistics()$learning, IForest::statistics()$learnt;
	}

event zeek_init() &priority=-10
	{
	loaded("at the start");
	}

event zeek_done()
	{
	loaded("at the end");
	}
