##! Adds to conn.log what the other logs say of a connection: of the rows with its
##! uid in the logs that are scored (``@load zeek-iforest/score-dns``, ...) the
##! strangest, and how unusual all of them are together. These rows are written
##! before conn.log's, but for those that are delayed, such as a handshake whose
##! certificates are still being looked at.

@ifdef ( IForest::__score )

@load ./logs
@load ./main

module IForest;

export {
	redef record Conn::Info += {
		## How unusual the connection is by all logs together: the
		## ``anomaly_score`` that a connection as rare as all its rows would have.
		## It is ``anomaly_score`` where no other log has a row of it.
		anomaly_case: double &log &optional;
		## The log whose row is the rarest in its log.
		anomaly_uid_log: string &log &optional;
		## The score of that row.
		anomaly_uid_score: double &log &optional;
		## N of "1 in N": of the rows that the log's model learnt from, one in so
		## many was at least as unusual.
		anomaly_uid_rank: count &log &optional;
		## What made that row unusual; unset if it is no rarer than one in ten.
		anomaly_uid_reason: string &log &optional;
	};

	redef use_cases = T;
}

@endif
