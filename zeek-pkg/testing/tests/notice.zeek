# The notices of a sensor are those that the command line finds in its log, and
# stay within the budget; what a site allows or vetoes raises none.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic repeat 10 $PCAPS/office-day.pcap >$OLDPWD/days.trace
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm days.trace
# @TEST-EXEC: btest-diff output
# Zeek's own suppression ends by timers, which the gaps of this trace hold back.
echo 'hook Notice::policy(n: Notice::Info) { n$suppress_for = 0secs; }' >once.zeek
zeek -C -r days.trace "$PACKAGE" 'IForest::logs={"conn"}' once.zeek IForest::model_file=site.model 2>stderr || exit 1
warnings stderr >>output
zeek-cut uid note <notice.log | awk '$2 == "IForest::Anomalous_Connection" && $1 != "-" { print $1 }' >sensor
zeek-iforest score -m site.model --alerts-per-day 20 conn.log 2>/dev/null >alerts
grep -o 'C[0-9A-Za-z]\{12,\}' alerts >offline
cmp sensor offline && echo "the same notices" >>output
zeek-cut note n msg <notice.log | sed -n 's/^IForest::Anomalous_Host\t\([0-9]*\)\t[0-9]* more unusual connections \(of\|to\) \([^ ]*\) .*/\1 \2 \3/p' >hosts
sed -n 's/.*incident: \([0-9]*\) more unusual connections* \(of\|to\) \([^, ]*\), .*/\1 \2 \3/p' alerts >incidents
test -s hosts && cmp hosts incidents && echo "the same incidents" >>output
test $(wc -l <sensor) -gt 0 && test $(wc -l <sensor) -le 200 && echo "within the budget" >>output
zeek-cut msg <notice.log | grep -c 'Anomaly score 0\.[0-9]*, 1 in [0-9]* of this sensor.s own connections: [a-z_]' | sed 's/^[1-9].*/with their reasons/' >>output
rm notice.log

zeek -C -r days.trace "$PACKAGE" 'IForest::logs={"conn"}' IForest::model_file=site.model IForest::alerts_per_day=0
test ! -e notice.log && echo "0: none" >>output

echo 'hook IForest::policy(c: connection, score: double) { break; }' >veto.zeek
zeek -C -r days.trace "$PACKAGE" 'IForest::logs={"conn"}' veto.zeek IForest::model_file=site.model
test ! -e notice.log && echo "vetoed: none" >>output
