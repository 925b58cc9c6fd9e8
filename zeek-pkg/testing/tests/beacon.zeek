# A host of the site that calls one outside once a minute, and gets no answer, is
# one notice; the command line says the same of the log.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic beacon 100 60 >$OLDPWD/beacon.trace
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
zeek -r beacon.trace "$PACKAGE" IForest::model_file=site.model 2>stderr || exit 1
grep IForest stderr >>output
zeek-cut note src dst n msg <notice.log | grep Beacon >>output
zeek-iforest score -m site.model --alerts-per-day 20 conn.log 2>/dev/null | grep -o 'beacon: .*' >>output
