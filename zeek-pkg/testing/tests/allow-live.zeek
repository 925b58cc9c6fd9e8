# The allow-list is read again while Zeek runs: after allow add, after a mistake,
# which leaves the list before it, when it is gone and comes back, and when
# another file is named.
#
# @TEST-EXEC: zeek-iforest allow add -f allow.tsv --port 1/tcp
# @TEST-EXEC: zeek-iforest allow add -f other.tsv --service dns
# @TEST-EXEC: btest-bg-run zeek "timeout 50 zeek $PACKAGE %INPUT IForest::allow_file=../allow.tsv >output 2>stderr"
# @TEST-EXEC: btest-bg-wait 60
# @TEST-EXEC: warnings zeek/stderr | grep IForest: >>zeek/output
# @TEST-EXEC: mv zeek/output output
# @TEST-EXEC: btest-diff output

module IForest;

redef exit_only_after_terminate = T;

global n = 0;

function change(command: string)
	{
	print fmt("%d entries; %s", |allow_list|, command);
	system(fmt("cd .. && (%s) >/dev/null", command));
	}

event mended()
	{
	change("zeek-iforest allow remove -f allow.tsv 3");
	}

event gone()
	{
	change("zeek-iforest allow add -f away --port 3/tcp && mv away allow.tsv");
	}

event allow_list_read(entries: count)
	{
	switch ( ++n )
		{
		case 1:
			# Twice within a second: both are seen.
			change("zeek-iforest allow add -f allow.tsv --port 2/tcp && sleep 1.2 && zeek-iforest allow add -f allow.tsv --port 3/tcp");
			break;
		case 2:
			if ( entries == 2 )
				--n; # the first of the two alone
			else
				{
				change("sleep 2.5; printf 'nonsense\\t-\\t-\\t-\\t-\\t-\\t-\\n' >>allow.tsv; sleep 3; sed -i /nonsense/d allow.tsv");
				schedule 10sec { mended() };
				}
			break;
		case 4:
			change("mv allow.tsv away");
			schedule 4sec { gone() };
			break;
		case 5:
			print fmt("%d entries; another file", |allow_list|);
			Config::set_value("IForest::allow_file", "../other.tsv");
			break;
		case 6:
			print fmt("%d entries", |allow_list|), allow_list[0];
			terminate();
			break;
		}
	}
