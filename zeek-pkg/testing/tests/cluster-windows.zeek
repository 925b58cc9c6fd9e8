# A scan that is spread evenly over the workers of a cluster is as strange to them
# as to one sensor, for they share what they count.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-scans broker >output 2>figures
# @TEST-EXEC: echo "without:" >>output
# @TEST-EXEC: rm -r manager logger worker-?
# @TEST-EXEC: cluster-scans broker IForest::share_windows=F 2>>figures | grep strange >>output
# @TEST-EXEC: btest-diff output
