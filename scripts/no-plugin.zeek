##! Stands in for the package's scripts where the plugin is not active.

event zeek_init()
	{
	Reporter::warning("IForest: connections are not scored, the plugin IForest::Scorer is not active: in bare mode name it on the command line (zeek -b IForest::Scorer ...), otherwise install the package again");
	}
