#pragma once

#include <zeek/Val.h>

#include <string>

#include "iforest_abi.h"

namespace iforest {

// Makes the records that tell the scripts what was found of a row: those of type
// IForest::Found (zeek-pkg/scripts/types.zeek). One that no script has kept is
// filled again for the next row.
class Found {
public:
    // What was found of a row with a score.
    zeek::RecordValPtr Of(const iforest_result& result);

    // A row without one, and why.
    zeek::RecordValPtr Unscored(int32_t status, const std::string& why, bool news);

    // Writes what iforest_raise has added.
    void Complete(zeek::RecordVal& found, const iforest_result& result);

    void SetModel(zeek::RecordVal& found, const std::string& fingerprint);
    void SetAfter(zeek::RecordVal& found, zeek::StringValPtr uid);

private:
    zeek::RecordVal& Next();
    int At(const char* name) const { return type->FieldOffset(name); }

    zeek::RecordTypePtr type;
    zeek::VectorTypePtr rows;
    zeek::RecordTypePtr row;
    zeek::RecordValPtr latest;
    int status, score, rank, unusual, news, meets, notable, why, reason, case_score, case_rows, model, after;
};

} // namespace iforest
