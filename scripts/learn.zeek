##! Learns the model on the sensor itself, from the connections that it scores,
##! and keeps what it has learnt. docs/learning.md says how the defaults decide
##! what becomes normal.

@load base/frameworks/cluster
@load ./allow
@load ./main
@load ./model

module IForest;

export {
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

# Before learning begins (model.zeek, 0).
event zeek_init() &priority=1
	{
	settings$seed = seed;
	settings$warmup = warmup;
	settings$rebuild_every = rebuild_every;
	settings$save_every = save_every;
	settings$directory = state_directory();
	settings$zeek_version = zeek_version();
	settings$workers = Cluster::is_enabled() ? Cluster::get_node_count(Cluster::WORKER) : 0;
	settings$recording = record_samples;
	settings$sample_one_in = sample_one_in;
	configure();
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
		__learn(conn_sensor);
	else if ( sees_packets() )
		__sample();
	else
		return;

	fingerprint = "";
	active = sees_packets();
	}

# What is labelled bad, as model/learn/labels.go reads it: a header, and a line
# for each entry of the allow-list.
function bad_labels(entries: vector of AllowEntry): string
	{
	local lines = "#fields\toriginator\tlocal_orig\tproto\tservice\tconn_state\torig_ip_bytes\tresp_ip_bytes\n";
	for ( i, e in entries )
		if ( e$bad )
			lines += string_cat(
			    e?$originator ? cat(e$originator) : "-", "\t",
			    e?$local_orig ? cat(e$local_orig) : "-", "\t",
			    e?$proto ? cat(e$proto) : "-", "\t",
			    e?$service ? e$service : "-", "\t",
			    e?$conn_state ? e$conn_state : "-", "\t",
			    e?$orig_high ? fmt("%d-%d", e$orig_low, e$orig_high) : "-", "\t",
			    e?$resp_high ? fmt("%d-%d", e$resp_low, e$resp_high) : "-", "\n");

	return lines;
	}

event allow_list_read(entries: count)
	{
	if ( ! makes_models() )
		return;

	settings$labels = bad_labels(allow_list);
	configure();
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
	if ( model_file != "" || ! enabled || "conn" !in logs || value == learn )
		return value;

	if ( value )
		{
		begin_learning();
		return value;
		}

	# The model in use stays.
	local why = __finish(conn_sensor);
	if ( why != "" )
		Reporter::warning(fmt("IForest: %s", why));

	return value;
	}

function seed_model_changed(id: string, value: bool): bool
	{
	settings$seed_model = value;
	configure();
	return value;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::learn", learn_changed);
	Option::set_change_handler("IForest::seed_model", seed_model_changed);
	settings$seed_model = seed_model;
	configure();
	}
