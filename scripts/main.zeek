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
	## goes, after :zeek:see:`IForest::policy` has let its score pass. In a
	## cluster, where the manager decides (:zeek:enum:`IForest::ALERT`), it is
	## called for each that may be.
	##
	## c: The connection, ``c$conn$anomaly_score`` set.
	##
	## score: Its score.
	global unusual: hook(c: connection, score: double);

	## What a piece of news is about.
	type NewsKind: enum {
		## There is none.
		NOTHING,
		## A model that was learnt came into use.
		MODEL_PROMOTED,
		## A new model was not good enough, or could not be made.
		MODEL_REFUSED,
		## The traffic is no longer what the model knows.
		TRAFFIC_DRIFTS,
		## Unusual connections of one host, or to it, and rows of other logs; or
		## a beacon.
		INCIDENT,
		## Something does not work; scores go on.
		WARNING,
		## A batch of samples is full.
		SAMPLES_FULL,
		## A row that a worker scored is worth an alert.
		ALERT,
	};

	## What the library has to tell.
	type News: record {
		## What it is about.
		kind: NewsKind;
		## What there is to say.
		text: string;
		## An incident's host, one of the site; unset where there were several.
		host: addr &optional;
		## Whether others originated the connections.
		inbound: bool &optional;
		## Whether the incident is over.
		over: bool &optional;
		## Its connections, beside those with an alert of their own.
		n: count &optional;
		## When the first of them began.
		first: time &optional;
		## When the last of them began.
		last: time &optional;
		## Their highest score.
		score: double &optional;
		## The originator of the connection with that score.
		orig_h: addr &optional;
		## Its responder.
		resp_h: addr &optional;
		## Its responder port.
		resp_p: count &optional;
		## Whether others had another originator.
		other_origs: bool &optional;
		## Whether others went to another responder or port.
		other_resps: bool &optional;
		## The log of the row with that score.
		log: string &optional;
		## Whether others are rows of another log.
		other_logs: bool &optional;
		## How often the host calls the responder, of a beacon; else unset.
		period: interval &optional;
		## The uid of an alert's connection, with all that follows; empty where the
		## worker did not send it, because a row of the host had it a second before.
		uid: string &optional;
		## The model that scored it.
		model: string &optional;
		## The originator's port.
		orig_p: count &optional;
		## The transport.
		proto: transport_proto &optional;
		## Its anomaly_score, where score is that of all rows with its uid.
		row_score: double &optional;
		## N of "1 in N".
		rank: double &optional;
		## How old it was, of a connection that goes on; else unset.
		age: interval &optional;
		## Whether the text, which is the reason, has that of other logs too.
		is_case: bool &optional;
	};

	## For scripts that make something of it.
	##
	## n: The news.
	global news: hook(n: News);

	## What becomes of a connection that is unusual enough for an alert.
	type Verdict: enum {
		## The hour, or the day, has had its alerts.
		SUPPRESSED,
		## It belongs to an incident that was told.
		FOLDED,
		## It is worth an alert.
		RAISE,
		## The manager of the cluster decides.
		FORWARDED,
	};

	## What a log beside conn.log says of a connection.
	type CaseRow: record {
		## The log, as in its ``#path``.
		log: string;
		## The score of its strangest row with the connection's uid.
		score: double;
		## N of "1 in N".
		rank: double;
		## What made it unusual; empty where it is no rarer than one in ten.
		reason: string;
	};

	## Those of a connection, the strangest first.
	type CaseRows: vector of CaseRow;

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

# Called for a connection that is not unusual, but may be one of a beacon that the
# manager finds; breaking from it keeps it from making one known.
global meets: hook(c: connection);

# The connection that was given to the library last.
global last_logged = "";

function not_scored(status: double)
	{
	if ( status in warned )
		return;

	add warned[status];
	Reporter::warning(fmt("IForest: a connection was not scored: %s (said once; the telemetry counts all)",
	    __message()));
	}

hook news(n: News)
	{
	if ( n$kind == WARNING )
		Reporter::warning(fmt("IForest: %s", n$text));
	}

function take_news()
	{
	local n = __next_event() as News;
	while ( n$kind != NOTHING )
		{
		hook news(n);
		n = __next_event() as News;
		}
	}

event zeek_init()
	{
	__use_cases(use_cases);
	}

# After all that fill in c$conn (priorities 5 to -3) and before it is written
# (base/protocols/conn/main.zeek, -5).
event connection_state_remove(c: connection) &priority=-4
	{
	if ( ! active )
		return;

	# A look at it while it went on may have left a score (long.zeek).
	delete c$conn$anomaly_score;
	local score = __score(c$conn);
	last_logged = c$uid;
	# The model of a state that was kept, or the seed, comes with the first
	# connection.
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
		else if ( __meets() && ! hook meets(c) )
			__withhold();
		}
	else if ( __meets() )
		__withhold();

	if ( __news() )
		take_news();
	}

# After the last connections, which Zeek drains before.
event zeek_done() &priority=-5
	{
	local why = __finish();
	if ( why != "" )
		Reporter::warning(fmt("IForest: %s", why));

	take_news();
	}
