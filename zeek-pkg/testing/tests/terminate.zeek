# SIGTERM while connections are scored, with other signals by the thousand before
# it and while Zeek drains what is left: it ends at once and cleanly, and each row
# that it wrote is scored. (Not together with it: Zeek keeps the latest signal
# alone, so a SIGHUP before it has looked makes it forget the SIGTERM.)
#
# @TEST-REQUIRES: which cc && which go
# @TEST-EXEC: office-model
# @TEST-EXEC: cc -O2 -o storm $SCRIPTS/storm.c
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic syns 300000 5000 >$OLDPWD/syns.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: grep -q "received termination signal" stderr
# @TEST-EXEC: test $(grep -c ^1 conn.log) -lt 300000
# @TEST-EXEC: tail -1 conn.log | grep -q "^#close"
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >scores
# @TEST-EXEC: test -s scores
# @TEST-EXEC: sh -c '! grep -qv "^0\.[0-9]*$" scores'
# @TEST-EXEC: rm syns.trace
env --default-signal=HUP zeek -U .status -r syns.trace "$PACKAGE" IForest::model_file=site.model 2>stderr &
zeek=$!
# Waits for something as long as Zeek runs.
await() {
	while kill -0 $zeek && ! eval "$1"; do
		sleep 0.3
	done 2>/dev/null
}
./storm $zeek 100 1 &
storm=$!
await 'test $(grep -c ^1 conn.log) -gt 1000'
kill $storm
wait $storm
sleep 0.5
kill -TERM $zeek
await 'grep -q "received termination signal" stderr'
./storm $zeek 100 1 &
wait $zeek
