##! Drops the traffic of the outer end of an unusual connection through NetControl,
##! whose plugins talk to the firewall or switch; see act.zeek for when. The
##! connection itself is over when its score is known, so an address is dropped.

@ifdef ( IForest::__score )

@load base/frameworks/netcontrol
@load base/utils/site
@load ./act

module IForest;

export {
	## How long an address is dropped.
	const drop_for = 1hr &redef;
}

# The addresses that are being dropped.
global dropped: set[addr] &create_expire=drop_for;

function ours(a: addr): bool
	{
	return Site::is_local_addr(a) || Site::is_private_addr(a) || a in [fe80::]/10;
	}

function outer_end(c: connection): addr
	{
	return ours(c$id$orig_h) ? c$id$resp_h : c$id$orig_h;
	}

# Not where both ends are ours: cutting off our own is for people to decide.
function can_drop(c: connection): bool
	{
	local a = outer_end(c);
	return ! ours(a) && a !in dropped;
	}

function drop_outer_end(c: connection, score: double): string
	{
	local a = outer_end(c);
	if ( NetControl::drop_address(a, drop_for, fmt("anomaly_score %.4f, %s", score, c$uid)) == "" )
		return fmt("NetControl refused to drop %s", a);

	add dropped[a];
	return fmt("dropped %s", a);
	}

event zeek_init()
	{
	actions["drop address"] = Acting($applies=can_drop, $act=drop_outer_end);
	}

@endif
