##! Adds to http.log how unusual each request is: ``anomaly_score``.

@ifdef ( IForest::__score )

@load base/frameworks/notice
@load base/protocols/http
@load ./logs

module IForest;

export {
	redef enum Notice::Type += {
		## A request is among the strangest of the day.
		Anomalous_HTTP,
	};

	redef record HTTP::Info += {
		## How unusual the request is for this network, between 0 and 1.
		## Unset if it was not scored.
		anomaly_score: double &log &optional;
	};

	redef IForest::logs += { "http" };
	redef IForest::log_notices += { ["http"] = Anomalous_HTTP };
	redef IForest::log_streams += { ["http"] = HTTP::LOG };
}

@endif
