##! Takes the model into use, at the start and when the options change. Only
##! processes that see packets hold one: a Zeek without a cluster, and workers.

@load base/frameworks/cluster
@load base/frameworks/supervisor
@load ./options

module IForest;

export {
	## Returns: What the model in use was trained on.
	global model: function(): Model;

	## Raised when a model has been taken into use.
	##
	## m: What it was trained on.
	global model_loaded: event(m: Model);
}

# Called where connections are to be scored and there is no model file.
global without_model_file: hook();

# What became of rows that has been warned about, or needs no warning.
global warned: set[Status] = { NO_MODEL };

# Whether connections are handed to the library.
global active = F;

# The model in use, for the log.
global fingerprint = "";

function model(): Model
	{
	return __model(conn_sensor);
	}

function sees_packets(): bool
	{
	if ( Supervisor::is_supervisor() )
		return F;

	return ! Cluster::is_enabled() || Cluster::local_node_type() == Cluster::WORKER;
	}

function use_model(path: string): bool
	{
	local why = __load_model(conn_sensor, path);
	if ( why != "" )
		{
		Reporter::warning(fmt("IForest: %s: %s",
		    fingerprint == "" ? "connections are not scored" : fmt("model %s stays", fingerprint), why));
		add warned[NO_LIBRARY];
		return F;
		}

	local m = model();
	fingerprint = m$fingerprint;
	event model_loaded(m);
	return T;
	}

# Scores connections from now on, or no more.
function score_connections(on: bool)
	{
	if ( ! on )
		active = F;
	else if ( ! active && model_file == "" )
		hook without_model_file();
	else if ( ! active && sees_packets() )
		{
		active = T;
		use_model(model_file);
		}
	}

function enabled_changed(id: string, value: bool): bool
	{
	score_connections(value && "conn" in logs);
	return value;
	}

function model_file_changed(id: string, path: string): string
	{
	if ( ! enabled || "conn" !in logs || ! sees_packets() )
		return path;

	if ( path != "" && ! use_model(path) )
		return model_file;

	active = path != "";
	if ( path == "" )
		hook without_model_file();

	return path;
	}

function model_generation_changed(id: string, value: count): count
	{
	if ( active && model_file != "" && ! use_model(model_file) )
		return model_generation;

	return value;
	}

event zeek_init()
	{
	Option::set_change_handler("IForest::enabled", enabled_changed);
	Option::set_change_handler("IForest::model_file", model_file_changed);
	Option::set_change_handler("IForest::model_generation", model_generation_changed);
	enabled_changed("IForest::enabled", enabled);
	}
