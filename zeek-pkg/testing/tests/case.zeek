# The rows of one connection are put together: what log-uid writes into conn.log is
# what score --uid-column finds in the sensor's logs, a notice names the reasons of
# each log, and rows of dns.log raise notices out of the same budget.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic repeat 4 $PCAPS/office-day.pcap >$OLDPWD/days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm *.trace
# @TEST-EXEC: btest-diff output
mkdir plain && (cd plain && zeek -C -r ../days.trace) || exit 1
for log in conn dns ssl; do
	zeek-iforest train -o $log.model plain/$log.log 2>>train || cat train
done
cat >columns.zeek <<'EOF'
redef record DNS::Info += { anomaly_rank: count &log &optional; anomaly_reason: string &log &optional; };
redef record SSL::Info += { anomaly_rank: count &log &optional; anomaly_reason: string &log &optional; };
EOF
mkdir with && (cd with && zeek -C -r ../days.trace "$PACKAGE" "$PACKAGE/score-dns.zeek" "$PACKAGE/score-ssl.zeek" "$PACKAGE/log-uid.zeek" ../columns.zeek \
	IForest::alerts_per_day=1000 IForest::model_file=$PWD/../conn.model \
	IForest::log_models="table([\"dns\"] = \"$PWD/../dns.model\", [\"ssl\"] = \"$PWD/../ssl.model\")" 2>stderr) || exit 1
warnings with/stderr >>output

for log in dns ssl; do
	zeek-iforest score -m $log.model --columns score,rank,reason -o $log.log with/$log.log 2>/dev/null
done
zeek-iforest score -m conn.model --uid-column -o conn.log with/conn.log dns.log ssl.log 2>/dev/null
for column in case uid_log uid_score uid_rank uid_reason; do
	zeek-cut anomaly_$column <with/conn.log >a
	zeek-cut anomaly_$column <conn.log >b
	cmp a b && echo "anomaly_$column: all rows alike, $(grep -vc '^-*$' a | sed 's/^[1-9].*/some/') have it" >>output
done
zeek-cut note <with/notice.log | grep -v '^-' | sort -u | grep 'DNS\|Case' >>output
zeek-cut note msg <with/notice.log | grep -c '^IForest::Anomalous_Case.*of all rows with this uid: conn.log 0\.[0-9]*, 1 in [0-9]*: .*; [a-z]*.log 0\.[0-9]*, 1 in [0-9]*' | sed 's/^[1-9].*/cases with the reasons of their logs/' >>output
zeek-cut note uid id.orig_h msg <with/notice.log | grep -c '^IForest::Anomalous_DNS.C[0-9A-Za-z]*.[0-9].*Anomaly score 0\.[0-9]*, 1 in [0-9]* of this sensor.s own rows of dns.log: [a-z0-9]' | sed 's/^[1-9].*/queries with their reason, uid and client/' >>output

printf '#fields\toriginator\tresponder\tnetwork\tresp_p\tservice\texpires\tcomment\n-\t-\t-\t-\tdns\t-\tknown\n' >allow.tsv
mkdir allowed && (cd allowed && zeek -C -r ../days.trace "$PACKAGE" "$PACKAGE/score-dns.zeek" IForest::alerts_per_day=1000 IForest::model_file=$PWD/../conn.model \
	IForest::allow_file=$PWD/../allow.tsv IForest::log_models="table([\"dns\"] = \"$PWD/../dns.model\")" 2>stderr) || exit 1
zeek-cut note <allowed/notice.log | grep -c DNS | sed 's/^0$/no notice of a query where the service is allowed/' >>output
zeek-cut -C anomaly_case <allowed/conn.log | grep -c '^0\.' | sed 's/^0$/no case without log-uid/' >>output
