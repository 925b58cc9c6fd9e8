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

	## How many connections an hour something is done about at most.
	option act_per_hour: count = 5;

	## Nothing is done about a connection with an end in one of these.
	option act_never: set[subnet] = {};

	## What is done, by name; an example puts its own there in zeek_init. The
	## function returns what it did, for the log.
	global actions: table[string] of function(c: connection, score: double): string;

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
		## The name of the action.
		action: string &log;
		## What was done: what the action said, ``dry run`` or ``limit``.
		result: string &log;
	};

	## For a site that wants to keep lines out of the log.
	global log_policy_actions: Log::PolicyHook;
}

# The network times of the hour's actions.
global acted: vector of time;

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

# Last of all, so that a site's own hook has had its say.
hook policy(c: connection, score: double) &priority=-100
	{
	if ( score < act_above || |actions| == 0 )
		return;

	for ( net in act_never )
		if ( c$id$orig_h in net || c$id$resp_h in net )
			return;

	if ( allowed(c) )
		return;

	local within = within_limit(network_time());
	for ( name, do in actions )
		{
		local result = "limit";
		if ( within )
			result = act_dry_run ? "dry run" : do(c, score);

		Log::write(ACTIONS, Action($ts=c$start_time, $uid=c$uid, $id=c$id,
		    $anomaly_score=score, $action=name, $result=result));
		}
	}

event zeek_init() &priority=5
	{
	Log::create_stream(ACTIONS, Log::Stream($columns=Action, $path="iforest_action", $policy=log_policy_actions));
	}

@endif
