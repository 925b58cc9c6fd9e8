# Labels in the allow-list: what is like a benign connection is left out for its
# host, what is like a bad one is told whatever else the list says, and a file in
# which a column of labels is missing is refused.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: sh make-list
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE %INPUT IForest::model_file=site.model IForest::allow_file=allow.tsv >output 2>stderr
# @TEST-EXEC: warnings stderr >>output
# @TEST-EXEC: sed 's/conn_state/state/' allow.tsv >wrong.tsv
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE IForest::model_file=site.model IForest::allow_file=wrong.tsv 2>stderr
# @TEST-EXEC: warnings stderr >>output
# @TEST-EXEC: btest-diff output

@TEST-START-FILE make-list
set -e
log=$PCAPS/dns.pcap.conn.log
zeek-iforest replay -o dns.log $PCAPS/dns.pcap
uids() { zeek-cut uid <dns.log | sed -n "$1p"; }
label() { zeek-iforest label "$@" -m site.model -f allow.tsv dns.log; }
zeek-iforest allow add -f allow.tsv --network 192.0.2.0/24
label "$(uids 1)" benign --why 'our resolver' --scope site --expires 2099-01-31
label "$(uids 2)" bad --scope pair
@TEST-END-FILE

module IForest;

event allow_list_read(entries: count)
	{
	print "entries", entries;
	}

event scored(c: connection, score: double)
	{
	print c$id$orig_h, c$id$resp_h, c$id$resp_p, c$conn?$service ? c$conn$service : "-", c$conn$conn_state,
	    c$conn$orig_ip_bytes, c$conn$resp_ip_bytes, allowed(c) ? "allowed" : "told";
	}
