# Bad days of the state: said once, and learning goes on. The library's tests
# have more of them.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic repeat 4 $PCAPS/office-day.pcap >$OLDPWD/days.trace
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic repeat 2 $PCAPS/office-day.pcap >$OLDPWD/two.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm days.trace two.trace
# @TEST-EXEC: btest-diff output
run() {
	echo "$1" >>output
	zeek -C -r days.trace "$PACKAGE" IForest::state_dir=$PWD/$2 IForest::state_with_traces=T IForest::save_every=500 2>stderr || exit 1
	warnings stderr | sed "s#$PWD/##g" >>output
	zeek-cut anomaly_score <conn.log | grep -c '^0\.' | sed 's/^[1-9].*/scored/' >>output
}
run "a new state" state
run "goes on from it" state
truncate -s 5000 state/zeek/state
run "truncated" state
ls state/zeek >>output
head -c 19 state/zeek/state.unusable >state/zeek/state
printf '\377\000\000\000 of a later version of the package, with enough bytes to be one' >>state/zeek/state
run "of another version" state
touch file
run "a file in its place" file
(flock 9; run "another Zeek has it" state) 9<>state/zeek/lock
run "no longer" state
# The first two days once more, behind the four.
(cat days.trace; tail -c +25 two.trace) >longer.trace && mv longer.trace days.trace
run "the clock goes back" state
