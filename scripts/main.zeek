##! Adds to conn.log how unusual each connection is: ``anomaly_score``.

@load base/protocols/conn
@load ./model

module IForest;

export {
	redef record Conn::Info += {
		## How unusual the connection is for this network, between 0 and 1:
		## around 0.4 for what is common, above 0.6 for what stands apart.
		## Unset where the connection was not scored.
		anomaly_score: double &log &optional;
	};

	## Breaking from this hook keeps a score out of the log, and out of all
	## that follows from it.
	##
	## c: The connection, about to be logged.
	##
	## score: Its score.
	global policy: hook(c: connection, score: double);

	## For scripts that add columns beside the score, after
	## :zeek:see:`IForest::policy` has let it pass.
	##
	## c: The connection, ``c$conn$anomaly_score`` set.
	global add_columns: hook(c: connection);

	## Raised for each connection that was scored.
	##
	## c: The connection.
	##
	## score: Its score.
	global scored: event(c: connection, score: double);
}

# The statuses of __score that have been warned about. -1 and -2, no library
# and no model, were when the model could not be loaded.
global warned: set[double] = { -1.0, -2.0 };

function not_scored(status: double)
	{
	if ( status in warned )
		return;

	add warned[status];
	Reporter::warning(fmt("IForest: a connection was not scored: %s (said once; the telemetry counts all)",
	    __message()));
	}

# After all that fill in c$conn (priorities 5 to -3) and before it is written
# (base/protocols/conn/main.zeek, -5).
event connection_state_remove(c: connection) &priority=-4
	{
	if ( ! active )
		return;

	local score = __score(c$conn);
	if ( score < 0.0 )
		{
		not_scored(score);
		return;
		}

	if ( ! hook policy(c, score) )
		return;

	c$conn$anomaly_score = score;
	hook add_columns(c);
	event scored(c, score);
	}
