##! Adds to ssl.log how unusual each handshake is: ``anomaly_score``.

@ifdef ( IForest::__score )

@load base/frameworks/notice
@load base/protocols/ssl
@load ./logs

module IForest;

export {
	redef enum Notice::Type += {
		## A handshake is among the strangest of the day.
		Anomalous_SSL,
	};

	redef record SSL::Info += {
		## How unusual the handshake is for this network, between 0 and 1.
		## Unset if it was not scored.
		anomaly_score: double &log &optional;
	};

	redef IForest::logs += { "ssl" };
	redef IForest::log_notices += { ["ssl"] = Anomalous_SSL };
	redef IForest::log_streams += { ["ssl"] = SSL::LOG };
}

@endif
