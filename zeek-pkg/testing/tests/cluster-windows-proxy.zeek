# As cluster-windows.zeek, where what the workers count meets at a proxy.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_PROXY
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-scans broker >output 2>figures
# @TEST-EXEC: grep library proxy-1/statistics | sed 's/,.*//' >>output
# @TEST-EXEC: btest-diff output
