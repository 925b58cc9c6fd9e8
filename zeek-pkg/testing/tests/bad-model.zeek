# Models that cannot be used: cut off, one bit flipped, missing, something else.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
head -c 1000 site.model >cut.model
(head -c 5000 site.model; printf '\377'; tail -c +5002 site.model) >flipped.model
cp "$PCAPS/dns.pcap" capture.model
for model in cut flipped missing capture; do
	zeek -r "$PCAPS/dns.pcap" "$PACKAGE" IForest::model_file=$model.model 2>stderr || exit 1
	warnings stderr >>output
	zeek-cut anomaly_score <conn.log | sort | uniq -c >>output
done
