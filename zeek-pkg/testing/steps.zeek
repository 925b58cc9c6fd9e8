# Takes apart what a score costs: keeps the records of a capture's connections
# and hands them to the plugin again and again. Prints nanoseconds for each
# connection, the median over the passes and the least. Used by ./cost.
#
#	zeek -r capture.pcap ../../scripts steps.zeek Steps::model=site.model

module Steps;

export {
	const model = "" &redef;
	const passes = 41 &redef;
}

global records: vector of Conn::Info;

event connection_state_remove(c: connection) &priority=-4
	{
	records += c$conn;
	}

function report(what: string, took: vector of double)
	{
	sort(took);
	print fmt("%-58s median %5.0f ns, least %5.0f ns", what, took[|took| / 2], took[0]);
	}

function cpu_time(): interval
	{
	local p = get_proc_stats();
	return p$user_time + p$system_time;
	}

# The time of a pass for each record, in nanoseconds.
function pass(f: function(info: Conn::Info)): double
	{
	local start = cpu_time();
	for ( i, info in records )
		f(info);

	return interval_to_double(cpu_time() - start) * 1e9 / |records|;
	}

function measure(what: string, f: function(info: Conn::Info))
	{
	local took: vector of double;
	local n = 0;
	while ( ++n <= passes )
		took += pass(f);

	report(what, took);
	}

event zeek_done()
	{
	print fmt("%d connections", |records|);
	measure("the loop itself", function(info: Conn::Info) { });
	measure("+ a call of a BiF", function(info: Conn::Info) { IForest::__clear(info); });
	measure("+ the record read into the struct (no library)", function(info: Conn::Info) { IForest::__score(info); });
	print IForest::__load_model(IForest::conn_sensor, model);
	measure("+ signals masked, Go called, connection scored", function(info: Conn::Info) { IForest::__score(info); });
	}
