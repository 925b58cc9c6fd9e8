# What a sensor learns live, over a restart, is byte for byte what the command
# line learns from the conn.log that the sensor wrote; and each row is scored
# with the model that anomaly_model names.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic repeat 11 $PCAPS/office-day.pcap >first.trace
# @TEST-EXEC: ./traffic repeat 11 $PCAPS/office-day.pcap 11 >second.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm first.trace second.trace
# @TEST-EXEC: btest-diff output
for half in first second; do
	zeek -C -r $half.trace "$PACKAGE" "$PACKAGE/log-model.zeek" IForest::state_dir=$PWD/state IForest::state_with_traces=T \
		IForest::seed=7 IForest::warmup=700 IForest::rebuild_every=1500 IForest::save_every=1000 2>stderr || exit 1
	warnings stderr >>output
	mv conn.log $half.log
	mv notice.log $half.notice.log
	cp state/zeek/model $half.model
done
version=$(zeek --version 2>&1 | sed 's/.* version //')
train() {
	zeek-iforest train --as-sensor --seed 7 --warmup 700 --rebuild-every 1500 --zeek-version "$version" -o "$@" 2>>train.stderr
}
train one.model first.log && cmp one.model first.model && echo "first half: the same model" >>output
train both.model first.log second.log && cmp both.model second.model && echo "over the restart: the same model" >>output
cat first.log second.log | grep -v '^#' | wc -l >>output
stat -c '%a %n' state state/zeek state/zeek/* >>output

# Rows of the last model, scored offline from the log.
last=$(zeek-iforest info second.model | awk '$1 == "model" { print $2 }')
zeek-cut anomaly_model anomaly_score <second.log | grep "^$last" >sensor
zeek-iforest score -m second.model --columns model,score first.log second.log 2>/dev/null | zeek-cut anomaly_model anomaly_score 2>/dev/null | tail -$(wc -l <sensor) >offline
test -s sensor && cmp sensor offline && echo "the last model's rows: the same scores" >>output

# Scores from the first row on after the restart, by the model of before.
zeek-cut anomaly_score anomaly_model <second.log | head -1 | grep -c "^0.*$(zeek-iforest info first.model | awk '$1 == "model" { print $2 }')" >>output
zeek-cut note <first.notice.log | grep -c Model_Promoted | sed 's/^[1-9].*/promotions are notices/' >>output
