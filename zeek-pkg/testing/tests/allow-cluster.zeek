# In a cluster the manager reads the allow-list and hands it to the workers, also
# to one that comes later, and each change.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER
# @TEST-EXEC: zeek-iforest allow add -f allow.tsv --port 1/tcp
# @TEST-EXEC: mkdir manager logger worker
# @TEST-EXEC: supervise 'grep "manager 2" manager/read && grep "worker 2" worker/read' $SCRIPTS/broker.zeek $PACKAGE %INPUT IForest::allow_file=$PWD/allow.tsv IForest::state_dir=
# @TEST-EXEC: cat manager/read worker/read >output
# @TEST-EXEC: btest-diff output

redef Log::default_rotation_interval = 0secs;
redef exit_only_after_terminate = T;

event zeek_init()
	{
	if ( ! Supervisor::is_supervisor() )
		return;

	local nodes: table[string] of Supervisor::ClusterEndpoint;
	nodes["manager"] = [$role=Supervisor::MANAGER, $host=127.0.0.1, $p=to_port(getenv("PORT_MANAGER"))];
	nodes["logger"] = [$role=Supervisor::LOGGER, $host=127.0.0.1, $p=to_port(getenv("PORT_LOGGER"))];
	nodes["worker"] = [$role=Supervisor::WORKER, $host=127.0.0.1, $p=to_port(getenv("PORT_WORKER"))];

	for ( name in nodes )
		Supervisor::create(Supervisor::NodeConfig($name=name, $cluster=nodes, $directory="../" + name));
	}

global told = 0;

event IForest::allow_list_read(entries: count)
	{
	if ( entries <= told )
		return; # the worker may get the first list twice

	told = entries;
	local f = open_for_append("read");
	print f, fmt("%s %d", Cluster::node, entries);
	close(f);
	if ( Cluster::node == "worker" && entries == 1 )
		system("zeek-iforest allow add -f ../allow.tsv --port 2/tcp >/dev/null");
	}
