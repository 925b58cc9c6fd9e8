# dns.log gets scores as ssl.log does, its answers and their TTLs included; and
# both at once leave conn.log as it is.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic repeat 4 $PCAPS/office-day.pcap >days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: btest-diff output
run() {
	mkdir $1 && (cd $1 && shift && zeek -C -r ../days.trace "$PACKAGE" IForest::seed=1 IForest::warmup=200 "$@" 2>stderr) || exit 1
	warnings $1/stderr >>output
}
plain() { zeek-cut -C "$@" | grep -v '^#\(open\|close\)'; }

run without
run with "$PACKAGE/score-dns.zeek" "$PACKAGE/score-ssl.zeek" IForest::state_dir=$PWD/state IForest::state_with_traces=T
zeek-cut -C <with/dns.log | sed -n 's/^#\(fields\|types\).*\t/\1 ... /p' >>output
columns=$(sed -n 's/^#fields.//p' without/dns.log | tr '\t' ' ')
plain $columns <with/dns.log >a && plain $columns <without/dns.log >b && cmp a b && echo "the other columns of dns.log are the same" >>output
plain <with/conn.log >a && plain <without/conn.log >b && cmp a b && echo "conn.log is the same" >>output
zeek-cut anomaly_score <with/dns.log | awk '/^0\.[0-9]/ { n++; if (!first) first = NR } !/^0\.[0-9]/ && first { late++ }
	END { print NR " rows of dns.log, the first with a score is " first ", " n " have one, " late + 0 " behind it have none" }' >>output

run model "$PACKAGE/score-dns.zeek" IForest::log_models="table([\"dns\"] = \"$PWD/state/zeek/dns/model\")"
zeek-cut anomaly_score <model/dns.log >a
zeek-iforest score -m state/zeek/dns/model without/dns.log 2>/dev/null | zeek-cut anomaly_score >b
cmp a b && echo "$(wc -l <a) rows are as the command line scores them" >>output
