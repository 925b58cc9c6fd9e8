##! The windows of a cluster's hosts. A worker sees a part of what a host does, so
##! workers send what they counted to owners, proxies or the manager, which add it
##! up and tell the totals: of each host, responder, pair and port one owner, by
##! rendezvous hashing. What has not come yet is the worker's own. Any message may
##! be lost: windows then lack what was in it, for five minutes. A worker that begins
##! is told all that the owners know.

@load base/frameworks/cluster
@load ./main
@load ./learn

module IForest;

# From a worker to an owner: what it counted.
global add_counts: event(node: string, counts: string);

# From a worker that begins to an owner: tell all totals.
global tell_all: event(node: string);

# From an owner to all workers, or to one that has begun: totals.
global add_totals: event(totals: string);

# A worker: the shards of each owner's topic; made anew when a node comes or goes.
global owners: table[string] of count;

# An owner: the numbers of the workers, and whether it is about to tell totals.
global worker_numbers: table[string] of count;
global totals_due = F;

global windows_refused = F;

function windows_are_shared(): bool
	{
	return enabled && share_windows && Cluster::is_enabled() && Cluster::get_node_count(Cluster::WORKER) > 1;
	}

function find_owners()
	{
	owners = table();
	local shard = 0;
	while ( shard < 64 )
		{
		local topic = Cluster::hrw_topic(Cluster::proxy_pool, shard);
		if ( topic == "" )
			topic = Cluster::manager_topic;
		owners[topic] = (topic in owners ? owners[topic] : 0) | (1 << shard);
		++shard;
		}
	}

function refuse_windows(why: string)
	{
	if ( why == "" || windows_refused )
		return;

	windows_refused = T;
	Reporter::warning(fmt("IForest: what other nodes counted is not used: %s (said once)", why));
	}

# A worker sends what it counted.
function send_counts()
	{
	if ( |owners| == 0 )
		find_owners();

	local room = double_to_count(windows_rate * interval_to_double(windows_interval)) / |owners|;
	for ( topic, shards in owners )
		{
		local left = room;
		local counts = __take_counts(shards, left);
		while ( counts != "" )
			{
			Cluster::publish(topic, add_counts, Cluster::node, counts);
			left -= |counts|;
			counts = __take_counts(shards, left);
			}
		}
	}

event send_counts_again()
	{
	if ( windows_are_shared() && active )
		send_counts();

	schedule windows_interval { send_counts_again() };
	}

# An owner tells totals; whether it had any.
function tell_totals(): bool
	{
	local left = double_to_count(windows_rate * interval_to_double(totals_interval));
	local proxies = Cluster::get_active_node_count(Cluster::PROXY);
	if ( proxies > 1 )
		left = left / proxies;

	local told = F;
	local totals = __take_totals(left);
	while ( totals != "" )
		{
		told = T;
		Cluster::publish(Cluster::worker_topic, add_totals, totals);
		left -= |totals|;
		totals = __take_totals(left);
		}
	return told;
	}

event tell_totals_again()
	{
	totals_due = tell_totals();
	if ( totals_due )
		schedule totals_interval { tell_totals_again() };
	}

# An owner: the number of a worker.
function worker_number(node: string): count
	{
	if ( node !in worker_numbers )
		worker_numbers[node] = |worker_numbers|;
	return worker_numbers[node];
	}

event add_counts(node: string, counts: string)
	{
	if ( ! windows_are_shared() || sees_packets() || zeek_is_terminating() )
		return;

	refuse_windows(__add_counts(worker_number(node), counts));
	if ( ! totals_due )
		{
		totals_due = T;
		schedule totals_interval { tell_totals_again() };
		}
	}

# An owner goes on to tell a worker all totals.
event go_on_telling(node: string, begin: bool)
	{
	local left = double_to_count(windows_rate * interval_to_double(totals_interval));
	local told = F;
	local totals = __take_all(worker_number(node), begin, left);
	while ( totals != "" )
		{
		told = T;
		Cluster::publish(Cluster::node_topic(node), add_totals, totals);
		left -= |totals|;
		totals = __take_all(worker_number(node), F, left);
		}
	if ( told )
		schedule totals_interval { go_on_telling(node, F) };
	}

event tell_all(node: string)
	{
	if ( windows_are_shared() && ! sees_packets() && ! zeek_is_terminating() )
		event go_on_telling(node, T);
	}

event add_totals(totals: string)
	{
	if ( windows_are_shared() && sees_packets() && active )
		refuse_windows(__add_totals(totals));
	}

# After the pool knows of it.
event Cluster::node_up(name: string, id: string) &priority=-10
	{
	owners = table();

	# A worker that was killed is told what it had counted.
	if ( sees_packets() && windows_are_shared() && name in Cluster::nodes &&
	     Cluster::nodes[name]$node_type == ( Cluster::get_node_count(Cluster::PROXY) > 0 ? Cluster::PROXY : Cluster::MANAGER ) )
		Cluster::publish(Cluster::node_topic(name), tell_all, Cluster::node);
	}

event Cluster::node_down(name: string, id: string) &priority=-10
	{
	owners = table();
	}

event zeek_init()
	{
	if ( Cluster::is_enabled() && sees_packets() )
		schedule windows_interval { send_counts_again() };
	}

# What is left, for the others and for when it comes again.
event zeek_done()
	{
	if ( Cluster::is_enabled() && sees_packets() && windows_are_shared() && active )
		send_counts();
	}
