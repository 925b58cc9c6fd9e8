##! Tells of the strangest connections through Zeek's notices, and keeps to a
##! number of them a day.

@load base/frameworks/notice
@load ./allow
@load ./main
@load ./learn

module IForest;

export {
	redef enum Notice::Type += {
		## A connection is among the strangest of the day. Further ones of its
		## originator that came in a storm are one notice, with their number.
		Anomalous_Connection,
		## A model that the sensor has learnt came into use.
		Model_Promoted,
		## A new model was not good enough to take the place of the one in use.
		Model_Refused,
		## The traffic, or the way in which Zeek writes it down, is no longer
		## what the model knows.
		Drift,
	};

	## About how many notices of :zeek:see:`IForest::Anomalous_Connection` a
	## day; 0 for none. The threshold follows the traffic of the last day, and
	## no hour gets more than a sixth. In a cluster each worker has an equal
	## share of them.
	option alerts_per_day = 20.0;
}

hook unusual(c: connection, score: double)
	{
	if ( allowed(c) || __raise() != 2 )
		return;

	local id = c$id;
	NOTICE(Notice::Info($note=Anomalous_Connection, $conn=c,
	    $msg=fmt("Anomaly score %.4f, 1 in %.0f of this sensor's own connections: %s", score, __rank(), __reason()),
	    $sub=fmt("model %s", fingerprint),
	    # The library has named nobody twice within an hour; it goes by the
	    # connections' starts, so that a full hour here would swallow some.
	    $identifier=cat(id$orig_h, " ", id$resp_h, " ", id$resp_p), $suppress_for=30mins));
	}

function storm_notice(h: Happening)
	{
	local n = Notice::Info($note=Anomalous_Connection, $n=h$n,
	    $msg=fmt("%d further connections%s within %s were unusual, the strangest with anomaly score %.4f to %s port %d%s",
	        h$n, h?$orig_h ? fmt(" of %s", h$orig_h) : " of several originators", h$last - h$first,
	        h$score, h$resp_h, h$resp_p, h$others ? ", others to other endpoints" : ""),
	    $sub="storm",
	    $identifier=cat("storm ", h$first, h?$orig_h ? cat(" ", h$orig_h) : ""));
	n$dst = h$resp_h;
	if ( h?$orig_h )
		n$src = h$orig_h;
	NOTICE(n);
	}

hook happened(h: Happening)
	{
	switch ( h$kind )
		{
		case 1:
			NOTICE(Notice::Info($note=Model_Promoted, $msg=fmt("The sensor uses %s", h$text)));
			break;
		case 2:
			NOTICE(Notice::Info($note=Model_Refused, $msg=fmt("Model %s stays in use; a new one was refused: %s", fingerprint, h$text)));
			break;
		case 3:
			NOTICE(Notice::Info($note=Drift, $msg=fmt("Model %s does not know this traffic: %s", fingerprint, h$text),
		    # Of all workers, one says it.
		    $identifier=fingerprint));
			break;
		case 4:
			storm_notice(h);
			break;
		}
	}

# Each worker keeps to its share by itself, so that nobody has to be asked.
function set_alerts(per_day: double)
	{
	local workers = Cluster::is_enabled() ? Cluster::get_node_count(Cluster::WORKER) : 1;
	__set_alerts(workers > 1 ? per_day / workers : per_day);
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
