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
	option drop_for = 1hr;
}

function drop_outer_end(c: connection, score: double): string
	{
	local orig_local = Site::is_local_addr(c$id$orig_h) || Site::is_private_addr(c$id$orig_h);
	local resp_local = Site::is_local_addr(c$id$resp_h) || Site::is_private_addr(c$id$resp_h);
	if ( orig_local && resp_local )
		return "both ends are ours";

	local a = orig_local ? c$id$resp_h : c$id$orig_h;
	local rule = NetControl::drop_address(a, drop_for, fmt("anomaly_score %.4f, %s", score, c$uid));
	return rule == "" ? fmt("NetControl refused to drop %s", a) : fmt("dropped %s", a);
	}

event zeek_init()
	{
	actions["drop address"] = drop_outer_end;
	}

@endif
