##! Adds to conn.log what made a connection unusual: ``anomaly_reason``.

@ifdef ( IForest::__score )

@load ./main

module IForest;

export {
	redef record Conn::Info += {
		## The three features that made the connection unusual, each with
		## its value and what is usual.
		anomaly_reason: string &log &optional;
	};
}

@endif
