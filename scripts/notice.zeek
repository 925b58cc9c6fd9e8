##! Tells of the strangest connections through Zeek's notices, and keeps to a
##! number of them a day.

@load base/frameworks/notice
@load ./allow
@load ./main
@load ./learn

module IForest;

export {
	redef enum Notice::Type += {
		## A connection is among the strangest of the day.
		Anomalous_Connection,
		## A connection is among the strangest of the day by its rows in all logs
		## together (``@load zeek-iforest/log-uid``).
		Anomalous_Case,
		## A row of a log that has no type of its own is among the strangest of the
		## day.
		Anomalous_Row,
		## A host of the site had many unusual connections after one that was
		## told, or rows of other logs: its own, or others' to it. It is told when they have grown
		## tenfold, and when an hour has passed without one.
		Anomalous_Host,
		## A host of the site calls one outside at a steady pace.
		Beacon,
		## A model that the sensor has learnt came into use.
		Model_Promoted,
		## A new model was not good enough to take the place of the one in use.
		Model_Refused,
		## The traffic, or the way in which Zeek writes it down, is no longer
		## what the model knows.
		Drift,
	};
}

# From a worker to the manager: a notice that is perhaps among the strangest of
# the cluster's day, and its score.
global weigh_notice: event(n: Notice::Info, score: double);

# What the manager was asked for within the last day.
type Weighed: record {
	at: time;
	score: double;
	told: bool;
};
global weighed: vector of Weighed;

# Of a day with fewer alerts than workers each worker finds its strangest
# connection, and the manager the strangest of those.
function manager_chooses(): bool
	{
	return Cluster::is_enabled() && alerts_per_day < Cluster::get_node_count(Cluster::WORKER);
	}

function worth_telling(score: double): bool
	{
	local kept: vector of Weighed;
	local stranger = 0;
	local told = 0;
	for ( i, w in weighed )
		if ( network_time() - w$at < 1day )
			{
			kept += w;
			if ( w$score >= score )
				++stranger;
			if ( w$told )
				++told;
			}

	local tell = stranger < alerts_per_day && told < alerts_per_day;
	kept += Weighed($at=network_time(), $score=score, $told=tell);
	weighed = kept;
	return tell;
	}

event weigh_notice(n: Notice::Info, score: double)
	{
	if ( worth_telling(score) )
		NOTICE(n);
	}

function notify(n: Notice::Info, score: double)
	{
	if ( ! manager_chooses() )
		{
		NOTICE(n);
		return;
		}

	if ( n?$conn )
		{
		n$id = n$conn$id;
		n$uid = n$conn$uid;
		delete n$conn;
		}
	Cluster::publish(Cluster::manager_topic, weigh_notice, n, score);
	}

# One notice for all rows of a connection, with the reasons of each log.
function case_notice(c: connection, score: double, found: Found)
	{
	local id = c$id;
	local total = found$case_score;
	local what = fmt("conn.log %.4f, 1 in %.0f: %s", score, found$rank, found$reason);
	for ( i, row in found$case_rows )
		what += fmt("; %s.log %.4f, 1 in %.0f%s", row$log, row$score, row$rank, row$reason == "" ? "" : ": " + row$reason);
	notify(Notice::Info($note=Anomalous_Case, $conn=c,
	    $msg=fmt("Anomaly score %.4f of all rows with this uid: %s", total, what),
	    $sub=fmt("model %s", fingerprint),
	    $identifier=cat(id$orig_h, " ", id$resp_h, " ", id$resp_p, " ", id$ctx), $suppress_for=30mins), total);
	}

hook unusual(c: connection, score: double)
	{
	local found = unusual_found;
	if ( allowed(c) || __raise(conn_sensor, found) != RAISE )
		return;

	local id = c$id;
	if ( |found$case_rows| > 0 )
		{
		case_notice(c, score, found);
		return;
		}

	notify(Notice::Info($note=Anomalous_Connection, $conn=c,
	    $msg=fmt("Anomaly score %.4f, 1 in %.0f of this sensor's own connections: %s", score, found$rank, found$reason),
	    $sub=fmt("model %s", fingerprint),
	    # The library has named nobody twice within an hour; it goes by the
	    # connections' starts, so that a full hour here would swallow some.
	    $identifier=cat(id$orig_h, " ", id$resp_h, " ", id$resp_p, " ", id$ctx), $suppress_for=30mins), score);
	}

# The host of an incident, with its context.
function incident_host(i: News): string
	{
	return i?$context ? fmt("%s (%s)", i$host, i$context) : cat(i$host);
	}

function beacon_notice(i: News)
	{
	local host = incident_host(i);
	notify(Notice::Info($note=Beacon, $n=i$n, $src=i$orig_h, $dst=i$resp_h,
	    $msg=fmt("%s calls %s port %d every %s, %d times so far", host, i$resp_h, i$resp_p, double_to_interval(floor(interval_to_double(i$period) + 0.5)), i$n),
	    $identifier=cat("beacon ", host, " ", i$resp_h, " ", i$resp_p)), i$score);
	}

function incident_notice(i: News)
	{
	local what = i?$host ? fmt("%s %s", i$inbound ? "to" : "of", incident_host(i)) : "of several hosts, beyond the alerts of their hour,";
	local rows = i$other_logs ? "rows of several logs" : i$log == "conn" ? "connections" : fmt("rows of %s.log", i$log);
	local n = Notice::Info($note=Anomalous_Host, $n=i$n,
	    $msg=fmt("%d more unusual %s %s within %s, the strangest%s with anomaly score %.4f %s port %d%s",
	        i$n, rows, what, i$last - i$first, i$other_logs ? fmt(", of %s.log,", i$log) : "", i$score,
	        i$inbound ? fmt("from %s to", i$orig_h) : fmt("to %s", i$resp_h), i$resp_p,
	        i$inbound ? (i$other_origs ? ", others from other originators" : "") : (i$other_resps ? ", others to other endpoints" : "")),
	    $sub=i$over ? "over" : "goes on",
	    $identifier=cat("incident ", i$first, " ", what, " ", i$n));
	n$src = i$orig_h;
	n$dst = i$resp_h;
	notify(n, i$score);
	}

hook news(n: News)
	{
	switch ( n$kind )
		{
		case MODEL_PROMOTED:
			NOTICE(Notice::Info($note=Model_Promoted, $msg=fmt("The sensor uses %s", n$text)));
			break;
		case MODEL_REFUSED:
			NOTICE(Notice::Info($note=Model_Refused, $msg=fmt("Model %s stays in use; a new one was refused: %s", fingerprint, n$text)));
			break;
		case TRAFFIC_DRIFTS:
			NOTICE(Notice::Info($note=Drift, $msg=fmt("Model %s does not know this traffic: %s", fingerprint, n$text),
			    # Of all workers, one says it.
			    $identifier=fingerprint));
			break;
		case INCIDENT:
			if ( n?$period )
				beacon_notice(n);
			else
				incident_notice(n);
			break;
		}
	}

# Each worker keeps to its share by itself.
function set_alerts(per_day: double)
	{
	local workers = Cluster::is_enabled() ? Cluster::get_node_count(Cluster::WORKER) : 1;
	if ( workers > 1 && per_day > 0.0 )
		settings$alerts_per_day = per_day < workers ? 1.0 : per_day / workers;
	else
		settings$alerts_per_day = per_day;
	configure();
	}

function alerts_per_day_changed(id: string, value: double): double
	{
	set_alerts(value);
	return value;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::alerts_per_day", alerts_per_day_changed);
	set_alerts(alerts_per_day);
	}
