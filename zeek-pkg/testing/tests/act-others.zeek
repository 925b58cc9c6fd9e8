# The examples that mark a host and that start a command, together: both act on
# the same connections, and an argument that a shell would act on does not.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: printf '#!/bin/sh\necho "$# $2 $3 $4" >>kept\n' >"ke ep" && chmod +x "ke ep"
# @TEST-EXEC: zeek -C -r $PCAPS/office-day.pcap $PACKAGE $PACKAGE/examples/mark-host.zeek $PACKAGE/examples/keep-packets.zeek %INPUT IForest::model_file=site.model >output
# @TEST-EXEC: zeek-cut action result <iforest_action.log | sort | uniq -c | sed 's/^ *//' >>output
# @TEST-EXEC: zeek-cut id.orig_h anomaly_marked <conn.log | sort | uniq -c | sed 's/^ *//' >>output
# @TEST-EXEC: for i in 1 2 3 4 5; do test $(wc -l <kept) -ge 11 && break; sleep 1; done
# @TEST-EXEC: sort kept >>output
# @TEST-EXEC: btest-diff output

redef IForest::act_above = 0.56;
redef IForest::act_dry_run = F;
redef IForest::act_per_hour = 2;
redef IForest::keep_command = "./ke ep";

event IForest::host_marked(host: addr, score: double)
	{
	print "marked", host, score;
	}
