#include "Found.h"

#include <zeek/ID.h>
#include <zeek/Type.h>

#include <utility>

namespace iforest {

zeek::RecordVal& Found::Next() {
    if ( ! type ) {
        type = zeek::id::find_type<zeek::RecordType>("IForest::Found");
        rows = zeek::id::find_type<zeek::VectorType>("IForest::CaseRows");
        row = zeek::id::find_type<zeek::RecordType>("IForest::CaseRow");
        status = At("status"), score = At("score"), rank = At("rank"), unusual = At("unusual"), news = At("news"), meets = At("meets"), notable = At("notable");
        why = At("why"), reason = At("reason"), case_score = At("case_score"), case_rows = At("case_rows");
        model = At("model"), after = At("after");
    }

    if ( ! latest || latest->RefCnt() > 1 ) // a script has kept it
        latest = zeek::make_intrusive<zeek::RecordVal>(type);
    else
        for ( int at : {score, rank, why, reason, case_score, case_rows, model, after} )
            if ( latest->HasRawField(at) )
                latest->Remove(at);

    return *latest;
}

zeek::RecordValPtr Found::Of(const iforest_result& result) {
    auto& r = Next();
    r.Assign(status, static_cast<int32_t>(IFOREST_OK));
    r.Assign(score, result.score);
    r.Assign(rank, result.rank);
    r.Assign(unusual, result.unusual != 0);
    r.Assign(news, result.news != 0);
    r.Assign(meets, result.meets != 0);
    r.Assign(notable, result.unusual != 0 || result.meets != 0 || result.news != 0);
    if ( result.case_score > 0 )
        r.Assign(case_score, result.case_score);
    return latest;
}

zeek::RecordValPtr Found::Unscored(int32_t s, const std::string& text, bool waits) {
    auto& r = Next();
    r.Assign(status, s);
    r.Assign(unusual, false);
    r.Assign(news, waits);
    r.Assign(meets, false);
    r.Assign(notable, true);
    r.Assign(why, text);
    return latest;
}

void Found::Complete(zeek::RecordVal& found, const iforest_result& result) {
    found.Assign(reason, static_cast<const char*>(result.reason));
    auto list = zeek::make_intrusive<zeek::VectorVal>(rows);
    for ( int i = 0; i < result.case_rows; ++i ) {
        const auto& c = result.case_row[i];
        auto r = zeek::make_intrusive<zeek::RecordVal>(row);
        r->Assign(row->FieldOffset("log"), static_cast<const char*>(c.log));
        r->Assign(row->FieldOffset("score"), c.score);
        r->Assign(row->FieldOffset("rank"), c.rank);
        r->Assign(row->FieldOffset("reason"), static_cast<const char*>(c.reason));
        list->Assign(list->Size(), zeek::ValPtr(std::move(r)));
    }
    found.Assign(case_rows, zeek::ValPtr(std::move(list)));
}

void Found::SetModel(zeek::RecordVal& found, const std::string& fingerprint) {
    found.Assign(model, fingerprint);
    found.Assign(news, true);
    found.Assign(notable, true);
}

void Found::SetAfter(zeek::RecordVal& found, zeek::StringValPtr uid) { found.Assign(after, zeek::ValPtr(std::move(uid))); }

} // namespace iforest
