# What is labelled bad joins the test of new models: the state directory says since
# which row, and with that the command line learns the same model of conn.log.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic repeat 3 $PCAPS/office-day.pcap >days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm days.trace
# @TEST-EXEC: btest-diff output
zeek-iforest replay -o day.log $PCAPS/office-day.pcap 2>/dev/null
ssl=$(zeek-cut uid service <day.log | awk '$2 == "ssl" { print $1 }' | head -1)
zeek-iforest label "$ssl" bad -f allow.tsv day.log >/dev/null 2>&1 || exit 1
learn() {
	zeek -C -r days.trace "$PACKAGE" IForest::allow_file=$PWD/allow.tsv IForest::state_dir=$PWD/state IForest::state_with_traces=T \
		IForest::seed=7 IForest::warmup=700 IForest::rebuild_every=900 2>stderr || exit 1
	warnings stderr >>output
}
learn
cat state/zeek/labels >>output
stat -c '%a %n' state/zeek/labels >>output
zeek-iforest train --as-sensor --labels state/zeek/labels --seed 7 --warmup 700 --rebuild-every 900 \
	--zeek-version "$(zeek --version 2>&1 | sed 's/.* version //')" -o again.model conn.log 2>>train.stderr
cmp again.model state/zeek/model && echo "the same model" >>output

# The list as it was is no change; a label that is taken out is one.
learn
wc -l <state/zeek/labels >>output
zeek-iforest allow remove -f allow.tsv "$(grep -n bad allow.tsv | cut -d : -f 1)" >/dev/null 2>&1 || exit 1
learn
tail -n +3 state/zeek/labels >>output
