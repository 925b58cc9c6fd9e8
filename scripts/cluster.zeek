##! Learning in a cluster. The workers score, and send samples of what they score
##! to the manager; the manager learns from them, and all workers score with its
##! model. Any message may be lost: a batch of samples is then not learnt from,
##! and a worker whose samples name another model than the manager's is sent that
##! again. docs/learning.md says what it means that each worker sees a part.

@load base/frameworks/cluster
@load ./main
@load ./model
@load ./learn

module IForest;

# From a worker to the manager: learn from the batch. The worker was given the
# model of that fingerprint last; it is empty if it was given none.
global learn_from: event(node: string, has: string, batch: string);

# From the manager to workers: use the model of that fingerprint.
global use_learnt: event(name: string, content: string);

# A worker: samples that were not sent because the manager is not there, and the
# model that it was given last, which it may have refused.
global samples_unsent = 0;
global model_given = "";

# The manager: when it sent the model, to each worker and to all. A worker that
# does not have it some time later is sent it again.
global model_sent: table[string] of time;
global model_sent_to_all = double_to_time(0.0);
const model_resent_after = 10secs;

# Whether samples that could not be used were told of.
global samples_refused = F;

function samples_are_taken(): bool
	{
	return enabled && "conn" in logs && learn && model_file == "" && Cluster::is_enabled();
	}

# A worker sends what it has. Without a model it does so even if that is nothing,
# to be given one.
function send_samples()
	{
	local s = __take_samples();
	if ( s$rows == 0 && model_given != "" )
		return;

	if ( Cluster::get_active_node_count(Cluster::MANAGER) == 0 )
		samples_unsent += s$rows;
	else
		Cluster::publish(Cluster::manager_topic, learn_from, Cluster::node, model_given, s$batch);
	}

event send_samples_again()
	{
	if ( samples_are_taken() )
		send_samples();

	schedule sample_interval { send_samples_again() };
	}

# After learn.zeek has noted the new model.
hook news(n: News) &priority=-1
	{
	if ( n$kind == SAMPLES_FULL )
		send_samples();
	else if ( n$kind == MODEL_PROMOTED && Cluster::is_enabled() )
		{
		model_sent_to_all = current_time();
		Cluster::publish(Cluster::worker_topic, use_learnt, fingerprint, __model_file());
		}
	}

# The manager sends a worker the model, if there is one.
function send_model(node: string)
	{
	if ( fingerprint == "" )
		return;

	model_sent[node] = current_time();
	Cluster::publish(Cluster::node_topic(node), use_learnt, fingerprint, __model_file());
	}

# The manager learns; an empty batch only makes it read its state.
function take_samples(batch: string)
	{
	local why = __observe(batch);
	if ( why != "" && ! samples_refused )
		{
		samples_refused = T;
		Reporter::warning(fmt("IForest: samples of a worker are not learnt from: %s (said once)", why));
		}

	take_news();

	# The model of a state that was kept.
	local m = model();
	if ( fingerprint == "" && m?$fingerprint )
		fingerprint = m$fingerprint;
	}

event learn_from(node: string, has: string, batch: string)
	{
	# At its end the manager has saved what it learnt.
	if ( ! samples_are_taken() || ! makes_models() || zeek_is_terminating() )
		return;

	take_samples(batch);
	if ( has == fingerprint || current_time() - model_sent_to_all < model_resent_after )
		return;

	if ( node !in model_sent || current_time() - model_sent[node] >= model_resent_after )
		send_model(node);
	}

# Also where it was there before, under another id.
event Cluster::node_up(name: string, id: string)
	{
	if ( ! samples_are_taken() || ! makes_models() ||
	     name !in Cluster::nodes || Cluster::nodes[name]$node_type != Cluster::WORKER )
		return;

	take_samples("");
	send_model(name);
	}

event use_learnt(name: string, content: string)
	{
	# A worker that ends has ended sampling, and takes no model any more.
	if ( ! samples_are_taken() || ! sees_packets() || name == model_given || zeek_is_terminating() )
		return;

	model_given = name;
	local why = __adopt(content, name);
	if ( why != "" )
		{
		Reporter::warning(fmt("IForest: model %s of the manager cannot be used: %s", name, why));
		return;
		}

	local m = model();
	fingerprint = m$fingerprint;
	event model_promoted(m);
	}

hook without_model_file()
	{
	model_given = "";
	}

# A model that is given ends learning on the manager, as it does on workers.
function manager_model_file_changed(id: string, path: string): string
	{
	if ( ! enabled || ! makes_models() || ! Cluster::is_enabled() )
		return path;

	if ( path == "" )
		hook without_model_file();
	else
		{
		local why = __finish(conn_sensor);
		if ( why != "" )
			Reporter::warning(fmt("IForest: %s", why));
		}

	return path;
	}

event zeek_init()
	{
	if ( ! Cluster::is_enabled() )
		return;

	Option::set_change_handler("IForest::model_file", manager_model_file_changed);
	if ( sees_packets() )
		schedule sample_interval { send_samples_again() };
	}

# What is left, before learning ends (main.zeek, -5).
event zeek_done()
	{
	if ( samples_are_taken() && sees_packets() )
		send_samples();
	}
