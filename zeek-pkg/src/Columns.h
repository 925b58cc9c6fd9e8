#pragma once

#include <zeek/Val.h>

#include <string>

#include "iforest_abi.h"

namespace iforest {

// The columns that a log's record has for what is found of its rows:
// anomaly_score, and the others that the scripts log-*.zeek or a site declare.
class Columns {
public:
    // Looks the columns up; once for each type of record, of which a log has one.
    // Returns whether it had to.
    bool Resolve(const zeek::RecordType* record);

    bool HasReason() const { return reason >= 0; }
    bool HasModel() const { return model >= 0; }

    // Unsets the columns.
    void Clear(zeek::RecordVal& row) const;

    void Write(zeek::RecordVal& row, const iforest_result& result, const std::string& fingerprint) const;

private:
    const zeek::RecordType* type = nullptr; // the one that the places are of
    int score = -1;
    int rank = -1;
    int reason = -1;
    int model = -1;
    int case_score = -1;
    int uid_log = -1;
    int uid_score = -1;
    int uid_rank = -1;
    int uid_reason = -1;
};

} // namespace iforest
