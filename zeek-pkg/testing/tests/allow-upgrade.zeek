# A site's allow-list survives an upgrade of the package by zkg. The package here
# is ours without what takes long to build.
#
# @TEST-REQUIRES: PATH=/usr/bin:$PATH zkg --version && which git
# @TEST-EXEC: sh %INPUT
# @TEST-EXEC: btest-diff output
export HOME=$PWD GIT_CONFIG_NOSYSTEM=1 PATH="/usr/bin:$PATH" # for the Python that has what zkg needs
git config --global user.name test
git config --global user.email test@example.com
mkdir -p ours/build/plugin/__zeek_plugin__
cp -r "$PACKAGE" ours/scripts
cd ours || exit 1
tar czf build/plugin.tgz -C build plugin
{
	echo '[package]'
	grep -E '^(script_dir|config_files) = ' "$ROOT/zkg.meta"
	echo 'plugin_dir = build/plugin.tgz'
} >zkg.meta
git init -q . && git add -f . && git commit -q -m 1 && git tag 1.0.0
cd ..
printf '[sources]\n[paths]\nstate_dir = %s/state\nscript_dir = %s/site\nplugin_dir = %s/plugins\n' "$PWD" "$PWD" "$PWD" >config
zkg --configfile config install --force --skiptests "$PWD/ours" >zkg.out 2>&1 || { cat zkg.out; exit 1; }
list=$(find site state -path '*/packages/ours/allow.tsv' | head -1)
zeek-iforest allow add -f "$list" --service dns --comment ours >/dev/null
cd ours
echo '# newer' >>scripts/__load__.zeek && git commit -q -a -m 2 && git tag 1.0.1
cd ..
zkg --configfile config refresh >>zkg.out 2>&1
zkg --configfile config upgrade --force --skiptests >>zkg.out 2>&1 || { cat zkg.out; exit 1; }
tail -n 1 "$(dirname "$list")/__load__.zeek" >output
cat "$list" >>output
