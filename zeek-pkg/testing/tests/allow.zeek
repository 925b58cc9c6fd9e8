# The allow-list that the command line writes: each kind of entry, ends and all.
# The scores are logged as ever, and the telemetry counts.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: sh make-list
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model IForest::allow_file=allow.tsv >output 2>stderr
# @TEST-EXEC: warnings stderr >>output
# @TEST-EXEC: zeek-cut anomaly_score <conn.log | grep -c '^0' >>output
# @TEST-EXEC: btest-diff output

@TEST-START-FILE make-list
set -e
a="zeek-iforest allow add -f allow.tsv"
$a --originator 10.20.0.11 --responder 10.20.0.2 --comment 'both must hold'
$a --network fd20::/16 --port 53/udp
$a --port 53/tcp --expires 2099-01-31
$a --network 10.20.0.0/24 --service dns --expires 2098-12-31
$a --originator ::ffff:192.0.2.1 --service http
$a --port 135
sed -i s/4070822400/1795219200/ allow.tsv # before the capture was made: the command refuses an end that is past
@TEST-END-FILE

module IForest;

event allow_list_read(entries: count)
	{
	print "entries", entries;
	for ( i, e in allow_list )
		print e;
	}

event scored(c: connection, score: double)
	{
	print c$id$orig_h, c$id$resp_h, c$id$resp_p, c$conn?$service ? c$conn$service : "-",
	    allowed(c) ? "allowed" : "told";
	}

event zeek_done()
	{
	for ( i, m in Telemetry::collect_metrics("iforest", "allow*") )
		print fmt("%s %s", m$opts$name, m$value);
	}
