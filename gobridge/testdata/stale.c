/* A sensor library of another time: it answers with an ABI version that no
   host of today accepts, and has nothing else that one could call. */
#include <stdint.h>

uint32_t iforest_abi_version(void) { return 999; }
