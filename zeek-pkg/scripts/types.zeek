##! What the plugin's functions are given and return. They belong to the package's
##! scripts, which hand some of them to hooks and events.

module IForest;

export {
	## The number of conn.log's sensor, for the plugin's functions. Those of other
	## logs are :zeek:see:`IForest::__add_log`'s.
	const conn_sensor: count = 0;

	## What became of a row that was to be scored.
	type Status: enum {
		## It has a score.
		SCORED = 0,
		## The sensor library could not be used.
		NO_LIBRARY = 1,
		## There is no model yet, which is what a sensor begins with.
		NO_MODEL = 2,
		## Its record holds what no log can hold.
		BAD_RECORD = 3,
		## A fault in the library.
		FAULT = 5,
	};

	## What a log beside conn.log says of a connection.
	type CaseRow: record {
		## The log, as in its ``#path``.
		log: string;
		## The score of its strangest row with the connection's uid.
		score: double;
		## N of "1 in N".
		rank: double;
		## What made it unusual; empty if it is no rarer than one in ten.
		reason: string;
	};

	## Those of a connection, the strangest first.
	type CaseRows: vector of CaseRow;

	## What was found of a row.
	type Found: record {
		## What became of it.
		status: Status;
		## Its score; unset if it has none.
		score: double &optional;
		## N of "1 in N of the model's own rows".
		rank: double &optional;
		## Whether it is unusual enough for an alert: then
		## :zeek:see:`IForest::__raise` decides.
		unusual: bool;
		## Whether there is something to take up, with or without a score: events
		## for :zeek:see:`IForest::__next_event`, or ``model``.
		news: bool;
		## Whether it is not unusual, but may be one of a beacon that another
		## process finds: then :zeek:see:`IForest::__withhold` keeps it from making
		## one known.
		meets: bool;
		## Whether it has no score, is unusual, meets or there is news.
		notable: bool;
		## Why it has no score.
		why: string &optional;
		## What made it unusual, where :zeek:see:`IForest::__raise` has decided to
		## raise an alert.
		reason: string &optional;
		## The score of all rows with the connection's uid together, where
		## :zeek:see:`IForest::use_cases` asks for it.
		case_score: double &optional;
		## These rows, the strangest first; set as ``reason`` is.
		case_rows: CaseRows &optional;
		## The fingerprint of the model, with the first row that it scores.
		model: string &optional;
		## Of a connection that goes on: the uid of the one that was scored at its
		## end last before.
		after: string &optional;
	};

	## What a sensor is told about its work. Numbers are the library's defaults
	## where they are 0 and nothing else is said.
	type Settings: record {
		## Alerts a day, none for 0. Those of conn.log's sensor hold for all.
		alerts_per_day: double &default=0.0;
		## Whether the seed model scores connections where this process learns or
		## samples and has no model yet.
		seed_model: bool &default=F;
		## Whether the rows of a connection in other logs count in what is told of
		## it. That of conn.log's sensor holds for all.
		cases: bool &default=F;
		## Whether another process decides which rows are alerts; that of
		## conn.log's sensor holds for all, from then on.
		forwards: bool &default=F;
		## Draws one where it is 0; a state that was saved has its own.
		seed: count &default=0;
		## Rows before the first model.
		warmup: count &default=0;
		## Rows from a model to the next, of each worker.
		rebuild_every: count &default=0;
		## Rows from one saving to the next; 0 for at the end alone.
		save_every: count &default=0;
		## Where what is learnt is kept, an absolute path; empty for nowhere.
		directory: string &default="";
		## For the models to name.
		zeek_version: string &default="";
		## How many processes sample for :zeek:see:`IForest::__observe`; 0 for none.
		workers: count &default=0;
		## A file for what :zeek:see:`IForest::__observe` is given; empty for none.
		recording: string &default="";
		## What is labelled bad, a line for each label below a header, for the test
		## of new models; empty says nothing of it.
		labels: string &default="";
		## A process that samples takes the first rows of each kind, and one in so
		## many of the rest.
		sample_one_in: count &default=1;
	};

	## What becomes of a connection that is unusual enough for an alert.
	type Verdict: enum {
		## The hour, or the day, has had its alerts.
		SUPPRESSED,
		## It belongs to an incident that was told.
		FOLDED,
		## It is worth an alert.
		RAISE,
		## The manager of the cluster decides.
		FORWARDED,
	};

	## What a piece of news is about.
	type NewsKind: enum {
		## There is none.
		NOTHING,
		## A model that was learnt came into use.
		MODEL_PROMOTED,
		## A new model was not good enough, or could not be made.
		MODEL_REFUSED,
		## The traffic is no longer what the model knows.
		TRAFFIC_DRIFTS,
		## Unusual connections of one host, or to it, and rows of other logs; or
		## a beacon.
		INCIDENT,
		## Something does not work; scores go on.
		WARNING,
		## A batch of samples is full.
		SAMPLES_FULL,
		## A row that a worker scored is worth an alert.
		ALERT,
	};

	## What the library has to tell.
	type News: record {
		## What it is about.
		kind: NewsKind;
		## What there is to say.
		text: string;
		## An incident's host, one of the site; unset if there were several.
		host: addr &optional;
		## What its ``id$ctx`` says where Zeek tells connections apart by more
		## than addresses and ports: "vlan=10".
		context: string &optional;
		## Whether others originated the connections.
		inbound: bool &optional;
		## Whether the incident is over.
		over: bool &optional;
		## Its connections, beside those with an alert of their own.
		n: count &optional;
		## When the first of them began.
		first: time &optional;
		## When the last of them began.
		last: time &optional;
		## Their highest score.
		score: double &optional;
		## The originator of the connection with that score.
		orig_h: addr &optional;
		## Its responder.
		resp_h: addr &optional;
		## Its responder port.
		resp_p: count &optional;
		## Whether others had another originator.
		other_origs: bool &optional;
		## Whether others went to another responder or port.
		other_resps: bool &optional;
		## The log of the row with that score.
		log: string &optional;
		## Whether others are rows of another log.
		other_logs: bool &optional;
		## How often the host calls the responder, of a beacon; else unset.
		period: interval &optional;
		## The uid of an alert's connection, with all that follows; empty if the
		## worker did not send it, because a row of the host had it a second before.
		uid: string &optional;
		## The model that scored it.
		model: string &optional;
		## The originator's port.
		orig_p: count &optional;
		## The transport.
		proto: transport_proto &optional;
		## Its anomaly_score, where score is that of all rows with its uid.
		row_score: double &optional;
		## N of "1 in N".
		rank: double &optional;
		## How old it was, of a connection that goes on; else unset.
		age: interval &optional;
		## Whether the text, which is the reason, has that of other logs too.
		is_case: bool &optional;
	};

	## What a model was trained on; all unset where there is no model.
	type Model: record {
		## Names the model: twelve digits of its file's SHA-256, ``seed-`` before
		## those of the seed model.
		fingerprint: string &optional;
		## Whether it is the seed model (:zeek:see:`IForest::seed_model`), which
		## has none of the times below.
		by_seed: bool &default=F;
		## How many connections it was trained on.
		rows: count &optional;
		## When the earliest of them began.
		first: time &optional;
		## When the latest of them began.
		last: time &optional;
		## With this seed ``zeek-iforest train --as-sensor`` makes the model
		## again from the rows of conn.log.
		seed: count &optional;
	};

	## Samples of connections, on their way to the manager.
	type Samples: record {
		## The connections, in the library's own format.
		batch: string;
		## How many there are.
		rows: count;
	};

	## Counts since Zeek was started.
	type Statistics: record {
		## Whether the sensor library is loaded.
		library: bool &default=F;
		## Connections scored.
		scored: count &default=0;
		## Connections not scored because the library could not be used.
		no_library: count &default=0;
		## Connections not scored because there was no model yet.
		no_model: count &default=0;
		## Connections not scored because their record holds what no
		## conn.log can hold.
		bad_record: count &default=0;
		## Connections not scored because of a fault in the library.
		fault: count &default=0;
		## Connections scored by the seed model, before there was one of the
		## sensor's own.
		by_seed: count &default=0;
		## Connections scored while what their originator did in the last
		## five minutes was known in part only.
		cold: count &default=0;
		## Models taken into use.
		models: count &default=0;
		## Models refused.
		refused: count &default=0;
		## Looks at connections that went on.
		looks: count &default=0;
		## Alerts, and incidents that were told.
		raised: count &default=0;
		## Unusual connections that are part of an incident.
		folded: count &default=0;
		## Unusual connections for which the hour, or the day, had no room.
		suppressed: count &default=0;
		## Unusual connections of a worker that were lost while there was no
		## manager.
		unsent: count &default=0;
		## Connections of a worker that the manager of its cluster may learn
		## from.
		sampled: count &default=0;
		## Of them, those that were not sent because there was no manager.
		samples_lost: count &default=0;
		## Whether the sensor learns.
		learning: bool &default=F;
		## Whether the next model is being made.
		rebuilding: bool &default=F;
		## Connections learnt from, with those that the state held.
		learnt: count &default=0;
		## Kinds of connection that shape models.
		kinds: count &default=0;
		## Kinds of connection that are too new to.
		quarantined: count &default=0;
		## Models that were learnt and came into use, ever.
		promoted: count &default=0;
		## Models that were learnt and refused, ever.
		not_promoted: count &default=0;
		## Sum of all scores.
		sum: double &default=0.0;
		## How many scores fell into each of twenty bins of equal width.
		bins: vector of count &default=vector();
	};
}
