#pragma once

#include <zeek/Val.h>

#include <string>
#include <vector>

#include "iforest_abi.h"

namespace iforest {

// Says in which context a connection is: conn_id's ctx, to which policy scripts
// add fields (policy/frameworks/conn_key/vlan_fivetuple) by which Zeek then tells
// connections of the same addresses apart. Without such a script it has none.
class Context {
public:
    // Looks up the fields of a type of record that are logged, and reports
    // whether there are any.
    bool Resolve(const zeek::RecordType& type);

    // The fields that are set, as IFOREST_CONTEXT has them. The text lives until
    // the next call.
    iforest_text Text(const zeek::RecordVal& ctx);

private:
    struct Field {
        std::string name;
        int at;
    };

    std::vector<Field> fields; // in the order of their names
    std::string text;
};

} // namespace iforest
