#pragma once

// What differs between the versions of Zeek that the plugin supports.

#include <zeek/zeek-version.h>

#if ZEEK_VERSION_NUMBER < 80000
#error "zeek-iforest needs Zeek 8.0 or later"
#endif
