##! Learns the model on the sensor itself, from the connections that it scores,
##! and keeps what it has learnt. docs/learning.md says how the defaults decide
##! what becomes normal.

@load base/frameworks/cluster
@load base/misc/installation
@load ./main
@load ./model

module IForest;

export {
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

	## It is saved at the end, and each time after so many connections.
	const save_every: count = 50000 &redef;

	## Whether a Zeek that reads traces uses :zeek:see:`IForest::state_dir`. It
	## learns from them in any case.
	const state_with_traces = F &redef;

	## In a cluster the manager learns from samples of each worker's connections:
	## from the first 64 of each kind, and of the rest from one in so many; 1 is
	## all of them. Which ones depends on their start and endpoints alone.
	const sample_one_in: count = 1 &redef;

	## A file in which the manager of a cluster keeps the samples that it learns
	## from: ``zeek-iforest train --as-sensor --samples`` makes its model again
	## of it. It grows without limit, by some 40 bytes for each, and holds
	## addresses. Empty keeps none.
	const record_samples = "" &redef;

	## Goes back to the model before the one in use, which is forgotten, until
	## the next one is due. In a cluster to be called on the manager.
	##
	## Returns: Whether there was one.
	global rollback: function(): bool;

	## Raised when a model that was learnt came into use.
	##
	## m: What it was learnt from.
	global model_promoted: event(m: Model);

	## Raised when a new model did not take the place of the one in use.
	##
	## why: What was wrong with it.
	global model_refused: event(why: string);
}

function state_directory(): string
	{
	if ( state_dir == "" || (reading_traces() && ! state_with_traces) )
		return "";

	return state_dir + "/" + (Cluster::node == "" ? "zeek" : Cluster::node);
	}

# Whether this process makes models: a Zeek without a cluster, and the manager.
function makes_models(): bool
	{
	if ( Supervisor::is_supervisor() )
		return F;

	return ! Cluster::is_enabled() || Cluster::local_node_type() == Cluster::MANAGER;
	}

# Learning begins with the next connection, or the next sample.
function begin_learning()
	{
	if ( makes_models() )
		__learn(seed, warmup, rebuild_every, save_every, state_directory(), zeek_version(),
		    Cluster::is_enabled() ? Cluster::get_node_count(Cluster::WORKER) : 0, record_samples);
	else if ( sees_packets() )
		__sample(sample_one_in);
	else
		return;

	fingerprint = "";
	active = sees_packets();
	}

hook without_model_file()
	{
	if ( learn )
		begin_learning();
	}

hook news(n: News)
	{
	switch ( n$kind )
		{
		case MODEL_PROMOTED:
			local m = model();
			fingerprint = m$fingerprint;
			event model_promoted(m);
			break;
		case MODEL_REFUSED:
			event model_refused(n$text);
			break;
		}
	}

function rollback(): bool
	{
	local why = __rollback();
	if ( why != "" )
		{
		Reporter::warning(fmt("IForest: the model stays: %s", why));
		return F;
		}

	fingerprint = model()$fingerprint;
	return T;
	}

function learn_changed(id: string, value: bool): bool
	{
	if ( model_file != "" || ! enabled || value == learn )
		return value;

	if ( value )
		{
		begin_learning();
		return value;
		}

	# The model in use stays.
	local why = __finish();
	if ( why != "" )
		Reporter::warning(fmt("IForest: %s", why));

	return value;
	}

function seed_model_changed(id: string, value: bool): bool
	{
	__use_seed(value);
	return value;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::learn", learn_changed);
	Option::set_change_handler("IForest::seed_model", seed_model_changed);
	__use_seed(seed_model);
	}
