# Bad days of the disk below the state: a directory that a Zeek of an
# unprivileged user may not write to, and a disk that is full. Each is said
# once, each row is scored, and what was saved before is still there.
#
# @TEST-REQUIRES: which go && test $(id -u) = 0 && unshare -m mount -t tmpfs none /mnt && which setpriv
# @TEST-EXEC: cd $ROOT && go run ./zeek-pkg/testing/traffic repeat 4 $PCAPS/office-day.pcap >$OLDPWD/days.trace
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: rm days.trace
# @TEST-EXEC: btest-diff output
tell() {
	warnings $1/stderr | sed "s#$2/##g" >>output
	zeek-cut anomaly_score <$1/conn.log | grep -c '^0\.' | sed 's/^[1-9].*/scored/' >>output
	zeek-cut anomaly_score <$1/conn.log | awk '/^0/ { model = 1 } model && !/^0/ { n++ } END { print n + 0, "not scored behind the first model" }' >>output
}

# The plugin and the scripts are read by a user who may not be allowed to here.
user=$(mktemp -d)
trap 'rm -rf "$user"' EXIT
cp -RL "$ZEEK_PLUGIN_PATH" "$user/plugin" && cp -R "$PACKAGE" "$user/scripts" && cp days.trace "$user" && mkdir "$user/state" "$user/run"
chmod -R a+rX "$user" && chown 65534 "$user/run" && chmod 755 "$user/state"
unprivileged() {
	echo "$1" >>output
	(cd "$user/run" && unset ZEEK_SEED_FILE && ZEEK_PLUGIN_PATH=$user/plugin setpriv --reuid 65534 --regid 65534 --clear-groups zeek -C -r ../days.trace ../scripts 'IForest::logs={"conn"}' \
		IForest::state_dir=$user/state IForest::state_with_traces=T IForest::save_every=500 2>stderr) || exit 1
	tell "$user/run" "$user"
}
unprivileged "a directory that may not be made"
mkdir -m 755 "$user/state/zeek"
unprivileged "a directory that may not be written to"
chown 65534 "$user/state/zeek"
unprivileged "its own"
chown 0 "$user/state/zeek" && chmod 755 "$user/state/zeek"
before=$(cksum <"$user/state/zeek/state")
unprivileged "no longer its own"
test "$before" = "$(cksum <"$user/state/zeek/state")" && echo "the state is that of before" >>output

echo "a disk that fills up" >>output
mkdir state run
unshare -m sh -c 'mount -t tmpfs -o size=256k,mode=700 none state && cd run && zeek -C -r ../days.trace "$PACKAGE" "IForest::logs={\"conn\"}" \
	IForest::state_dir=$PWD/../state IForest::state_with_traces=T IForest::save_every=300 2>all; ls ../state/zeek >left' || exit 1
# The model is written meanwhile: sometimes it finds room, sometimes the state has taken it.
grep -v '/\.model\.' run/all >run/stderr
tell run "$PWD"
grep -vx model run/left >>output
