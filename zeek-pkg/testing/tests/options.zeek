# All options and their defaults, so that a change of one is seen.
#
# @TEST-EXEC: zeek $PACKAGE %INPUT | sort >output
# @TEST-EXEC: btest-diff output

event zeek_init()
	{
	for ( name, id in global_ids() )
		if ( /^IForest::/ in name && id$option_value )
			print fmt("%s: %s = %s", name, id$type_name, id$value);
	}
