# Every row of conn.log is scored, and the command line gives the same digits.
#
# @TEST-GROUP: smoke
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE %INPUT IForest::model_file=site.model 2>warnings
# @TEST-EXEC: test ! -s warnings
# @TEST-EXEC: zeek-iforest score -m site.model conn.log | zeek-cut anomaly_score >offline
# @TEST-EXEC: zeek-cut anomaly_score <conn.log >sensor
# @TEST-EXEC: cmp sensor offline
# @TEST-EXEC: sh -c '! grep -qv "^0\.[0-9]*$" sensor'
# @TEST-EXEC: zeek-cut proto service conn_state id.orig_h id.resp_h id.resp_p anomaly_score <conn.log | sort >output
# @TEST-EXEC: btest-diff output

redef Site::local_nets += { 10.0.0.0/8, [fd00::]/8 };
