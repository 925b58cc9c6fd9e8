##! Adds to dns.log how unusual each query is: ``anomaly_score``.

@ifdef ( IForest::__score )

@load base/frameworks/notice
@load base/protocols/dns
@load ./logs

module IForest;

export {
	redef enum Notice::Type += {
		## A query is among the strangest of the day.
		Anomalous_DNS,
	};

	redef record DNS::Info += {
		## How unusual the query is for this network, between 0 and 1.
		## Unset if it was not scored.
		anomaly_score: double &log &optional;
	};

	redef IForest::logs += { "dns" };
	redef IForest::log_notices += { ["dns"] = Anomalous_DNS };
	redef IForest::log_streams += { ["dns"] = DNS::LOG };
}

@endif
