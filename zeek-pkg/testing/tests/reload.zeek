# A model is replaced at run time: by another path, by the same path and another
# generation. A bad one is refused with one warning, and the one before stays.
#
# @TEST-EXEC: office-model site.model 1
# @TEST-EXEC: office-model other.model 2
# @TEST-EXEC: echo garbage >garbage.model
# @TEST-EXEC: zeek -r $PCAPS/office-day.pcap $PACKAGE $PACKAGE/log-model.zeek %INPUT IForest::model_file=site.model >output 2>stderr
# @TEST-EXEC: warnings stderr >>output
# @TEST-EXEC: zeek-cut anomaly_model <conn.log | uniq -c | sed 's/^ *//; s/seed-.*/the seed/' >>output
# @TEST-EXEC: btest-diff output

global n = 0;

event connection_state_remove(c: connection)
	{
	switch ( ++n )
		{
		case 100:
			print "garbage", Config::set_value("IForest::model_file", "garbage.model");
			print IForest::model_file;
			break;
		case 150:
			print "other", Config::set_value("IForest::model_file", "other.model");
			print IForest::model_file;
			break;
		case 200:
			print "generation", Config::set_value("IForest::model_generation", 1);
			break;
		case 250:
			print "off", Config::set_value("IForest::enabled", F);
			break;
		case 300:
			print "on", Config::set_value("IForest::enabled", T);
			break;
		case 350:
			print "none", Config::set_value("IForest::model_file", "");
			break;
		}
	}

event IForest::model_loaded(m: IForest::Model)
	{
	print "loaded", m$fingerprint, m$rows;
	}
