#include "Columns.h"

#include <string_view>

namespace iforest {

namespace {

// The place of the column of that name and type, or -1 if there is none.
int Find(const zeek::RecordType& record, const char* name, zeek::TypeTag tag) {
    int at = record.FieldOffset(name);
    return at >= 0 && record.GetFieldType(at)->Tag() == tag ? at : -1;
}

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
    score = Find(*type, "anomaly_score", zeek::TYPE_DOUBLE);
    rank = Find(*type, "anomaly_rank", zeek::TYPE_COUNT);
    reason = Find(*type, "anomaly_reason", zeek::TYPE_STRING);
    model = Find(*type, "anomaly_model", zeek::TYPE_STRING);
    case_score = Find(*type, "anomaly_case", zeek::TYPE_DOUBLE);
    uid_log = Find(*type, "anomaly_uid_log", zeek::TYPE_STRING);
    uid_score = Find(*type, "anomaly_uid_score", zeek::TYPE_DOUBLE);
    uid_rank = Find(*type, "anomaly_uid_rank", zeek::TYPE_COUNT);
    uid_reason = Find(*type, "anomaly_uid_reason", zeek::TYPE_STRING);
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
