##! Keeps the packets around an unusual connection longer than the capture would:
##! starts a command of yours with a filter of the hosts and the time; see act.zeek
##! for when. For Stenographer:
##!
##!     redef IForest::keep_command = "/usr/local/bin/keep";
##!
##! with a script /usr/local/bin/keep such as
##!
##!     #!/bin/sh
##!     utc() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
##!     stenoread "$2 and after $(utc $3) and before $(utc $4)" -w "/data/kept/$1.pcap"

@ifdef ( IForest::__score )

@load ./act

module IForest;

export {
	## The absolute path of a program. It is started without waiting for it, with
	## four arguments: uid, filter in tcpdump's words, begin and end (seconds
	## since 1970). Without one nothing is started.
	option keep_command = "";

	## How much is kept before the connection's begin and after its end.
	option keep_around = 5min;
}

function can_keep(c: connection): bool
	{
	return keep_command != "";
	}

function keep_packets(c: connection, score: double): string
	{
	local filter = fmt("host %s and host %s", c$id$orig_h, c$id$resp_h);
	local command = safe_shell_quote(keep_command);
	for ( i, arg in vector(c$uid, filter,
	    fmt("%.0f", time_to_double(c$start_time - keep_around)),
	    fmt("%.0f", time_to_double(c$start_time + c$duration + keep_around))) )
		command += " " + safe_shell_quote(arg);

	return system(command) == 0 ? "started" : "the command could not be started";
	}

event zeek_init()
	{
	actions["keep packets"] = Acting($applies=can_keep, $act=keep_packets);
	}

@endif
