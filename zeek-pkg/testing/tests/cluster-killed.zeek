# A manager that is killed goes on from its last saving. What it recorded makes its
# models again all the same, and the scores of its workers.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-learns broker 10 "" killed >output 2>figures
# @TEST-EXEC: btest-diff output
