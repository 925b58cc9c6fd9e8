# JSON logs print the same digits.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >tsv
# @TEST-EXEC: zeek -r $PCAPS/dns.pcap $PACKAGE IForest::model_file=site.model LogAscii::use_json=T
# @TEST-EXEC: sed 's/.*"anomaly_score"://; s/}.*//' <conn.log >json
# @TEST-EXEC: cmp tsv json
# @TEST-EXEC: zeek-iforest score -m site.model conn.log | sed 's/.*"anomaly_score"://; s/}.*//' >offline
# @TEST-EXEC: cmp json offline
