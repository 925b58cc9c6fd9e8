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

	## The hosts that are marked, and their highest scores.
	global marked: table[addr] of double &create_expire=mark_for;

	## Raised when a host is marked that was not.
	##
	## host: The host.
	##
	## score: The score that did it.
	global host_marked: event(host: addr, score: double);
}

function mark_originator(c: connection, score: double): string
	{
	local host = c$id$orig_h;
	if ( host !in marked )
		{
		marked[host] = score;
		event host_marked(host, score);
		return fmt("marked %s", host);
		}

	if ( score > marked[host] )
		marked[host] = score;
	return fmt("%s is marked", host);
	}

hook add_columns(c: connection)
	{
	if ( c$id$orig_h in marked )
		c$conn$anomaly_marked = T;
	}

event zeek_init()
	{
	actions["mark host"] = mark_originator;
	}

@endif
