# Tells ./soak each second how the sensor fares, one line of counts.zeek each.

@load base/frameworks/config

module Soak;

global out: file;

function tell(what: string)
	{
	local s = IForest::statistics();
	print out, fmt("%s %f learning=%d learnt=%d scored=%d no_model=%d other=%d promoted=%d refused=%d kinds=%d quarantined=%d models=%d bad_models=%d raised=%d",
	    what, current_time(), s$learning ? 1 : 0, s$learnt, s$scored, s$no_model, s$no_library + s$bad_record + s$fault,
	    s$promoted, s$not_promoted, s$kinds, s$quarantined, s$models, s$refused, s$raised);
	flush_all();
	}

event tick()
	{
	tell("at");
	schedule 1sec { tick() };
	}

event zeek_init()
	{
	out = open("counts");
	schedule 1sec { tick() };
	}

# Zeek has drained its connections, and the learner has not yet been ended.
event zeek_done()
	{
	tell("end");
	}
