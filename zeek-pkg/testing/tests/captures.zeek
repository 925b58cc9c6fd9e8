# On each of our captures, with checksums checked and not: every row scored, and
# the same digits offline.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
for capture in "$PCAPS"/*.pcap "$PCAPS"/*.pcapng; do
	for mode in "" -C; do
		rm -f conn.log
		zeek $mode -r "$capture" "$PACKAGE" IForest::model_file=site.model || exit 1
		zeek-cut anomaly_score <conn.log >sensor
		zeek-iforest score -m site.model conn.log | zeek-cut anomaly_score >offline
		cmp sensor offline || exit 1
		test -s sensor && ! grep -qv '^0\.[0-9]*$' sensor || exit 1
	done
done
