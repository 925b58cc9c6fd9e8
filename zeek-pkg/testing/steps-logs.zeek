# Takes apart what the score of a row of ssl.log costs, as steps.zeek does for a
# connection: keeps the records of a capture's handshakes and hands them to the
# plugin again and again. Prints nanoseconds of CPU for each row, the median over
# the passes and the least.
#
#	zeek -C -r capture.pcap ../../scripts ../../scripts/score-ssl.zeek steps-logs.zeek Steps::model=ssl.model

module Steps;

export {
	const model = "" &redef;
	const passes = 41 &redef;
}

global rows: vector of SSL::Info;
global collecting = T;

hook Log::log_stream_policy(rec: any, id: Log::ID) &priority=-20
	{
	if ( collecting && id == SSL::LOG )
		rows += rec as SSL::Info;
	}

function cpu_time(): interval
	{
	local p = get_proc_stats();
	return p$user_time + p$system_time;
	}

function measure(what: string, f: function(info: SSL::Info))
	{
	local took: vector of double;
	local n = 0;
	while ( ++n <= passes )
		{
		local start = cpu_time();
		for ( i, info in rows )
			f(info);

		took += interval_to_double(cpu_time() - start) * 1e9 / |rows|;
		}

	sort(took);
	print fmt("%-50s median %5.0f ns, least %5.0f ns", what, took[|took| / 2], took[0]);
	}

event zeek_done() &priority=-1
	{
	print fmt("%d rows of ssl.log", |rows|);
	collecting = F;
	local sensor = IForest::__add_log("ssl");
	measure("the loop itself", function(info: SSL::Info) { });
	measure("+ a call of a BiF", function(info: SSL::Info) { network_time(); });
	print IForest::__load_model(sensor, model);
	measure("+ the row read and scored", function[sensor](info: SSL::Info) { IForest::__score_row(sensor, info); });
	measure("the hook, of a log that is scored", function(info: SSL::Info) { hook Log::log_stream_policy(info, SSL::LOG); });
	measure("the hook, of one that is not", function(info: SSL::Info) { hook Log::log_stream_policy(info, Conn::LOG); });
	}
