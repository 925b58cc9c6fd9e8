# With the scripts compiled to ZAM, as sites with much traffic run them.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut uid anomaly_score <conn.log >interpreted
# @TEST-EXEC: zeek -O ZAM -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut uid anomaly_score <conn.log >compiled
# @TEST-EXEC: cmp interpreted compiled
