##! Adds to conn.log how unusual each connection is: ``anomaly_score``.

@load base/protocols/conn
@load ./model

module IForest;

export {
	redef record Conn::Info += {
		## How unusual the connection is for this network, between 0 and 1:
		## around 0.4 for what is common, above 0.6 for what stands apart.
		## Unset if the connection was not scored.
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

	## For scripts that tell somebody of a connection that is among the
	## strangest of the day, as far as :zeek:see:`IForest::alerts_per_day`
	## goes, after :zeek:see:`IForest::policy` has let its score pass. In a
	## cluster, where the manager decides (:zeek:enum:`IForest::ALERT`), it is
	## called for each that may be.
	##
	## c: The connection, ``c$conn$anomaly_score`` set.
	##
	## score: Its score.
	global unusual: hook(c: connection, score: double);

	## For scripts that make something of it.
	##
	## n: The news.
	global news: hook(n: News);

	## Whether the rows with a connection's uid in other logs count in what is
	## told of it. ``@load zeek-iforest/log-uid`` sets it.
	const use_cases = F &redef;

	## Raised for each connection that was scored.
	##
	## c: The connection.
	##
	## score: Its score.
	global scored: event(c: connection, score: double);
}

# What conn.log's sensor was told, for whoever changes a part of it.
global settings = Settings();

# What was found of the connection that is unusual, for those who tell of it.
global unusual_found: Found;

# Called for a connection that is not unusual, but may be one of a beacon that the
# manager finds; breaking from it keeps it from making one known.
global meets: hook(c: connection);

# Whether somebody looks at each score: by policy, add_columns or scored.
global scores_are_looked_at = F;

function configure()
	{
	__configure(conn_sensor, settings);
	}

function not_scored(found: Found)
	{
	if ( found$status in warned )
		return;

	add warned[found$status];
	Reporter::warning(fmt("IForest: a connection was not scored: %s (said once; the telemetry counts all)",
	    found$why));
	}

hook news(n: News)
	{
	if ( n$kind == WARNING )
		Reporter::warning(fmt("IForest: %s", n$text));
	}

function take_news()
	{
	local n = __next_event(conn_sensor);
	while ( n$kind != NOTHING )
		{
		hook news(n);
		n = __next_event(conn_sensor);
		}
	}

# Takes up what there is beside the score.
function take_up_news(found: Found)
	{
	# The model of a state that was kept, or the seed, comes with the first
	# connection.
	if ( found?$model )
		fingerprint = found$model;

	take_news();
	}

function tell_unusual(c: connection, found: Found)
	{
	unusual_found = found;
	hook unusual(c, found$score);
	}

function take_up(c: connection, found: Found)
	{
	if ( ! found?$score )
		not_scored(found);
	else if ( hook policy(c, found$score) )
		{
		hook add_columns(c);
		event scored(c, found$score);
		if ( found$unusual )
			tell_unusual(c, found);
		else if ( found$meets && ! hook meets(c) )
			__withhold();
		}
	else
		{
		__clear(c$conn);
		if ( found$meets )
			__withhold();
		}

	if ( found$news )
		take_up_news(found);
	}

event zeek_init()
	{
	scores_are_looked_at = __is_handled(policy) || __is_handled(add_columns) || is_event_handled("IForest::scored");
	settings$cases = use_cases;
	configure();
	}

# After all that fill in c$conn (priorities 5 to -3) and before it is written
# (base/protocols/conn/main.zeek, -5). It runs for each connection, so it does no
# more than most of them need.
event connection_state_remove(c: connection) &priority=-4
	{
	if ( ! active )
		return;

	local found = __score(c$conn);
	if ( found$notable || scores_are_looked_at )
		take_up(c, found);
	}

# After the last connections, which Zeek drains before.
event zeek_done() &priority=-5
	{
	local why = __finish(conn_sensor);
	if ( why != "" )
		Reporter::warning(fmt("IForest: %s", why));

	take_news();
	}
