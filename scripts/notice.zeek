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

# The manager: the worker for which it decides.
global deciding_node = "";

# What a notice says of a connection; where a worker did not say why, it had said
# so of another one of that host a second before.
function says_of_connection(score: double, rank: double, reason: string): string
	{
	return rank == 0.0 ? fmt("Anomaly score %.4f", score) :
	    fmt("Anomaly score %.4f, 1 in %.0f of this sensor's own connections: %s", score, rank, reason);
	}

function says_of_case(total: double, score: double, rank: double, reasons: string): string
	{
	return fmt("Anomaly score %.4f of all rows with this uid: conn.log %.4f, 1 in %.0f: %s", total, score, rank, reasons);
	}

function says_of_row(path: string, score: double, rank: double, reason: string): string
	{
	return rank == 0.0 ? fmt("Anomaly score %.4f in %s.log", score, path) :
	    fmt("Anomaly score %.4f, 1 in %.0f of this sensor's own rows of %s.log: %s", score, rank, path, reason);
	}

# The same while it goes on, of whole seconds.
function says_of_open(score: double, rank: double, age: interval, reason: string): string
	{
	local old = double_to_interval(floor(interval_to_double(age) + 0.5));
	return rank == 0.0 ? fmt("Anomaly score %.4f, after %s and not over", score, old) :
	    fmt("Anomaly score %.4f, 1 in %.0f of this sensor's own connections, after %s and not over: %s", score, rank, old, reason);
	}

# One message for all rows of a connection, with the reasons of each log.
function case_message(score: double, found: Found): string
	{
	local reasons = found$reason;
	for ( i, row in found$case_rows )
		reasons += fmt("; %s.log %.4f, 1 in %.0f%s", row$log, row$score, row$rank, row$reason == "" ? "" : ": " + row$reason);
	return says_of_case(found$case_score, score, found$rank, reasons);
	}

# The library has named nobody twice within an hour; it goes by the connections'
# starts, so that a full hour here would swallow some.
function connection_identifier(id: conn_id, context: string): string
	{
	return cat(id$orig_h, " ", id$resp_h, " ", id$resp_p, " ", context);
	}

hook unusual(c: connection, score: double)
	{
	local found = unusual_found;
	if ( allowed(c) || __raise(conn_sensor, found) != RAISE )
		return;

	local n = Notice::Info($note=Anomalous_Connection, $conn=c, $sub=fmt("model %s", fingerprint),
	    $identifier=connection_identifier(c$id, cat(c$id$ctx)), $suppress_for=30mins);
	if ( |found$case_rows| > 0 )
		{
		n$note = Anomalous_Case;
		n$msg = case_message(score, found);
		}
	else
		n$msg = says_of_connection(score, found$rank, found$reason);

	NOTICE(n);
	}

# An entry of the allow-list quiets beacons, too. It is not counted: no beacon is
# known yet.
hook meets(c: connection)
	{
	if ( |allow_list| > 0 && allow_names(c) )
		break;
	}

# For scripts that have a type of their own for some.
global other_alerts: hook(n: News, to: Notice::Info);

# The manager: a row that a worker scored.
function alert_notice(i: News)
	{
	local id = conn_id($orig_h=i$orig_h, $orig_p=count_to_port(i$orig_p, i$proto),
	    $resp_h=i$resp_h, $resp_p=count_to_port(i$resp_p, i$proto));
	local n = Notice::Info($note=Anomalous_Connection, $id=id);
	if ( i$uid != "" )
		n$uid = i$uid;
	if ( deciding_node != "" )
		n$peer_descr = deciding_node;

	if ( i$log == "conn" )
		{
		n$sub = fmt("model %s", i$model);
		n$identifier = connection_identifier(id, i?$context ? i$context : "");
		n$suppress_for = 30mins;
		if ( i$is_case )
			{
			n$note = Anomalous_Case;
			n$msg = says_of_case(i$score, i$row_score, i$rank, i$text);
			}
		else
			n$msg = says_of_connection(i$score, i$rank, i$text);
		}
	else
		{
		n$note = Anomalous_Row;
		n$msg = says_of_row(i$log, i$score, i$rank, i$text);
		# The library has named nobody twice that it did not mean to.
		n$identifier = cat(i$log, " ", i$uid, " ", i$last);
		}

	hook other_alerts(i, n);
	NOTICE(n);
	}

# The host of an incident, with its context.
function incident_host(i: News): string
	{
	return i?$context ? fmt("%s (%s)", i$host, i$context) : cat(i$host);
	}

function beacon_notice(i: News)
	{
	local host = incident_host(i);
	NOTICE(Notice::Info($note=Beacon, $n=i$n, $src=i$orig_h, $dst=i$resp_h,
	    $msg=fmt("%s calls %s port %d every %s, %d times so far", host, i$resp_h, i$resp_p, double_to_interval(floor(interval_to_double(i$period) + 0.5)), i$n),
	    $identifier=cat("beacon ", host, " ", i$resp_h, " ", i$resp_p)));
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
	NOTICE(n);
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
		case ALERT:
			alert_notice(n);
			break;
		case INCIDENT:
			if ( n?$period )
				beacon_notice(n);
			else
				incident_notice(n);
			break;
		}
	}

function alerts_per_day_changed(id: string, value: double): double
	{
	settings$alerts_per_day = value;
	configure();
	return value;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::alerts_per_day", alerts_per_day_changed);
	settings$alerts_per_day = alerts_per_day;
	configure();
	}
