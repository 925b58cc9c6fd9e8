#pragma once

#include <zeek/Type.h>

namespace iforest {

// The place of the field of that name and type, or -1 if there is none.
inline int PlaceOf(const zeek::RecordType& record, const char* name, zeek::TypeTag tag) {
    int at = record.FieldOffset(name);
    return at >= 0 && record.GetFieldType(at)->Tag() == tag ? at : -1;
}

} // namespace iforest
