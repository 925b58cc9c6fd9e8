# Bare mode: with the plugin named it scores, without it says so.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -b -r $PCAPS/dns.pcap IForest::Scorer $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >sensor
# @TEST-EXEC: zeek-iforest score -m site.model conn.log | zeek-cut anomaly_score >offline
# @TEST-EXEC: cmp sensor offline
# @TEST-EXEC: zeek -b -r $PCAPS/dns.pcap $PACKAGE $PACKAGE/log-rank.zeek base/protocols/conn 2>stderr
# @TEST-EXEC: warnings stderr >output
# @TEST-EXEC: zeek-cut proto <conn.log >>output
# @TEST-EXEC: btest-diff output
