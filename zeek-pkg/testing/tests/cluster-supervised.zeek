# Learning in a cluster under Zeek's supervisor: two workers score with the
# manager's model, and the one that is started again has it at once.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER1
# @TEST-PORT: PORT_WORKER2
# @TEST-REQUIRES: which go
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic offices 5 $PCAPS/office-day.pcap >$OLDPWD/day.trace
# @TEST-EXEC: mkdir manager logger worker-1 worker-2
# @TEST-EXEC: TRACE=$PWD/day.trace supervise 'test $(wc -l <worker-1/role) -eq 2 && test $(wc -l <worker-2/role) -eq 1 && test -s manager/enough' $SCRIPTS/broker.zeek $PACKAGE $PACKAGE/log-model.zeek %INPUT IForest::state_dir=$PWD/state IForest::record_samples=$PWD/samples IForest::seed=5 IForest::warmup=300
# @TEST-EXEC: rm day.trace
# @TEST-EXEC: zeek-iforest train --as-sensor --samples samples -o again.model
# @TEST-EXEC: cmp again.model state/manager/model
# @TEST-EXEC: cat manager/role logger/role worker-1/role worker-2/role >output
# @TEST-EXEC: btest-diff output

redef Log::default_rotation_interval = 0secs;
redef exit_only_after_terminate = T;

@if ( Cluster::node == "worker-1" )
redef capture_filters += { ["share"] = "(ip[14] + ip[15] + ip[18] + ip[19]) % 2 = 0" };
@endif
@if ( Cluster::node == "worker-2" )
redef capture_filters += { ["share"] = "(ip[14] + ip[15] + ip[18] + ip[19]) % 2 = 1" };
@endif

# A worker writes down when it has read its trace. When both have, the first is
# started again, and when it has read it again, all is over.
global look: event();

event look()
	{
	if ( file_size("../worker-1/role") > 0.0 && file_size("../worker-2/role") > 0.0 )
		Supervisor::restart("worker-1");
	else
		schedule 500msec { look() };
	}

function write_role(role: string)
	{
	local f = open_for_append("role");
	print f, fmt("%s %s", Cluster::node, role);
	close(f);
	}

event zeek_init()
	{
	if ( ! Supervisor::is_supervisor() )
		return;

	local nodes: table[string] of Supervisor::ClusterEndpoint;
	nodes["manager"] = [$role=Supervisor::MANAGER, $host=127.0.0.1, $p=to_port(getenv("PORT_MANAGER"))];
	nodes["logger"] = [$role=Supervisor::LOGGER, $host=127.0.0.1, $p=to_port(getenv("PORT_LOGGER"))];
	nodes["worker-1"] = [$role=Supervisor::WORKER, $host=127.0.0.1, $p=to_port(getenv("PORT_WORKER1"))];
	nodes["worker-2"] = [$role=Supervisor::WORKER, $host=127.0.0.1, $p=to_port(getenv("PORT_WORKER2"))];

	for ( name in nodes )
		{
		local node = Supervisor::NodeConfig($name=name, $cluster=nodes, $directory="../" + name);
		if ( nodes[name]$role == Supervisor::WORKER )
			node$pcap_file = getenv("TRACE");
		Supervisor::create(node);
		}

	schedule 500msec { look() };
	}

# The worker waits for the others, or its trace would be read before there is
# anybody to log to, and the second time for the model.
global up: set[string];
global waits = T;

function go_on()
	{
	if ( waits && "manager" in up && "logger" in up && (file_size("role") <= 0.0 || IForest::model()?$fingerprint) )
		{
		waits = F;
		continue_processing();
		}
	}

event zeek_init()
	{
	if ( Cluster::local_node_type() == Cluster::WORKER )
		suspend_processing();
	}

event Cluster::node_up(name: string, id: string)
	{
	add up[name];
	if ( Cluster::local_node_type() == Cluster::WORKER )
		go_on();
	}

event IForest::model_promoted(m: IForest::Model)
	{
	if ( Cluster::local_node_type() == Cluster::WORKER )
		go_on();
	}

event Pcap::file_done(path: string)
	{
	local s = IForest::statistics();
	# In its first life it may come before the model, or behind it.
	local again = file_size("role") > 0.0;
	write_role(fmt("%s%s", s$sampled > 0 ? "sampled" : "did not sample", again && s$no_model == 0 ? ", scored all" : ""));
	}

event zeek_done()
	{
	local s = IForest::statistics();
	if ( Cluster::local_node_type() == Cluster::MANAGER || Cluster::local_node_type() == Cluster::LOGGER )
		write_role(s$learnt > 1000 ? "learnt" : s$library ? "learnt too little" : "did not load the library");
	}

# The manager notes when it has learnt enough.
module IForest;

event learn_from(node: string, has: string, batch: string) &priority=-5
	{
	if ( IForest::statistics()$learnt > 1000 && file_size("enough") <= 0.0 )
		{
		local f = open("enough");
		print f, "enough";
		close(f);
		}
	}
