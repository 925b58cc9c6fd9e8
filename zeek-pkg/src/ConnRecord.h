#pragma once

#include <zeek/Val.h>

#include <array>
#include <string>

#include "Context.h"
#include "iforest_abi.h"

namespace iforest {

// Reads Zeek's Conn::Info (scripts/base/protocols/conn/main.zeek) into the
// bridge's struct. The places of the fields are looked up once for each type
// of record, of which a Zeek process has one.
class ConnRecord {
public:
    // Fills *to; its texts point into info and live as long, but for the context,
    // which lives until the next call. Returns false where info is no Conn::Info and writes to why which field is amiss.
    bool Read(const zeek::RecordVal& info, iforest_conn* to, std::string* why);

    // The uid of a record that was read, nullptr where it has none.
    zeek::StringValPtr UID(const zeek::RecordVal& info) const;

    static constexpr int num_fields = 16;
    static constexpr int num_id_fields = 4;

private:
    bool Resolve(const zeek::RecordVal& info, std::string* why);

    const zeek::RecordType* type = nullptr; // the one that the places are of
    int id = -1;
    std::array<int, num_fields> at;
    std::array<int, num_id_fields> id_at;
    int ctx = -1; // of id; -1 if Zeek goes by addresses and ports alone
    Context context;
};

} // namespace iforest
