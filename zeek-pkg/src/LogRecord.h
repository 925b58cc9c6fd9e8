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
    // A field on the way to a field: its place in its record, and whether it is a
    // vector of records in place of one.
    struct Step {
        int at;
        bool several;
        bool operator==(const Step& other) const { return at == other.at && several == other.several; }
    };

    // Where a field lies: in the record that a way leads to, of the row or within
    // it; -1 is nowhere. The elements of a vector, and a context, are kept for the
    // library.
    struct Place {
        int at = -1;
        std::vector<Step> way;
        std::vector<iforest_text> texts;
        std::vector<double> reals;
        Context context;
    };

    static Place Find(const zeek::RecordType& record, const char* name, uint32_t type);
    static const zeek::RecordVal* Follow(const zeek::RecordVal& row, const Place& place);

    static void Copy(const zeek::RecordVal& record, int at, uint32_t type, Place* place, iforest_value* to);
    bool Resolve(const zeek::RecordType& type, const std::vector<iforest_field_info>& fields, std::string* why);

    const zeek::RecordType* type = nullptr; // the one that the places are of
    std::vector<Place> places;
};

} // namespace iforest
