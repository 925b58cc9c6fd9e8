##! One budget of alerts for a cluster: workers leave to the manager which rows are
##! among the strangest of the day. They send it what it has to see of those rows
##! that may be, of the meetings that make beacons, and the clock; the manager
##! raises the notices. While it is away so many messages wait, and then the oldest
##! is lost. The rows of the logs never wait.

@load base/frameworks/cluster
@load ./learn
@load ./main
@load ./notice

module IForest;

# From a worker to the manager: rows that may be alerts.
global decide: event(node: string, candidates: string);

global candidates_refused = F;

# The manager: the numbers of the workers.
global deciding_for: table[string] of count;

# A worker sends so many messages, all for 0.
function send_candidates(most: count)
	{
	local sent = 0;
	while ( most == 0 || sent < most )
		{
		if ( Cluster::get_active_node_count(Cluster::MANAGER) == 0 )
			return; # they wait

		local candidates = __take_candidates();
		if ( candidates == "" )
			return;

		Cluster::publish(Cluster::manager_topic, decide, Cluster::node, candidates);
		++sent;
		}
	}

event send_candidates_again()
	{
	if ( enabled )
		send_candidates(alert_messages);

	schedule alerts_interval { send_candidates_again() };
	}

event decide(node: string, candidates: string)
	{
	# At its end the manager has saved the day.
	if ( ! enabled || ! makes_models() || zeek_is_terminating() )
		return;

	if ( node !in deciding_for )
		deciding_for[node] = |deciding_for|;

	local why = __decide(deciding_for[node], candidates);
	if ( why != "" && ! candidates_refused )
		{
		candidates_refused = T;
		Reporter::warning(fmt("IForest: no notices of the workers' connections: %s (said once)", why));
		}

	deciding_node = node;
	take_news();
	deciding_node = "";
	}

event zeek_init()
	{
	if ( ! Cluster::is_enabled() || ! sees_packets() )
		return;

	settings$forwards = T;
	configure();
	schedule alerts_interval { send_candidates_again() };
	}

# What is left, once the last connections have been scored.
event zeek_done()
	{
	if ( Cluster::is_enabled() && sees_packets() && enabled )
		send_candidates(0);
	}
