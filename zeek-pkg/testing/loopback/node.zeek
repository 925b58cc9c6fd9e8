##! A node of the cluster that this program runs. A worker writes into "moments"
##! when a row was counted, when what was counted was sent, and up to which sending
##! of each worker an owner had heard when it told totals.

@load base/protocols/conn
@load base/frameworks/cluster
@load base/frameworks/notice

redef Broker::disable_ssl = T;
redef Log::default_rotation_interval = 0secs;
redef record Conn::Info += { node: string &log &optional; };

module IForest;

export {
	# Rows of which one in so many is written down.
	const moment_one_in = 10 &redef;

	global ready: event(node: string);
	global go_on: event();
	global sent: event(node: string, n: count);
	global told: event(owner: string, sendings: table[string] of count);
}

@if ( Cluster::local_node_type() == Cluster::WORKER )

global up: set[string];
global begun = F;
global moments: file;
global rows = 0;
global sends = 0;
global took = 0;
global took_bytes = 0;
global began = 0.0;
global cpu_before: interval;

# The clock on the wall, once packets are read: before that it stands at 0.
function wall(): double
	{
	return time_to_double(current_time());
	}

function cpu(): interval
	{
	local p = get_proc_stats();
	return p$user_time + p$system_time;
	}

event zeek_init()
	{
	moments = open("moments");
	suspend_processing();
	}

event Cluster::node_up(name: string, id: string) &priority=-20
	{
	add up[name];
	for ( node, n in Cluster::nodes )
		if ( n$node_type != Cluster::WORKER && node !in up )
			return;
	Cluster::publish(Cluster::manager_topic, ready, Cluster::node);
	}

event go_on()
	{
	if ( begun )
		return;
	begun = T;
	continue_processing();
	}

event new_connection(c: connection)
	{
	if ( began == 0.0 )
		{
		began = wall();
		cpu_before = cpu();
		}
	}

event connection_state_remove(c: connection) &priority=5
	{
	c$conn$node = Cluster::node;
	}

event connection_state_remove(c: connection) &priority=-20
	{
	if ( ++rows % moment_one_in == 0 )
		print moments, fmt("row %d %.6f", sends + 1, wall());
	}

event send_counts_again() &priority=-20
	{
	++sends;
	for ( topic in owners )
		Cluster::publish(topic, sent, Cluster::node, sends);
	}

event add_totals(totals: string) &priority=-20
	{
	++took;
	took_bytes += |totals|;
	}

event told(owner: string, sendings: table[string] of count)
	{
	local now = wall();
	for ( node, n in sendings )
		if ( node != Cluster::node )
			print moments, fmt("told %s %s %d %.6f", owner, node, n, now);
	}

event Pcap::file_done(path: string)
	{
	print moments, fmt("end %d %.6f %.6f %d %d", rows, wall() - began,
	    interval_to_double(cpu() - cpu_before), took, took_bytes);
	terminate();
	}

@else

redef exit_only_after_terminate = T;

global are_ready: set[string];
global heard: table[string] of count &default=0;
global heard_bytes: table[string] of count &default=0;
global latest: table[string] of count;

event ready(node: string)
	{
	add are_ready[node];
	if ( |are_ready| == Cluster::get_node_count(Cluster::WORKER) )
		Cluster::publish(Cluster::worker_topic, go_on);
	}

event add_counts(node: string, counts: string) &priority=-20
	{
	++heard[node];
	heard_bytes[node] += |counts|;
	}

event sent(node: string, n: count)
	{
	latest[node] = n;
	}

event tell_totals_again() &priority=-20
	{
	Cluster::publish(Cluster::worker_topic, told, Cluster::node, latest);
	}

event zeek_done()
	{
	local f = open("heard");
	for ( node, n in heard )
		print f, fmt("heard %s %d %d", node, n, heard_bytes[node]);
	close(f);
	}

@endif
