# As cluster-windows.zeek, on ZeroMQ.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go && zeek -N Zeek::Cluster_Backend_ZeroMQ
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-scans zeromq >output 2>figures
# @TEST-EXEC: btest-diff output
