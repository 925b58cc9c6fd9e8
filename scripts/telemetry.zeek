##! Says through Zeek's telemetry how scoring fares. The library counts; the
##! counts are fetched when somebody asks for them.

@load base/frameworks/telemetry
@load ./cluster
@load ./model

module IForest;

export {
	## Returns: The counts up to now.
	global statistics: function(): Statistics;
}

global connections_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="connections", $unit="",
    $label_names=vector("result"),
    $help_text="Connections handed to the sensor library, by what became of them"));

global scores_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="scores", $unit="",
    $label_names=vector("le"),
    $help_text="Connections with a score of at most le, for histogram_quantile"));

global sum_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="scores_sum", $unit="",
    $help_text="Sum of all scores"));

global cold_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="cold", $unit="",
    $help_text="Connections scored while the originator's last five minutes were known in part only"));

global by_seed_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="scored_by_seed", $unit="",
    $help_text="Connections scored by the seed model, before there was one of the sensor's own"));

global looks_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="looks", $unit="",
    $help_text="Scores of long connections while they went on"));

global models_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="models", $unit="",
    $label_names=vector("result"),
    $help_text="Models given to the sensor library, by what became of them"));

global alerts_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="alerts", $unit="",
    $label_names=vector("result"),
    $help_text="Unusual connections, by what became of them"));

global samples_cf = Telemetry::register_counter_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="samples", $unit="",
    $label_names=vector("result"),
    $help_text="Connections of a worker for the manager to learn from: taken, and of them lost because there was no manager"));

global learnt_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="learnt_connections", $unit="",
    $help_text="Connections learnt from, with those before the last restart"));

global kinds_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="kinds", $unit="",
    $label_names=vector("state"),
    $help_text="Kinds of connection that shape models, and those that are too new to"));

global learnt_models_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="learnt_models", $unit="",
    $label_names=vector("result"),
    $help_text="Models that the sensor has learnt, by what became of them, with those before the last restart"));

global rebuilding_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="rebuilding", $unit="",
    $help_text="1 while the next model is being made, else 0"));

global library_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="library_loaded", $unit="",
    $help_text="1 where the sensor library is loaded, else 0"));

global age_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="model_age", $unit="seconds",
    $help_text="Time since the latest connection that the model was trained on"));

global rows_gf = Telemetry::register_gauge_family(Telemetry::MetricOpts(
    $prefix="iforest", $name="model_connections", $unit="",
    $help_text="Connections that the model was trained on"));

function statistics(): Statistics
	{
	local s = __statistics(conn_sensor);
	s$samples_lost += samples_unsent;
	return s;
	}

hook Telemetry::sync()
	{
	local s = statistics();

	Telemetry::counter_family_set(connections_cf, vector("scored"), s$scored);
	Telemetry::counter_family_set(connections_cf, vector("no_library"), s$no_library);
	Telemetry::counter_family_set(connections_cf, vector("no_model"), s$no_model);
	Telemetry::counter_family_set(connections_cf, vector("bad_record"), s$bad_record);
	Telemetry::counter_family_set(connections_cf, vector("fault"), s$fault);
	Telemetry::counter_family_set(cold_cf, vector(), s$cold);
	Telemetry::counter_family_set(by_seed_cf, vector(), s$by_seed);
	Telemetry::counter_family_set(models_cf, vector("taken"), s$models);
	Telemetry::counter_family_set(models_cf, vector("refused"), s$refused);
	Telemetry::counter_family_set(looks_cf, vector(), s$looks);
	Telemetry::counter_family_set(sum_cf, vector(), s$sum);

	Telemetry::counter_family_set(alerts_cf, vector("raised"), s$raised);
	Telemetry::counter_family_set(alerts_cf, vector("folded"), s$folded);
	Telemetry::counter_family_set(alerts_cf, vector("suppressed"), s$suppressed);
	Telemetry::counter_family_set(alerts_cf, vector("lost"), s$unsent);

	if ( s$sampled > 0 )
		{
		Telemetry::counter_family_set(samples_cf, vector("taken"), s$sampled);
		Telemetry::counter_family_set(samples_cf, vector("lost"), s$samples_lost);
		}

	if ( s$learning )
		{
		Telemetry::gauge_family_set(learnt_gf, vector(), s$learnt);
		Telemetry::gauge_family_set(kinds_gf, vector("known"), s$kinds);
		Telemetry::gauge_family_set(kinds_gf, vector("quarantined"), s$quarantined);
		Telemetry::gauge_family_set(learnt_models_gf, vector("promoted"), s$promoted);
		Telemetry::gauge_family_set(learnt_models_gf, vector("refused"), s$not_promoted);
		Telemetry::gauge_family_set(rebuilding_gf, vector(), s$rebuilding ? 1.0 : 0.0);
		}

	# Cumulative, as Prometheus counts: a score that equals a bound is in the
	# bin above it, of which there are few with four decimals.
	local total = 0;
	for ( i, n in s$bins )
		{
		total += n;
		Telemetry::counter_family_set(scores_cf, vector(fmt("%.2f", (i + 1) / 20.0)), total);
		}

	Telemetry::gauge_family_set(library_gf, vector(), s$library ? 1.0 : 0.0);

	local m = model();
	if ( m?$last )
		{
		Telemetry::gauge_family_set(age_gf, vector(), interval_to_double(current_time() - m$last));
		Telemetry::gauge_family_set(rows_gf, vector(), m$rows);
		}
	}
