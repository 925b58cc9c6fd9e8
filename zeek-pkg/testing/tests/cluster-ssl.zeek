# In a cluster a worker scores ssl.log by a model that it learns itself, beside the
# manager's for conn.log; the logger writes what the worker scored.
#
# @TEST-REQUIRES: which go
# @TEST-PORT: PORT_MANAGER
# @TEST-PORT: PORT_LOGGER
# @TEST-PORT: PORT_WORKER
# @TEST-EXEC: cd $ROOT && go build -o $OLDPWD/traffic ./zeek-pkg/testing/traffic
# @TEST-EXEC: ./traffic offices 40 $PCAPS/tls.pcap >day.trace && ./traffic repeat 14 day.trace >days.trace
# @TEST-EXEC: mkdir manager logger worker
# @TEST-EXEC: DAYS=$PWD/days.trace supervise 'test -s worker/read && test "$(grep -vc "^#" logger/ssl.log)" -gt 1500' $SCRIPTS/broker.zeek $PACKAGE $PACKAGE/score-ssl.zeek %INPUT IForest::state_dir=$PWD/state IForest::state_with_traces=T
# @TEST-EXEC: rm traffic *.trace
# @TEST-EXEC: cat */role zeek/role | sort >output
# @TEST-EXEC: zeek-cut anomaly_score <logger/ssl.log | awk '/^0\.[0-9]/ { n++ } !/^0\.[0-9]/ && n { late++ } END { print (NR > 1500 && n > 300 ? "most rows" : NR " rows, " n + 0 " scored"), late + 0 " without a score behind the first" }' >>output
# @TEST-EXEC: ls state/worker/ssl >>output
# @TEST-EXEC: btest-diff output

redef Log::default_rotation_interval = 0secs;
redef exit_only_after_terminate = T;

function write_role(name: string)
	{
	local f = open("role");
	print f, fmt("%s: ssl.log %s", name, IForest::log_statistics("ssl")$learning ? "is learnt" : "is not learnt");
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
			node$pcap_file = getenv("DAYS");
		Supervisor::create(node);
		}
	}

# The worker waits for the logger, or its few packets would be read and logged
# before there is anybody to log to.
event zeek_init()
	{
	if ( Cluster::node == "worker" )
		suspend_processing();
	}

event Cluster::node_up(name: string, id: string)
	{
	if ( Cluster::node == "worker" && name == "logger" )
		continue_processing();
	}

event Pcap::file_done(path: string)
	{
	local f = open("read");
	print f, path;
	close(f);
	}

event zeek_done() &priority=5
	{
	write_role(Supervisor::is_supervisor() ? "supervisor" : Cluster::node);
	}
