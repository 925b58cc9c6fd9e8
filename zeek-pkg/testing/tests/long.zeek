# Connections that go on are scored before their end, with the digits that the
# command line finds in the capture and in the logs; nothing else changes. An SSH
# session of our own captures idles for 58 minutes at a time, over copies of the
# office's day.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic idle 3500 $PCAPS/ssh.pcap $PCAPS/office-day.pcap >idle.trace
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: btest-diff output
rows() { zeek-cut -C "$@" | grep -v '^#'; }
run() {
	mkdir $1 && (cd $1 && shift && zeek -r ../idle.trace "$PACKAGE" "$PACKAGE/log-reason.zeek" IForest::model_file=$OLDPWD/site.model "$@" 2>stderr) || exit 1
	warnings $1/stderr >>output
}
columns="ts id.orig_h id.resp_h id.resp_p proto service duration orig_bytes resp_bytes conn_state history orig_pkts orig_ip_bytes resp_pkts resp_ip_bytes anomaly_score anomaly_reason look"

run sensor
zeek-cut -C <sensor/iforest_long.log | sed -n 's/^#\(path\|fields\|types\)/\1/p' >>output
rows look duration service conn_state anomaly_score <sensor/iforest_long.log | head -6 >>output

# As replay makes them, where both know the service.
zeek-iforest replay --columns score,reason -m site.model -o replay.log --long replay_long.log idle.trace 2>/dev/null
rows $columns <sensor/iforest_long.log >a && rows $columns <replay_long.log >b
cmp a b && echo "$(wc -l <a | tr -d ' ') looks, as of replay" >>output

# As score finds them in the logs, in the sensor's order.
zeek-iforest score --columns score,reason -m site.model sensor/conn.log sensor/iforest_long.log 2>/dev/null >scored.log
grep -hv '^#' sensor/conn.log sensor/iforest_long.log >a && grep -v '^#' scored.log >b
cmp a b && echo "all rows as of score" >>output
zeek-iforest score --columns score,reason -m site.model replay.log replay_long.log 2>/dev/null | grep -v '^#' >b
grep -hv '^#' replay.log replay_long.log >a && cmp a b && echo "those of replay, too" >>output

# conn.log is what it is where nobody looks, and so is what is learnt.
run none IForest::long_connection_durations='vector()'
test ! -e none/iforest_long.log && echo "no ages: no looks" >>output
rows <sensor/conn.log >a && rows <none/conn.log >b && cmp a b && echo "conn.log is the same" >>output
learn="IForest::model_file= IForest::seed=7 IForest::warmup=500 IForest::state_with_traces=T"
run looking $learn IForest::state_dir=$PWD/looking.state
run blind $learn IForest::state_dir=$PWD/blind.state IForest::long_connection_durations='vector()'
rows <looking/conn.log >a && rows <blind/conn.log >b && cmp a b &&
	cmp looking.state/zeek/model blind.state/zeek/model && test -s looking/iforest_long.log && echo "so is what is learnt" >>output

# JSON has conn.log's names.
run json LogAscii::use_json=T
tail -1 json/iforest_long.log | sed 's/"uid":"[^"]*"/"uid":"..."/; s/"after":"[^"]*"/"after":"..."/; s/"anomaly_.*"look"/"anomaly_...":...,"look"/' >>output
