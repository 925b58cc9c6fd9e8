##! Marks the originator of an unusual connection: its rows in conn.log, from that one
##! on, have ``anomaly_marked`` for some time; see act.zeek for when. For the SIEM, and for
##! other scripts, which ask :zeek:see:`IForest::marked`. In a cluster each worker
##! marks what it sees.

@ifdef ( IForest::__score )

@load ./act

module IForest;

export {
	redef record Conn::Info += {
		## Whether the originator is marked because of an unusual connection.
		anomaly_marked: bool &log &optional;
	};

	## How long a mark lasts.
	const mark_for = 1day &redef;

	## The hosts that are marked, each with the score that did it.
	global marked: table[addr] of double &create_expire=mark_for;

	## Raised when a host is marked.
	##
	## host: The host.
	##
	## score: The score that did it.
	global host_marked: event(host: addr, score: double);
}

function can_mark(c: connection): bool
	{
	return c$id$orig_h !in marked;
	}

function mark_originator(c: connection, score: double): string
	{
	marked[c$id$orig_h] = score;
	event host_marked(c$id$orig_h, score);
	return fmt("marked %s", c$id$orig_h);
	}

hook add_columns(c: connection)
	{
	if ( c$id$orig_h in marked )
		c$conn$anomaly_marked = T;
	}

event zeek_init()
	{
	actions["mark host"] = Acting($applies=can_mark, $act=mark_originator);
	}

@endif
