# A limit on the address space that Zeek lives with and Go would not: Zeek runs
# on and says what to raise.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: sh -c 'ulimit -v 1000000 && exec zeek -b -r $PCAPS/dns.pcap IForest::Scorer $PACKAGE IForest::model_file=site.model' 2>stderr
# @TEST-EXEC: warnings stderr | sed -E 's/[0-9]+ MB are/N MB are/' >output
# @TEST-EXEC: zeek-cut proto anomaly_score <conn.log >>output
# @TEST-EXEC: btest-diff output
