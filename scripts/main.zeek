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

	## For scripts that tell somebody of a connection that is among the
	## strangest of the day, as far as :zeek:see:`IForest::alerts_per_day`
	## goes, after :zeek:see:`IForest::policy` has let its score pass.
	##
	## c: The connection, ``c$conn$anomaly_score`` set.
	##
	## score: Its score.
	global unusual: hook(c: connection, score: double);

	## Something that the library has to tell.
	type Happening: record {
		## 1 a model was promoted, 2 one was refused, 3 the traffic drifts,
		## 4 a storm is over, 5 a warning, 6 a batch of samples is full.
		kind: count;
		## What happened.
		text: string;
		## The connections of a storm.
		n: count &optional;
		## When the first of them began.
		first: time &optional;
		## When the last of them began.
		last: time &optional;
		## Their highest score.
		score: double &optional;
		## Their originator; unset where there were several.
		orig_h: addr &optional;
		## The responder of the connection with that score.
		resp_h: addr &optional;
		## Its port.
		resp_p: count &optional;
		## Whether others were to other endpoints.
		others: bool &optional;
	};

	## For scripts that make something of it.
	global happened: hook(h: Happening);

	## Raised for each connection that was scored.
	##
	## c: The connection.
	##
	## score: Its score.
	global scored: event(c: connection, score: double);
}

function not_scored(status: double)
	{
	if ( status in warned )
		return;

	add warned[status];
	Reporter::warning(fmt("IForest: a connection was not scored: %s (said once; the telemetry counts all)",
	    __message()));
	}

hook happened(h: Happening)
	{
	if ( h$kind == 5 )
		Reporter::warning(fmt("IForest: %s", h$text));
	}

function tell_news()
	{
	local h = __next_event() as Happening;
	while ( h$kind != 0 )
		{
		hook happened(h);
		h = __next_event() as Happening;
		}
	}

# After all that fill in c$conn (priorities 5 to -3) and before it is written
# (base/protocols/conn/main.zeek, -5).
event connection_state_remove(c: connection) &priority=-4
	{
	if ( ! active )
		return;

	local score = __score(c$conn);
	# The model of a state that was kept comes with the first connection.
	if ( score >= 0.0 && fingerprint == "" )
		fingerprint = model()$fingerprint;

	if ( score < 0.0 )
		not_scored(score);
	else if ( hook policy(c, score) )
		{
		c$conn$anomaly_score = score;
		hook add_columns(c);
		event scored(c, score);
		if ( __unusual() )
			hook unusual(c, score);
		}

	if ( __news() )
		tell_news();
	}

# After the last connections, which Zeek drains before.
event zeek_done() &priority=-5
	{
	local why = __finish();
	if ( why != "" )
		Reporter::warning(fmt("IForest: %s", why));

	tell_news();
	}
