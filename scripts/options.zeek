##! All options of the package. A value is set in local.zeek with ``redef`` or on
##! the command line; one declared as ``option`` also at run time, through the
##! configuration framework.

@load base/misc/installation

module IForest;

export {
	## Whether rows are scored: those of :zeek:see:`IForest::logs`.
	option enabled = T;

	## The model that connections are scored with: the absolute path of a file
	## that ``zeek-iforest train`` wrote. Without one the sensor learns its
	## model by itself (:zeek:see:`IForest::learn`). A file that cannot be used
	## is refused with a warning, and the model before it stays.
	option model_file = "";

	## Raise this number after a file was replaced under the same name (with
	## ``mv``, never by writing into it): the model is then read again.
	option model_generation: count = 0;

	# Learning.

	## Whether the sensor learns its model by itself where
	## :zeek:see:`IForest::model_file` names none. In a cluster the manager does,
	## from samples of what the workers score.
	option learn = T;

	## Whether connections have scores before there is a first model: those of the
	## seed model, which comes with the package and was learnt from public
	## captures. Its rows have ``seed-`` in ``anomaly_model``, and it raises no
	## notice. The sensor's own model takes over at once.
	option seed_model = T;

	## The number of connections before the first model; 0 is the default of
	## the library, 1,000.
	const warmup: count = 0 &redef;

	## The number of connections from one model to the next, once the numbers
	## have doubled up to it; 0 is the default of the library, 100,000. In a
	## cluster so many samples of each worker.
	const rebuild_every: count = 0 &redef;

	## The seed of all that is drawn at random. 0 draws one, so that nobody can
	## foresee what the sensor remembers; what was learnt before keeps its own.
	const seed: count = 0 &redef;

	## Where what is learnt is kept over restarts and upgrades: an absolute path,
	## below which each node has its own directory. It holds addresses, so only
	## Zeek's user may read it; the file ``model`` in it holds none. Empty keeps
	## nothing.
	const state_dir = Installation::state_dir + "/zeek-iforest" &redef;

	## What was learnt is saved at the end, and each time after so many
	## connections. A worker of a cluster saves what it remembers of hosts so, and
	## keeps a journal in between: it loses nothing but a second if it is killed. 0
	## is at the end alone.
	const save_every: count = 50000 &redef;

	## Whether a Zeek that reads traces uses :zeek:see:`IForest::state_dir`. It
	## learns from them in any case.
	const state_with_traces = F &redef;

	# Notices.

	## How many notices of :zeek:see:`IForest::Anomalous_Connection`,
	## :zeek:see:`IForest::Anomalous_Case`, :zeek:see:`IForest::Anomalous_Host`,
	## :zeek:see:`IForest::Beacon` and those of other logs that are scored
	## (:zeek:see:`IForest::log_notices`) a day at most, of all together; 0 for
	## none. The threshold of each log follows the site's hosts of the last day,
	## each log has its share, and no hour gets more than a sixth, but one for
	## each log. In a cluster they are those of all workers together: the manager
	## raises them.
	option alerts_per_day = 20.0;

	## The file with the allow-list. Where it is empty, it is the package's own,
	## ``allow.tsv`` beside this script, which zkg keeps over upgrades.
	option allow_file = "";

	## The ages at which connections that go on are scored, in ascending order;
	## beyond the last, at each as much later as that is. Empty for none. A
	## connection is looked at when Zeek next raises
	## :zeek:see:`connection_status_update` for it: for ages that are no
	## multiples of ten minutes, redef connection_status_update_interval.
	option long_connection_durations: vector of interval = vector(10min, 30min, 1hr);

	# Logs.

	## The logs whose rows are scored, by their names in the files' ``#path``:
	## ``conn``, and ``dns``, ``http`` and ``ssl``, which their scripts add
	## (``score-dns`` and so on). The package loads these; in bare mode only those
	## whose base scripts are there. What is taken out has no sensor, learns
	## nothing and raises nothing; at run time what was learnt stays until Zeek
	## ends.
	option logs: set[string] = { "conn" };

	## Models to score logs with, by the log: absolute paths of files that
	## ``zeek-iforest train`` wrote. The others learn by themselves, where
	## :zeek:see:`IForest::learn` says so.
	const log_models: table[string] of string = {} &redef;

	# Clusters.

	## In a cluster the manager learns from samples of each worker's connections:
	## from the first 64 of each kind, and of the rest from one in so many; 1 is
	## all of them. Which ones depends on their start and endpoints alone.
	const sample_one_in: count = 1 &redef;

	## A worker sends what it has sampled at least this often, sooner where it
	## has a batch of 128 connections.
	const sample_interval = 5secs &redef;

	## A file in which the manager of a cluster keeps the samples that it learns
	## from, and its models: ``zeek-iforest train --as-sensor --samples`` makes its
	## model again of it, ``score --samples`` the scores of the workers. It grows
	## without limit, by some 120 bytes for each, and holds hashes of addresses.
	## Empty keeps none.
	const record_samples = "" &redef;

	## How often a worker sends the manager what may be an alert.
	const alerts_interval = 1sec &redef;

	## So many messages at most each time, of 32 KB at most. Sixteen wait, also while
	## the manager is away; then the oldest is lost, and the telemetry counts its rows
	## (``iforest_alerts``, result ``lost``).
	const alert_messages: count = 1 &redef;

	## Whether the workers of a cluster share what they count of hosts. Without it
	## a scan that is spread over sixteen workers is sixteen small scans.
	option share_windows = T;

	## How often a worker sends what it counted.
	const windows_interval = 5secs &redef;

	## How often an owner tells the totals that have grown.
	const totals_interval = 1sec &redef;

	## A worker sends at most so many bytes a second, and is told at most as many.
	## What has grown most goes first; the rest waits.
	const windows_rate = 50000 &redef;
}
