#!/bin/sh
# Installs this bundle into the Zeek on PATH, where there is no zkg; with zkg
# better IFOREST_BUNDLE=…/bundle.tar.gz zkg install zeek-iforest. Asks for
# nothing and replaces an installation of before, but for scripts/allow.tsv.
set -e
cd "$(dirname "$0")"

# fail WHAT WHAT-TO-DO
fail() {
	printf 'zeek-iforest: error: %s\nzeek-iforest: hint: %s\n' "$1" "$2" >&2
	exit 1
}
named() { sed -n "s/^$1=//p" BUNDLE; }

sha256sum -c SHA256SUMS >/dev/null 2>&1 || fail "files of this bundle are damaged" "unpack it again"
zeek=$(zeek-config --version 2>/dev/null) || fail "zeek-config is not on PATH" "put Zeek's bin folder on PATH: PATH=/opt/zeek/bin:\$PATH"
test "$(named zeek)" = "$zeek" || fail "this bundle is for Zeek $(named zeek), and here is $zeek" "take the one for $zeek: a plugin fits the version that it was built with"
test "$(named arch)" = "$(uname -m)" || fail "this bundle is for $(named arch), and this machine is $(uname -m)" "take the one for $(uname -m)"

plugins=$(zeek-config --plugin_dir)
site=$(zeek-config --site_dir)
bin=$(zeek-config --prefix)/bin
for folder in "$plugins" "$site" "$bin"; do
	mkdir -p "$folder" 2>/dev/null && test -w "$folder" ||
		fail "$folder cannot be written" "run this as the user to whom Zeek belongs (sudo), or unpack IForest_Scorer.tgz in a folder that ZEEK_PLUGIN_PATH names, and scripts/ in one that ZEEKPATH names as zeek-iforest"
done

rm -rf "$plugins/IForest_Scorer.new" "$site/zeek-iforest.new"
tar -xzf IForest_Scorer.tgz -C "$plugins" --transform 's,^IForest_Scorer,IForest_Scorer.new,'
cp -R scripts "$site/zeek-iforest.new"
test ! -f "$site/zeek-iforest/allow.tsv" || cp -p "$site/zeek-iforest/allow.tsv" "$site/zeek-iforest.new/allow.tsv"
cp bin/zeek-iforest "$bin/zeek-iforest.new"
rm -rf "$plugins/IForest_Scorer" "$site/zeek-iforest"
mv "$plugins/IForest_Scorer.new" "$plugins/IForest_Scorer"
mv "$site/zeek-iforest.new" "$site/zeek-iforest"
mv "$bin/zeek-iforest.new" "$bin/zeek-iforest"

zeek -N IForest::Scorer >/dev/null || fail "this Zeek does not load the plugin" "take a bundle that was made on a machine like this one"
echo "zeek-iforest $(named version) is installed; add to $site/local.zeek: @load zeek-iforest"
