##! Scores rows of logs beside conn.log, as Zeek writes them. Each of these has a
##! script that adds its column and names it in :zeek:see:`IForest::logs`, such as
##! ``score-ssl``. A sensor of its own learns each log, by itself also in a
##! cluster, and keeps what it has learnt in a directory of its own.

@load base/frameworks/logging
@load base/frameworks/telemetry
@load ./learn
@load ./main
@load ./notice
@load ./telemetry

module IForest;

export {
	## The stream of each log that can be scored; its record has a field
	## ``anomaly_score``, and ``anomaly_rank``, ``anomaly_reason`` and
	## ``anomaly_model`` where somebody has added them.
	const log_streams: table[string] of Log::ID = {} &redef;

	## The notice for rows of each log that are among the strangest of the day;
	## the others have :zeek:enum:`IForest::Anomalous_Row`.
	const log_notices: table[string] of Notice::Type = {} &redef;

	## A row of a log that is unusual.
	type UnusualRow: record {
		## The log, as in its ``#path``.
		path: string;
		## When it was.
		ts: time;
		## The connection's uid.
		uid: string;
		## Between whom.
		id: conn_id;
		## Its score.
		score: double;
		## What was found of it.
		found: Found;
		## The record of the row.
		rec: any;
	};

	## For scripts that tell somebody of a row that is among the strangest of the
	## day, as far as :zeek:see:`IForest::alerts_per_day` goes, which all logs
	## share.
	##
	## row: The row.
	global unusual_row: hook(row: UnusualRow);

	## For scripts that make something of what the sensor of a log has to tell.
	##
	## path: The log.
	##
	## n: The news.
	global log_news: hook(path: string, n: News);

	## Returns: The counts of a log's sensor; those of rows, where the fields
	##          say connections.
	global log_statistics: function(path: string): Statistics;
}

# The sensor of each log that was ever scored, and those that are now.
global log_sensors: table[string] of count;
global log_active: table[Log::ID] of count;
global log_paths: table[count] of string;

# What was warned of, as for connections.
global log_warned: set[count, Status];

global rows_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="rows", $unit="",
    $label_names=vector("log", "result"),
    $help_text="Rows of logs beside conn.log handed to the sensor library, by what became of them"));

function log_statistics(path: string): Statistics
	{
	if ( path !in log_sensors )
		return Statistics();

	return __statistics(log_sensors[path]);
	}

hook log_news(path: string, n: News)
	{
	switch ( n$kind )
		{
		case WARNING:
			Reporter::warning(fmt("IForest: %s.log: %s", path, n$text));
			break;
		case MODEL_PROMOTED:
			NOTICE(Notice::Info($note=Model_Promoted, $msg=fmt("The sensor of %s.log uses %s", path, subst_string(n$text, "connections", "rows"))));
			break;
		case MODEL_REFUSED:
			NOTICE(Notice::Info($note=Model_Refused, $msg=fmt("The model of %s.log stays in use; a new one was refused: %s", path, n$text)));
			break;
		case TRAFFIC_DRIFTS:
			NOTICE(Notice::Info($note=Drift, $msg=fmt("The model of %s.log does not know this traffic: %s", path, n$text),
			    $identifier=cat("iforest ", path)));
			break;
		}
	}

function take_log_news(sensor: count)
	{
	local n = __next_event(sensor);
	while ( n$kind != NOTHING )
		{
		# An incident is of all logs, whichever log's row made it known.
		if ( n$kind == INCIDENT )
			hook news(n);
		else
			hook log_news(log_paths[sensor], n);
		n = __next_event(sensor);
		}
	}

function row_not_scored(sensor: count, found: Found)
	{
	# The library is one for all logs.
	local no_library = found$status == NO_LIBRARY;
	local who = no_library ? conn_sensor : sensor;

	# Without a model, which is what a sensor begins with.
	if ( found$status == NO_MODEL || [who, found$status] in log_warned || no_library && NO_LIBRARY in warned )
		return;

	add log_warned[who, found$status];
	Reporter::warning(fmt("IForest: a row of %s.log was not scored: %s (said once; the telemetry counts all)",
	    log_paths[sensor], found$why));
	}

# Begins to score a log: its sensor is loaded with the first row.
function score_log(path: string)
	{
	if ( path in log_sensors )
		{
		log_active[log_streams[path]] = log_sensors[path];
		return;
		}

	if ( path !in log_models && ! learn )
		return;

	local sensor = __add_log(path);
	log_sensors[path] = sensor;
	log_paths[sensor] = path;
	if ( path in log_models )
		{
		local why = __load_model(sensor, log_models[path]);
		if ( why != "" )
			{
			Reporter::warning(fmt("IForest: rows of %s.log are not scored: %s", path, why));
			return;
			}
		}
	else
		{
		local directory = state_directory();
		__configure(sensor, Settings($seed=seed, $warmup=warmup, $rebuild_every=rebuild_every, $save_every=save_every,
		    $directory=directory == "" ? "" : directory + "/" + path, $zeek_version=zeek_version()));
		__learn(sensor);
		}

	log_active[log_streams[path]] = sensor;
	}

function score_logs(paths: set[string])
	{
	log_active = table();
	if ( ! sees_packets() )
		return;

	for ( path in paths )
		if ( path in log_streams )
			score_log(path);
		else if ( path != "conn" )
			Reporter::warning(fmt("IForest: IForest::logs: %s.log is not scored: no script has its stream; in bare mode @load zeek-iforest/score-%s", path, path));
	}

function logs_changed(id: string, paths: set[string]): set[string]
	{
	score_connections(enabled && "conn" in paths);
	score_logs(paths);
	return paths;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::logs", logs_changed);
	score_logs(logs);
	}

hook unusual_row(row: UnusualRow)
	{
	local sensor = log_sensors[row$path];
	if ( allowed_row(row$id, row$ts, row$path) || __raise(sensor, row$found) != RAISE )
		return;

	NOTICE(Notice::Info($note=row$path in log_notices ? log_notices[row$path] : Anomalous_Row, $id=row$id, $uid=row$uid,
	    $msg=says_of_row(row$path, row$score, row$found$rank, row$found$reason),
	    # The library has named nobody twice that it did not mean to.
	    $identifier=cat(row$path, " ", row$uid, " ", row$ts)));
	}

# The same of a worker's.
hook other_alerts(n: News, to: Notice::Info)
	{
	if ( n$log in log_notices )
		to$note = log_notices[n$log];
	}

# What is needed of a record of any type, for the few rows that are unusual.
function unusual_row_of(sensor: count, rec: any, found: Found)
	{
	local fields = record_fields(rec);
	for ( name in set("ts", "uid", "id") )
		if ( name !in fields || ! fields[name]?$value )
			return;

	hook unusual_row(UnusualRow($path=log_paths[sensor], $ts=fields["ts"]$value as time, $uid=fields["uid"]$value as string,
	    $id=fields["id"]$value as conn_id, $score=found$score, $found=found, $rec=rec));
	}

function take_up_row(sensor: count, rec: any, found: Found)
	{
	if ( ! found?$score )
		row_not_scored(sensor, found);
	else if ( found$unusual )
		unusual_row_of(sensor, rec, found);

	if ( found$news )
		take_log_news(sensor);
	}

# After all that fill in the record or keep it out of the log. Most rows are
# conn.log's, which are scored before: they need no look at a table.
hook Log::log_stream_policy(rec: any, id: Log::ID) &priority=-10
	{
	if ( id == Conn::LOG || id !in log_active || ! enabled )
		return;

	local sensor = log_active[id];
	local found = __score_row(sensor, rec);
	if ( found$notable )
		take_up_row(sensor, rec, found);
	}

event zeek_done() &priority=-5
	{
	for ( path, sensor in log_sensors )
		{
		local why = __finish(sensor);
		if ( why != "" )
			Reporter::warning(fmt("IForest: %s.log: %s", path, why));

		take_log_news(sensor);
		}
	}

hook Telemetry::sync()
	{
	for ( path in log_sensors )
		{
		local s = log_statistics(path);
		Telemetry::counter_family_set(rows_cf, vector(path, "scored"), s$scored);
		Telemetry::counter_family_set(rows_cf, vector(path, "no_library"), s$no_library);
		Telemetry::counter_family_set(rows_cf, vector(path, "no_model"), s$no_model);
		Telemetry::counter_family_set(rows_cf, vector(path, "bad_record"), s$bad_record);
		Telemetry::counter_family_set(rows_cf, vector(path, "fault"), s$fault);
		}
	}
