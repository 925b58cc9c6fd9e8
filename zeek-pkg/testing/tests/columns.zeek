# The columns that a site adds, and that each is the one of the command line.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/scan.pcap $PACKAGE $PACKAGE/log-rank.zeek $PACKAGE/log-reason.zeek $PACKAGE/log-model.zeek IForest::model_file=site.model
# @TEST-EXEC: zeek-cut anomaly_score anomaly_rank anomaly_reason anomaly_model <conn.log >sensor
# @TEST-EXEC: zeek-cut -C <conn.log | grep '^#\(fields\|types\)' >output
# @TEST-EXEC: head -5 sensor | cut -f1-3 >>output
# @TEST-EXEC: zeek -r $PCAPS/scan.pcap
# @TEST-EXEC: zeek-iforest score --columns score,rank,reason,model -m site.model conn.log | zeek-cut anomaly_score anomaly_rank anomaly_reason anomaly_model >offline
# @TEST-EXEC: cmp sensor offline
# @TEST-EXEC: btest-diff output
