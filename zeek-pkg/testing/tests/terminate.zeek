# SIGTERM while connections are scored, with other signals before it and while
# Zeek drains what is left: it ends cleanly, and each row that it wrote is scored.
# (A second SIGTERM would make Zeek itself give up its log writers.)
#
# @TEST-REQUIRES: which cc && which go
# @TEST-EXEC: office-model
# @TEST-EXEC: cc -O2 -o storm $SCRIPTS/storm.c
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic syns 300000 5000 >$OLDPWD/syns.trace
# @TEST-EXEC: sh -c 'zeek -U .status -r syns.trace $PACKAGE IForest::model_file=site.model 2>stderr & pid=$!; ./storm $pid 100 1 >sent & sleep 3; kill -TERM $pid; wait $pid'
# @TEST-EXEC: tail -1 conn.log | grep -q "^#close"
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >scores
# @TEST-EXEC: test -s scores
# @TEST-EXEC: sh -c '! grep -qv "^0\.[0-9]*$" scores'
# @TEST-EXEC: rm syns.trace
