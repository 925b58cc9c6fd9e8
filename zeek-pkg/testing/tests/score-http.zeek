# http.log gets scores as ssl.log does, wherever Zeek writes it: with the answer,
# at the end of a connection whose requests have none, and when too many are
# pending.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic offices 20 $PCAPS/http.pcap >day.trace && ./traffic repeat 20 day.trace >days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: btest-diff output
run() {
	mkdir $1 && (cd $1 && shift && zeek -C -r "$@" 2>stderr) || exit 1
	warnings $1/stderr >>output
}
plain() { zeek-cut -C "$@" | grep -v '^#\(open\|close\)'; }

run without ../days.trace "$PACKAGE" IForest::seed=1
run with ../days.trace "$PACKAGE" IForest::seed=1 "$PACKAGE/score-http.zeek" IForest::state_dir=$PWD/state IForest::state_with_traces=T
zeek-cut -C <with/http.log | sed -n 's/^#\(fields\|types\).*\t/\1 ... /p' >>output
columns=$(sed -n 's/^#fields.//p' without/http.log | tr '\t' ' ')
plain $columns <with/http.log >a && plain $columns <without/http.log >b && cmp a b && echo "the other columns of http.log are the same" >>output
plain <with/conn.log >a && plain <without/conn.log >b && cmp a b && echo "conn.log is the same" >>output
zeek-cut anomaly_score <with/http.log | awk '/^0\.[0-9]/ { n++; if (!first) first = NR } !/^0\.[0-9]/ && first { late++ }
	END { print NR " rows of http.log, the first with a score is " first ", " n " have one, " late + 0 " behind it have none" }' >>output

# A reader of the log gives the same, of whole connections and of those of which
# only the requests are seen, at most one of them pending.
cat >columns.zeek <<'EOF'
redef record HTTP::Info += { anomaly_rank: count &log &optional; anomaly_reason: string &log &optional; };
redef HTTP::max_pending_requests = 1;
EOF
of_reader() {
	run $1 $PCAPS/http.pcap -f "$2" "$PACKAGE" "$PACKAGE/score-http.zeek" ../columns.zeek IForest::log_models="table([\"http\"] = \"$PWD/state/zeek/http/model\")"
	run $1-plain $PCAPS/http.pcap -f "$2" HTTP::max_pending_requests=1
	zeek-cut anomaly_score anomaly_rank anomaly_reason <$1/http.log >a
	zeek-iforest score --columns score,rank,reason -m state/zeek/http/model $1-plain/http.log 2>/dev/null | zeek-cut anomaly_score anomaly_rank anomaly_reason >b
	cmp a b && echo "$1: $(wc -l <a) rows are as the command line scores them" >>output
	zeek-cut method status_code <$1/http.log >>output
}
of_reader whole tcp
of_reader one-sided "tcp and (dst port 80 or dst port 8081)"
