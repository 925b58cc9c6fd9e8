# With fewer alerts a day than workers the manager chooses the strangest of what
# they found within the last day.
#
# @TEST-EXEC: zeek $PACKAGE %INPUT IForest::alerts_per_day=3.0 >output
# @TEST-EXEC: btest-diff output

module IForest;

function found(hours: double, score: double)
	{
	set_network_time(double_to_time(1.8e9 + 3600 * hours));
	print fmt("hour %.2f, score %.2f: %s", hours, score, worth_telling(score) ? "told" : "not told");
	}

redef allow_network_time_forward = F;

event zeek_init()
	{
	found(0.0, 0.61);
	found(0.1, 0.55);
	found(0.2, 0.72);
	found(1.0, 0.99); # the day has had three
	found(24.05, 0.60); # the first is over a day old, and two are stranger
	found(24.06, 0.73); # again three
	found(24.15, 0.50); # two were told, but four were stranger
	found(25.1, 0.74);
	}
