##! Adds to conn.log how rare a score is: ``anomaly_rank``.

@ifdef ( IForest::__score )

@load ./main

module IForest;

export {
	redef record Conn::Info += {
		## N of "1 in N": of the connections that the model learnt from,
		## one in so many was at least as unusual.
		anomaly_rank: count &log &optional;
	};
}

@endif
