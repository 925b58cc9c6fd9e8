# Signals arrive by the thousand while connections are scored: SIGHUP, for which
# Zeek has a handler that changes nothing, in a Zeek that writes its status to a
# file, as zeekctl runs it. (Below nohup SIGHUP would stay ignored: env sees to it.)
#
# @TEST-REQUIRES: which cc && which go
# @TEST-EXEC: office-model
# @TEST-EXEC: cc -O2 -o storm $SCRIPTS/storm.c
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic syns 100000 5000 >$OLDPWD/syns.trace
# @TEST-EXEC: zeek -r syns.trace $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut id.orig_h id.orig_p anomaly_score <conn.log >quiet
# @TEST-EXEC: sh -c 'env --default-signal=HUP zeek -U .status -r syns.trace $PACKAGE %INPUT IForest::model_file=site.model & ./storm $! 100 1 >sent; wait $!'
# @TEST-EXEC: zeek-cut id.orig_h id.orig_p anomaly_score <conn.log >stormy
# @TEST-EXEC: cmp quiet stormy
# @TEST-EXEC: test $(cat sent) -gt 2000
# @TEST-EXEC: rm syns.trace
# @TEST-EXEC: sh -c 'test $((0x$(cat ignored) & 1 << 12)) -ne 0'
# @TEST-EXEC: sh -c 'for mask in $(cat blocked); do test $((0x$mask & 1 << 14)) -ne 0 || exit 1; done'

# Zeek ignores SIGPIPE (13), and Go must not change that; all threads but the
# main one block SIGTERM (15), those of Go, too.
event zeek_done()
	{
	system(fmt("sed -n 's/SigIgn:.//p' /proc/%d/status >ignored; for t in /proc/%d/task/*; do test ${t##*/} = %d || sed -n 's/SigBlk:.//p' $t/status; done >blocked",
	    getpid(), getpid(), getpid()));
	}
