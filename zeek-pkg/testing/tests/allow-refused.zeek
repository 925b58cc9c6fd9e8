# A list with a mistake is refused as a whole, with the entry and the reason; so
# is one whose columns are not those that are written today. Of one that would
# allow everything the other entries are used (internal/alert/everything_test.go).
#
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
header='#fields\toriginator\tresponder\tnetwork\tresp_p\tservice\texpires\tcomment\n'
echo 'event IForest::allow_list_read(n: count) { print "read", n; }' >t.zeek
try() {
	printf "$1" >allow.tsv
	zeek -r "$PCAPS/dns.pcap" "$PACKAGE" t.zeek IForest::allow_file=allow.tsv >>output 2>stderr
	warnings stderr | grep -v "not scored" >>output
}
try "${header}10.0.0.1\t-\t-\t-\t-\t-\t-\n-\t-\t-\t-\t-\t-\teverything\n"
network() { printf -- '-\\t-\\t%s\\t-\\t-\\t-\\t-\\n' "$1"; }
dns='-\t-\t-\t-\tdns\t-\t-\n'
try "$header$dns$(network 0.0.0.0/0)"
try "$header$(network ::/0)$dns"
try "$header$(network ::ffff:0.0.0.0/96)$(network ::/80)$dns"
try "$header$(network 0.0.0.0/1)$(network 128.0.0.0/1)"
try "$header$(for i in $(seq 0 64); do network $i.0.0.0/8; done)"
try "$header$(network 10.0.0.0/8)$(network fd00::/8)-\t-\t0.0.0.0/0\t53/udp\t-\t-\t-\n"
try "${header}10.0.0\t-\t-\t-\t-\t-\t-\n"
try "$header-\t2001:db8::g\t-\t-\t-\t-\t-\n"
try "$header-\t-\t10.0.0.0\t-\t-\t-\t-\n"
try "$header-\t-\t-\t70000/tcp\t-\t-\t-\n"
try "$header-\t-\t-\t80/xyz\t-\t-\t-\n"
try "$header-\t-\t-\t-\tdns\ttomorrow\t-\n"
try "$header-\t-\tdns\n"
# The first packet waits for the end of the list, however far behind the mistake.
try "$header-\t-\tdns\n$(yes -- "$dns" | head -5000 | tr -d '\n')"
try '#fields\toriginator\tresponder\tnetwork\tport\tservice\texpires\tcomment\n-\t10.0.0.1\t-\t80\t-\t-\t-\n'
zeek-iforest allow add -f allow.tsv --service dns >/dev/null # writes it anew
zeek -r "$PCAPS/dns.pcap" "$PACKAGE" t.zeek IForest::allow_file=allow.tsv >>output 2>/dev/null
