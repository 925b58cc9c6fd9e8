# Bad days of ssl.log's scores: each row is written, without a score, and each
# mistake is said once and counted.
#
# @TEST-REQUIRES: which go
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
run() {
	echo "$1" >>output && mkdir "$1" && (cd "$1" && shift && zeek -C -r $PCAPS/tls.pcap "$@" ../counts.zeek 2>stderr >out) || exit 1
	warnings "$1/stderr" | grep IForest >>output
	cat "$1/out" >>output
	test -e "$1/ssl.log" && zeek-cut version anomaly_score <"$1/ssl.log" >>output
}
cat >counts.zeek <<'EOF'
event zeek_done()
	{
@ifdef ( IForest::log_statistics )
	local s = IForest::log_statistics("ssl");
	print "library", s$library, "no library", s$no_library, "no model", s$no_model, "bad", s$bad_record, "faults", s$fault;
@endif
	}
EOF
run "switched off" "$PACKAGE" "$PACKAGE/score-ssl.zeek" 'IForest::logs={}'
run "nothing is learnt" "$PACKAGE" "$PACKAGE/score-ssl.zeek" IForest::learn=F
run "not scored at all" "$PACKAGE" "$PACKAGE/score-ssl.zeek" IForest::enabled=F
run "a log that was not loaded" "$PACKAGE" "$PACKAGE/score-ssl.zeek" 'IForest::logs+={"files"}'
run "no model file" "$PACKAGE" "$PACKAGE/score-ssl.zeek" 'IForest::log_models=table(["ssl"] = "/nowhere/ssl.model")'
office-model
run "a model of conn.log" "$PACKAGE" "$PACKAGE/score-ssl.zeek" "IForest::log_models=table([\"ssl\"] = \"$PWD/site.model\")"
# The library knows no such log; its record has none of what it wants.
cat >weird.zeek <<'EOF'
redef IForest::logs += { "files", "ssl" };
redef IForest::log_streams += { ["files"] = Files::LOG, ["ssl"] = X509::LOG };
EOF
run "other logs" "$PACKAGE" "$PACKAGE/logs.zeek" ../weird.zeek
# A fault in the library, in a capture's third handshake.
export ZEEK_PLUGIN_PATH=$(plugin-copy)
(cd "$ROOT" && CGO_ENABLED=1 go build -buildmode=c-shared -tags provoke -o "$ZEEK_PLUGIN_PATH/lib/libiforest.so" ./gobridge) || exit 1
run "a fault" "$PACKAGE" "$PACKAGE/score-ssl.zeek"
# Without the library, and without the plugin.
rm plugin/lib/libiforest.so
run "no library" "$PACKAGE" "$PACKAGE/score-ssl.zeek"
export ZEEK_PLUGIN_PATH=
run "no plugin" "$PACKAGE" "$PACKAGE/score-ssl.zeek"
