#include "Columns.h"

#include <string_view>

#include "PlaceOf.h"

namespace iforest {

namespace {

// Sets the column, where there is one.
template<typename Value>
void Set(zeek::RecordVal& row, int at, Value value) {
    if ( at >= 0 )
        row.Assign(at, value);
}

} // namespace

bool Columns::Resolve(const zeek::RecordType* record) {
    if ( record == type )
        return false;

    type = record;
    score = PlaceOf(*type, "anomaly_score", zeek::TYPE_DOUBLE);
    rank = PlaceOf(*type, "anomaly_rank", zeek::TYPE_COUNT);
    reason = PlaceOf(*type, "anomaly_reason", zeek::TYPE_STRING);
    model = PlaceOf(*type, "anomaly_model", zeek::TYPE_STRING);
    case_score = PlaceOf(*type, "anomaly_case", zeek::TYPE_DOUBLE);
    uid_log = PlaceOf(*type, "anomaly_uid_log", zeek::TYPE_STRING);
    uid_score = PlaceOf(*type, "anomaly_uid_score", zeek::TYPE_DOUBLE);
    uid_rank = PlaceOf(*type, "anomaly_uid_rank", zeek::TYPE_COUNT);
    uid_reason = PlaceOf(*type, "anomaly_uid_reason", zeek::TYPE_STRING);
    return true;
}

void Columns::Clear(zeek::RecordVal& row) const {
    for ( int at : {score, rank, reason, model, case_score, uid_log, uid_score, uid_rank, uid_reason} )
        if ( at >= 0 && row.HasRawField(at) )
            row.Remove(at);
}

void Columns::Write(zeek::RecordVal& row, const iforest_result& result, const std::string& fingerprint) const {
    Set(row, score, result.score);
    Set(row, rank, static_cast<uint64_t>(result.rank));
    Set(row, reason, static_cast<const char*>(result.reason));
    Set(row, model, std::string_view(fingerprint));
    if ( result.case_score == 0 ) // by the seed model, or not asked for
        return;

    Set(row, case_score, result.case_score);
    if ( result.case_rows == 0 )
        return;

    const auto& strangest = result.case_row[0];
    Set(row, uid_log, static_cast<const char*>(strangest.log));
    Set(row, uid_score, strangest.score);
    Set(row, uid_rank, static_cast<uint64_t>(strangest.rank));
    if ( strangest.reason[0] )
        Set(row, uid_reason, static_cast<const char*>(strangest.reason));
}

} // namespace iforest
