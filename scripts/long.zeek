##! Scores connections that go on for long, before their end: in iforest_long.log,
##! and by notices within :zeek:see:`IForest::alerts_per_day`. Nothing is learnt
##! from what is not over, and nothing is counted: the connection has its score in
##! conn.log as ever. Where zeek-long-connections is loaded, rows of its
##! conn_long.log have a score too.

@load base/protocols/conn
@load base/frameworks/logging
@load base/frameworks/notice
@load ./allow
@load ./main
@load ./notice

module GLOBAL;

# Zeek has a timer for each connection then, in C++, and raises an event for those
# that live so long (src/session/Session.cc): short ones cost no script. Its name
# is of Zeek, which declares it nowhere.
@ifndef ( connection_status_update_interval )
	## How often Zeek raises :zeek:see:`connection_status_update` for a connection.
	const connection_status_update_interval = 10min &redef;
@endif

module IForest;

export {
	redef enum Log::ID += {
		## Rows of connections that go on.
		LONG_LOG,
	};

	redef enum Notice::Type += {
		## A connection that goes on is among the strangest of the day.
		Long_Connection,
	};

	## A row of iforest_long.log: the columns of conn.log, as they would be if the
	## connection ended now, and these.
	type LongInfo: record {
		## Its duration is the connection's age.
		conn: Conn::Info &log;
		## The age, of :zeek:see:`IForest::long_connection_durations`, that it
		## has passed.
		look: interval &log;
		## The connection that this sensor logged last before: what had been
		## counted by then.
		after: string &log &optional;
	};

	## Decides what is logged.
	global long_log_policy: Log::PolicyHook;

	## For scripts that tell somebody of a connection that goes on and is among
	## the strangest of the day, as :zeek:see:`IForest::unusual` does of those
	## that have ended.
	##
	## c: The connection, ``c$conn`` as it would be if it ended now, scored.
	##
	## score: Its score.
	##
	## look: The age that it has passed.
	global long_unusual: hook(c: connection, score: double, look: interval);
}

redef record connection += {
	# The age at the latest look.
	iforest_look: interval &optional;
};

# Of the stream of zeek-long-connections.
global conn_long_policy: Log::PolicyHook;

# The column names of conn.log, by those of LongInfo.
global long_columns: table[string] of string;

export {
	## Returns: What conn.log would say if the connection ended now, but for its
	##          duration, which is its age also where nothing has come for long.
	global row_of_open: function(c: connection): Conn::Info;
}

# In Conn's name space, because it does not export set_conn.

module Conn;

function IForest::row_of_open(c: connection): Conn::Info
	{
	local kept = c$conn;
	# What set_conn changes are fields of the row itself.
	c$conn = IForest::__copy_fields(kept);
	set_conn(c, T);
	local row = c$conn;
	c$conn = kept;
	row$duration = network_time() - c$start_time;
	return row;
	}

module IForest;

# Scores c, whose conn is as it would be if it ended now.
function score_open(c: connection, look: interval)
	{
	local found = __peek(c$conn);
	if ( ! found?$score )
		{
		not_scored(found);
		return;
		}

	c$iforest_look = look;
	if ( hook policy(c, found$score) )
		{
		hook add_columns(c);
		local row = LongInfo($conn=c$conn, $look=look);
		if ( found?$after )
			row$after = found$after;
		Log::write(LONG_LOG, row);
		if ( found$unusual )
			{
			unusual_found = found;
			hook long_unusual(c, found$score, look);
			}
		}

	if ( found$news )
		take_up_news(found);
	}

event connection_status_update(c: connection)
	{
	if ( ! active || ! c?$conn )
		return;

	local look = __passed_age(network_time() - c$start_time, long_connection_durations);
	if ( look == 0sec || ( c?$iforest_look && look <= c$iforest_look ) )
		return;

	# It may have ended at this very packet. If not, this brings c up to date.
	if ( ! connection_exists(c$id) || lookup_connection(c$id)$uid != c$uid )
		return;

	local kept = c$conn;
	c$conn = row_of_open(c);
	score_open(c, look);
	c$conn = kept;
	}

hook long_unusual(c: connection, score: double, look: interval)
	{
	local found = unusual_found;
	if ( allowed(c) || __raise(conn_sensor, found) != RAISE )
		return;

	NOTICE(Notice::Info($note=Long_Connection, $conn=c, $msg=says_of_open(score, found$rank, c$conn$duration, found$reason),
	    $sub=fmt("model %s", fingerprint),
	    $identifier=c$uid, $suppress_for=30mins));
	}

# The same of a worker's.
hook other_alerts(n: News, to: Notice::Info)
	{
	if ( ! n?$age )
		return;

	to$note = Long_Connection;
	to$msg = says_of_open(n$row_score, n$rank, n$age, n$text);
	to$identifier = n$uid;
	}

# The names of conn.log's columns, those of records within it too.
function name_columns(names: record_field_table, within: string)
	{
	for ( name, f in names )
		{
		if ( ! f$log )
			next;

		long_columns["conn." + within + name] = within + name;
		local parts = split_string1(f$type_name, / /);
		if ( |parts| == 2 && parts[0] == "record" )
			name_columns(record_fields(parts[1]), within + name + ".");
		}
	}

event zeek_init() &priority=5
	{
	Log::create_stream(LONG_LOG, Log::Stream($columns=LongInfo, $path="iforest_long", $policy=long_log_policy));
	name_columns(record_fields(Conn::Info), "");
	local f = Log::get_filter(LONG_LOG, "default");
	f$field_name_map = long_columns;
	Log::add_filter(LONG_LOG, f);
	}

# Decides about rows of zeek-long-connections' log as its own policy does, and
# scores them. A row is scored as it stands: its duration is that of the packets.
hook conn_long_policy(rec: any, id: Log::ID, filter: Log::Filter)
	{
	if ( Log::active_streams[id]?$policy )
		{
		local own = Log::active_streams[id]$policy;
		if ( ! hook own(rec, id, filter) )
			break;
		}

	if ( ! active )
		return;

	local found = __peek(rec);
	if ( ! found?$score )
		not_scored(found);
	}

# Behind zeek-long-connections, which may be loaded before or after this.
event zeek_init() &priority=-5
	{
	for ( id, stream in Log::active_streams )
		{
		if ( ! stream?$path || stream$path != "conn_long" )
			next;

		local f = Log::get_filter(id, "default");
		if ( f$name == "default" && ! f?$policy )
			{
			f$policy = conn_long_policy;
			Log::add_filter(id, f);
			}
		}
	}
