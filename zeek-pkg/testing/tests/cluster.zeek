# In a cluster, the processes that see packets load Go and score, and the manager
# does to decide about alerts; supervisor and logger do not. The logger writes what
# the worker scored.
#
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE IForest::model_file=site.model
# @TEST-EXEC: zeek-cut ts id.orig_p anomaly_score <conn.log | sort >alone
# @TEST-EXEC: mkdir manager logger worker
# @TEST-EXEC: supervise 'test -s manager/decided && test -s worker/read && test "$(grep -vc "^#" logger/conn.log)" -gt 300' $SCRIPTS/broker.zeek $PACKAGE %INPUT IForest::model_file=$PWD/site.model
# @TEST-EXEC: cat */role zeek/role | sort >output
# @TEST-EXEC: zeek-cut ts id.orig_p anomaly_score <logger/conn.log | sort >together
# @TEST-EXEC: test $(wc -l <together) -gt 300
# @TEST-EXEC: comm -13 alone together >other
# @TEST-EXEC: test ! -s other
# @TEST-EXEC: btest-diff output

redef Log::default_rotation_interval = 0secs;
redef exit_only_after_terminate = T;

function write_role(name: string)
	{
	local f = open("role");
	print f, fmt("%s %s", name, IForest::statistics()$scored > 0 ? "scores" : IForest::statistics()$library ? "decides" : "does not load the library");
	close(f);
	}

event zeek_init()
	{
	if ( ! Supervisor::is_supervisor() )
		return;

	local nodes: table[string] of Supervisor::ClusterEndpoint;
	nodes["manager"] = [$role=Supervisor::MANAGER, $host=127.0.0.1, $p=to_port(getenv("PORT_MANAGER"))];
	nodes["logger"] = [$role=Supervisor::LOGGER, $host=127.0.0.1, $p=to_port(getenv("PORT_LOGGER"))];
	nodes["worker"] = [$role=Supervisor::WORKER, $host=127.0.0.1, $p=to_port(getenv("PORT_WORKER"))];

	for ( name in nodes )
		{
		local node = Supervisor::NodeConfig($name=name, $cluster=nodes, $directory="../" + name);
		if ( name == "worker" )
			node$pcap_file = getenv("PCAPS") + "/office-day.pcap";
		Supervisor::create(node);
		}
	}

# The worker waits for the logger, or its few packets would be read and logged
# before there is anybody to log to; and for the manager, to which no clock sends
# its candidates once they are read.
global there: set[string];

event zeek_init()
	{
	if ( Cluster::node == "worker" )
		suspend_processing();
	}

event Cluster::node_up(name: string, id: string)
	{
	if ( Cluster::node != "worker" || ( name != "logger" && name != "manager" ) )
		return;

	add there[name];
	if ( |there| == 2 )
		continue_processing();
	}

event Pcap::file_done(path: string)
	{
	local f = open("read");
	print f, path;
	close(f);
	}

module IForest;

event decide(node: string, candidates: string) &priority=-5
	{
	if ( Cluster::node == "manager" && file_size("decided") <= 0.0 )
		{
		local f = open("decided");
		print f, node;
		close(f);
		}
	}

event zeek_done()
	{
	write_role(Supervisor::is_supervisor() ? "supervisor" : Cluster::node);
	}
