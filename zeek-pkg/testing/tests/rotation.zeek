# Rotated logs hold the same rows and scores as one log.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut uid anomaly_score <conn.log >one
# @TEST-EXEC: rm conn.log
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model Log::default_rotation_interval=1hr
# @TEST-EXEC: cat conn.2*.log conn.log | zeek-cut uid anomaly_score >many
# @TEST-EXEC: test $(ls conn.2*.log | wc -l) -gt 3
# @TEST-EXEC: cmp one many
