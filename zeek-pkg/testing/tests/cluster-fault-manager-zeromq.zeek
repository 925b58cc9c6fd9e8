# As cluster-fault-manager.zeek, on ZeroMQ, where no message goes without the manager.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_PROXY
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go && zeek -N Zeek::Cluster_Backend_ZeroMQ
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-faults manager zeromq >output 2>figures
# @TEST-EXEC: btest-diff output
