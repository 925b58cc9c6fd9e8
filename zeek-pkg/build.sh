#!/bin/sh
# What zkg runs to build the package; build/ below the repository's root holds
# the result. The output belongs on stderr: zkg stops reading stdout once 64 KB
# are in the pipe.
set -e
cd "$(dirname "$0")/.."

modules=$(zeek-config --cmake_dir) || {
	echo "zeek-iforest: zeek-config is not on PATH; it comes with Zeek or its -dev package" >&2
	exit 1
}
cmake -S . -B build -DCMAKE_MODULE_PATH="$modules"
cmake --build build
