#pragma once

#include <string>

namespace iforest {

// Reports whether this process may still reserve the address space that a Go
// runtime takes when it starts; a runtime that does not get it ends the
// process. Writes to why what to do when it may not.
bool AddressSpaceForGo(std::string* why);

} // namespace iforest
