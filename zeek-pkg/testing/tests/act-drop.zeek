# The example that drops the outer end through NetControl, whose debug plugin
# says what reaches it. Off until act_above is lowered, then a dry run first; what
# is allowed, in act_never, or beyond the hour's limit is left alone.
#
# @TEST-EXEC: office-model
# @TEST-EXEC: zeek-iforest allow add -f allow.tsv --network 192.88.99.0/24
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
cat >debug.zeek <<'END'
event NetControl::init() { NetControl::activate(NetControl::create_debug(T), 0); }
END
try() {
	echo "== $*" >>output
	zeek -C -r "$PCAPS/office-day.pcap" "$PACKAGE" "$PACKAGE/examples/drop-address.zeek" debug.zeek IForest::model_file=site.model "$@" >debug.out 2>stderr || exit 1
	warnings stderr >>output
	grep -o 'add_rule:.*\(NetControl::[A-Z]*\).*ip=[^,]*' debug.out | sed -E 's/.*ty=(NetControl::[A-Z]+).*ip=(.*)/\1 \2/' >>output
	test -e iforest_action.log || { echo "no log" >>output; return 0; }
	zeek-cut id.orig_h id.resp_h id.resp_p anomaly_score action result <iforest_action.log >>output
	rm iforest_action.log
}
try
try IForest::act_above=0.55 IForest::act_per_hour=3
try IForest::act_above=0.55 IForest::act_per_hour=3 IForest::act_dry_run=F
try IForest::act_above=0.55 IForest::act_dry_run=F 'IForest::act_never={10.20.0.0/24,[fd20::]/16,[fe80::]/10}'
try IForest::act_above=0.55 IForest::act_dry_run=F IForest::allow_file=allow.tsv
