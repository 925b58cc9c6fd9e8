#!/bin/sh
# What zkg runs to build the package; build/ below the repository's root holds
# the result. The output belongs on stderr: zkg stops reading stdout once 64 KB
# are in the pipe.
#
#   IFOREST_BUNDLE     a bundle (bundle/make), or a folder of them: what is in
#                      the one for this Zeek is taken, and nothing is compiled
#   IFOREST_PREBUILT   a folder with libiforest.so and zeek-iforest, built
#                      elsewhere: the plugin is compiled, without Go (Go.cmake)
set -e
cd "$(dirname "$0")/.."

if [ -n "$IFOREST_BUNDLE" ]; then
	exec zeek-pkg/bundle/take "$IFOREST_BUNDLE" build
fi

. zeek-pkg/bundle/fail.sh
bundle="or take a bundle that was built for this Zeek elsewhere (zeek-pkg/bundle/make): IFOREST_BUNDLE=/its/path"

modules=$(zeek-config --cmake_dir 2>/dev/null) ||
	fail "zeek-config is not on PATH" "put Zeek's bin folder on PATH (PATH=/opt/zeek/bin:\$PATH); where it is not there, install the -dev package of Zeek"
version=$(zeek-config --version)
case $version in
[0-7].*) fail "this is Zeek $version, and the package needs 8.0 or later" "upgrade Zeek; until then zeek-iforest score gives its logs the same scores" ;;
esac
test -f "$modules/ZeekPlugin.cmake" ||
	fail "Zeek's files for building plugins are not in $modules" "install the -dev package of Zeek $version, $bundle"
command -v cmake >/dev/null ||
	fail "cmake is not on PATH" "install cmake (apt install cmake, dnf install cmake), $bundle"
command -v "${CXX:-c++}" >/dev/null || command -v g++ >/dev/null || command -v clang++ >/dev/null ||
	fail "no C++ compiler is on PATH" "install one (apt install g++, dnf install gcc-c++), $bundle"

cmake -S . -B build -DCMAKE_MODULE_PATH="$modules"
cmake --build build
