#pragma once

#include <zeek/Val.h>

#include <string>
#include <vector>

#include "Context.h"
#include "iforest_abi.h"

namespace iforest {

// Reads the record of a log's row (SSL::Info, DNS::Info, ...) by the list of
// fields that the library asks for.
// The places of the fields are looked up once for each type of record, of which
// a log has one. A field that the type does not have, or has with another type,
// is unset; without a required one no row can be read.
class LogRecord {
public:
    // Writes the values of fields to *to; their texts point into info and live as
    // long, but for a context, which lives until the next call. Returns false where there can be none, and writes to why which field
    // is amiss.
    bool Read(zeek::RecordVal& info, const std::vector<iforest_field_info>& fields, std::vector<iforest_value>* to,
              std::string* why);

private:
    // Where a field lies: in the record, or in a record within it; -1 is nowhere.
    // The elements of a vector, and a context, are kept for the library.
    struct Place {
        int outer = -1;
        int inner = -1;
        std::vector<iforest_text> texts;
        std::vector<double> reals;
        Context context;
    };

    static void Copy(const zeek::RecordVal& record, int at, uint32_t type, Place* place, iforest_value* to);
    bool Resolve(const zeek::RecordType& type, const std::vector<iforest_field_info>& fields, std::string* why);

    const zeek::RecordType* type = nullptr; // the one that the places are of
    std::vector<Place> places;
};

} // namespace iforest
