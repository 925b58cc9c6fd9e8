# In a cluster the workers score with the model that the manager learns from
# their samples. ../cluster does the same with 200,000 connections.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-PORT: PORT_WORKER3
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: cluster-learns broker 10 >output 2>figures
# @TEST-EXEC: btest-diff output
