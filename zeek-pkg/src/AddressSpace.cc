#include "AddressSpace.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace iforest {

// Go 1.26 reserves 1.3 to 1.7 GB at its start (most of it never touched), and
// some more for each thread.
constexpr uint64_t needed = 2500ULL << 20;

bool AddressSpaceForGo(std::string* why) {
    rlimit limit;
    if ( getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY )
        return true;

    uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    uint64_t used = pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    if ( used + needed <= limit.rlim_cur )
        return true;

    *why = "the address space is limited to " + std::to_string(limit.rlim_cur >> 20) + " MB, of which " +
           std::to_string(used >> 20) + " MB are in use; scoring needs another " + std::to_string(needed >> 20) +
           " MB (virtual, not resident): raise \"ulimit -v\", or MemLimit in zeekctl.cfg";
    return false;
}

} // namespace iforest
