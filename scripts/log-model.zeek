##! Adds to conn.log which model a score comes from: ``anomaly_model``.

@ifdef ( IForest::__score )

@load ./main

module IForest;

export {
	redef record Conn::Info += {
		## Names the model: twelve digits of its file's SHA-256, as
		## ``zeek-iforest info`` prints them. ``seed-`` stands before those of the
		## seed model, which scores until the sensor has one of its own.
		anomaly_model: string &log &optional;
	};
}

@endif
