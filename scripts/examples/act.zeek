##! What the examples in this folder share: when something is done about an
##! unusual connection. Nothing is done before :zeek:see:`IForest::act_above` is
##! lowered, and then it is only said in iforest_action.log what would be done,
##! until :zeek:see:`IForest::act_dry_run` is off. Connections on the allow-list
##! are left alone, and so is everything beyond a limit an hour.
##!
##! The limit counts in each process that scores: in a cluster, each worker.

@ifdef ( IForest::__score )

@load ../allow
@load ../main

module IForest;

export {
	## The stream of iforest_action.log.
	redef enum Log::ID += { ACTIONS };

	## Something is done about connections with at least this score. With 1.0,
	## which no connection reaches, about none.
	option act_above = 1.0;

	## Whether it is only said what would be done.
	option act_dry_run = T;

	## How many connections an hour something is done about at most, dry runs
	## included.
	option act_per_hour: count = 5;

	## Nothing is done about a connection with an end in one of these.
	option act_never: set[subnet] = {};

	## Something that can be done.
	type Acting: record {
		## Whether there is anything to do about a connection.
		applies: function(c: connection): bool;
		## Does it and returns what was done, for the log.
		act: function(c: connection, score: double): string;
	};

	## What is done, by name; an example puts its own there in zeek_init.
	global actions: table[string] of Acting;

	## A line of iforest_action.log.
	type Action: record {
		## When the connection began.
		ts: time &log;
		## Its unique identifier.
		uid: string &log;
		## Its ends.
		id: conn_id &log;
		## Its score.
		anomaly_score: double &log;
		## The name of the action, ``none`` where the limit was reached.
		action: string &log;
		## What was done, as the action says, or ``dry run``.
		result: string &log;
	};

	## For a site that wants to keep lines out of the log.
	global log_policy_actions: Log::PolicyHook;
}

# When something was done in the last hour, and when it was last said that there
# is a limit.
global acted: vector of time;
global limit_said: time = double_to_time(0.0);

function within_limit(now: time): bool
	{
	local recent: vector of time;
	for ( i, t in acted )
		if ( now - t < 1hr && t <= now )
			recent += t;

	acted = recent;
	if ( |acted| >= act_per_hour )
		return F;

	acted += now;
	return T;
	}

function note_action(c: connection, score: double, action: string, result: string)
	{
	Log::write(ACTIONS, Action($ts=c$start_time, $uid=c$uid, $id=c$id,
	    $anomaly_score=score, $action=action, $result=result));
	}

# Last of all, so that a site's own hook has had its say.
hook policy(c: connection, score: double) &priority=-100
	{
	if ( score < act_above )
		return;

	for ( net in act_never )
		if ( c$id$orig_h in net || c$id$resp_h in net )
			return;

	local wanted: vector of string;
	for ( name, a in actions )
		if ( a$applies(c) )
			wanted += name;

	if ( |wanted| == 0 || allowed(c) )
		return;

	local now = network_time();
	if ( ! within_limit(now) )
		{
		# Once an hour: a storm is no reason to fill the disk.
		if ( now - limit_said >= 1hr )
			{
			limit_said = now;
			note_action(c, score, "none", "limit: nothing more is done before the hour is over");
			}
		return;
		}

	sort(wanted, strcmp);
	for ( i, what in wanted )
		note_action(c, score, what, act_dry_run ? "dry run" : actions[what]$act(c, score));
	}

event zeek_init() &priority=5
	{
	Log::create_stream(ACTIONS, Log::Stream($columns=Action, $path="iforest_action", $policy=log_policy_actions));
	}

@endif
