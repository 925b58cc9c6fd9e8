# ssl.log gets scores after the sensor of its own has learnt; its rows and all
# other columns, and conn.log, are as without. What was learnt is kept beside
# conn.log's, and a Zeek that goes on from there scores from its first row on.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic offices 40 $PCAPS/tls.pcap >day.trace && ./traffic repeat 14 day.trace >days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: btest-diff output
run() {
	mkdir $1 && (cd $1 && shift && zeek -C -r ../days.trace protocols/ssl/validate-certs "$PACKAGE" IForest::seed=1 "$@" 2>stderr) || exit 1
	warnings $1/stderr >>output
}
# Files that are closed at the end lie there in no certain order.
plain() { zeek-cut -C "$@" | grep -v '^#\(open\|close\)'; }

run without
run with "$PACKAGE/score-ssl.zeek" IForest::state_dir=$PWD/state IForest::state_with_traces=T
zeek-cut -C <with/ssl.log | sed -n 's/^#\(fields\|types\).*\t/\1 ... /p' >>output
columns=$(sed -n 's/^#fields.//p' without/ssl.log | tr '\t' ' ')
plain $columns <with/ssl.log >a && plain $columns <without/ssl.log >b && cmp a b && echo "the other columns of ssl.log are the same" >>output
plain <with/conn.log >a && plain <without/conn.log >b && cmp a b && echo "conn.log is the same" >>output
zeek-cut anomaly_score <with/ssl.log | awk '/^0\.[0-9]/ { n++; if (!first) first = NR } !/^0\.[0-9]/ && first { late++ }
	END { print NR " rows of ssl.log, the first with a score is " first ", " n " have one, " late + 0 " behind it have none" }' >>output
grep -h 'ssl.log' with/notice.log | cut -f11,12 | sed 's/model [0-9a-f]*/model .../' >>output
(cd state/zeek && find . -type f | sort) >>output

run again "$PACKAGE/score-ssl.zeek" IForest::state_dir=$PWD/state IForest::state_with_traces=T
zeek-cut anomaly_score <again/ssl.log | grep -vc '^0\.[0-9]' >>output

# Columns that a site adds to the record are filled in, too.
cat >more.zeek <<'EOF'
redef record SSL::Info += {
	anomaly_rank: count &log &optional;
	anomaly_reason: string &log &optional;
	anomaly_model: string &log &optional;
};
EOF
run model "$PACKAGE/score-ssl.zeek" ../more.zeek IForest::log_models="table([\"ssl\"] = \"$PWD/state/zeek/ssl/model\")"
zeek-cut -C anomaly_score anomaly_rank anomaly_reason anomaly_model <model/ssl.log | grep '^#\(fields\|types\)' >>output
zeek-cut anomaly_rank anomaly_reason anomaly_model <model/ssl.log | grep -c '^[1-9][0-9]*	[^-].*	[0-9a-f]\{12\}$' >>output

# The digits are those of the command line, with a log that never had a score and
# the certificates of x509.log.
zeek-cut anomaly_score anomaly_rank anomaly_reason anomaly_model <model/ssl.log >a
zeek-iforest score --columns score,rank,reason,model -m state/zeek/ssl/model --x509 without/x509.log without/ssl.log 2>score.stderr | zeek-cut anomaly_score anomaly_rank anomaly_reason anomaly_model >b
cmp a b && echo "$(wc -l <a) rows are as the command line scores them" >>output
grep certificate score.stderr >>output || true
