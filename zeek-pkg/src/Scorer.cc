#include "Scorer.h"

#include <zeek/IPAddr.h>
#include <zeek/ID.h>
#include <zeek/Type.h>

#include <cstring>
#include <exception>
#include <utility>

namespace iforest {

namespace {

// Sets the field of that name, which the scripts' type declares.
template<typename Value>
void Set(zeek::RecordVal& record, const char* name, Value value) {
    record.Assign(record.GetType()->AsRecordType()->FieldOffset(name), std::move(value));
}

zeek::RecordValPtr MakeRecord(const char* type) {
    return zeek::make_intrusive<zeek::RecordVal>(zeek::id::find_type<zeek::RecordType>(type));
}

zeek::ValPtr Count(uint64_t n) { return zeek::val_mgr->Count(n); }

zeek::ValPtr Enum(const char* type, uint32_t value) {
    return zeek::id::find_type<zeek::EnumType>(type)->GetEnumVal(value);
}

std::string_view View(const zeek::StringVal& s) {
    return {reinterpret_cast<const char*>(s.Bytes()), static_cast<size_t>(s.Len())};
}

zeek::ValPtr Address(const uint8_t (&bytes)[16]) {
    in6_addr a;
    memcpy(&a, bytes, sizeof a);
    return zeek::make_intrusive<zeek::AddrVal>(zeek::IPAddr(a)); // an IPv4 address where it is a mapped one
}

} // namespace

std::string Scorer::LoadModel(const zeek::StringVal& path) noexcept {
    try {
        std::string why;
        auto status = bridge.LoadModel(View(path), &why);
        Own().fingerprint.clear();
        return status == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

uint64_t Scorer::AddLog(const zeek::StringVal& path) {
    logs.emplace_back();
    return bridge.Add(std::string(View(path)));
}

zeek::ValPtr Scorer::Score(zeek::Val& info) noexcept {
    std::string why;
    auto status = ScoreWith(&Bridge::Score, info, &why);
    if ( status != IFOREST_BAD_RECORD )
        last_uid = record.UID(*info.AsRecordVal());
    return Tell(status, info, why);
}

zeek::ValPtr Scorer::Peek(zeek::Val& info) noexcept {
    auto bad_before = logs[0].bad_records;
    std::string why;
    auto status = ScoreWith(&Bridge::Peek, info, &why);
    logs[0].bad_records = bad_before; // it comes again
    auto r = Tell(status, info, why);
    if ( last_uid && status == IFOREST_OK )
        found.SetAfter(*r->AsRecordVal(), last_uid);
    return r;
}

zeek::ValPtr Scorer::ScoreRow(zeek::Val& info) noexcept {
    std::string why;
    auto status = ScoreValues(info, &why);
    return Tell(status, info, why);
}

// The record of a row, its columns unset; nullptr where it is none.
zeek::RecordVal* Scorer::RowOf(zeek::Val& info, std::string* why) {
    if ( info.GetType()->Tag() != zeek::TYPE_RECORD ) {
        *why = "not a record";
        ++Own().bad_records;
        return nullptr;
    }

    auto* row = info.AsRecordVal();
    if ( Own().columns.Resolve(row->GetType()->AsRecordType()) )
        bridge.GiveReasons(Own().columns.HasReason());
    Own().columns.Clear(*row);
    Own().last.news = 0;
    return row;
}

int32_t Scorer::ScoreWith(How how, zeek::Val& info, std::string* why) {
    try {
        auto* row = RowOf(info, why);
        if ( ! row )
            return IFOREST_BAD_RECORD;

        iforest_conn conn;
        if ( ! record.Read(*row, &conn, why) ) {
            ++Own().bad_records;
            return IFOREST_BAD_RECORD;
        }
        return (bridge.*how)(conn, &Own().last, why);
    } catch ( const std::exception& e ) {
        *why = e.what();
        return IFOREST_PANIC;
    }
}

int32_t Scorer::ScoreValues(zeek::Val& info, std::string* why) {
    try {
        auto* row = RowOf(info, why);
        if ( ! bridge.Prepare(why) )
            return IFOREST_NO_LIBRARY;

        if ( ! row )
            return IFOREST_BAD_RECORD;

        if ( ! Own().record.Read(*row, bridge.Fields(), &values, why) ) {
            ++Own().bad_records;
            return IFOREST_BAD_RECORD;
        }
        return bridge.ScoreValues(values, &Own().last, why);
    } catch ( const std::exception& e ) {
        *why = e.what();
        return IFOREST_PANIC;
    }
}

// Writes the columns of a row that has a score, and says what was found.
zeek::ValPtr Scorer::Tell(int32_t status, zeek::Val& info, const std::string& why) {
    auto& own = Own();
    if ( status != IFOREST_OK ) {
        bool news = own.last.news != 0;
        if ( news )
            own.fingerprint.clear();
        return found.Unscored(status, why, news);
    }

    auto r = found.Of(own.last);
    if ( own.fingerprint.empty() ) {
        iforest_model_info model{};
        if ( bridge.Model(&model) == IFOREST_OK ) {
            own.fingerprint = model.fingerprint;
            found.SetModel(*r, own.fingerprint);
        }
    }
    own.columns.Write(*info.AsRecordVal(), own.last, own.fingerprint);
    if ( own.last.news ) // perhaps of a model for the rows that follow
        own.fingerprint.clear();
    return r;
}

void Scorer::Clear(zeek::Val& info) noexcept {
    if ( info.GetType()->Tag() == zeek::TYPE_RECORD )
        Own().columns.Clear(*info.AsRecordVal());
}

zeek::ValPtr Scorer::Raise(zeek::RecordVal& row) noexcept {
    auto verdict = bridge.Raise(&Own().last);
    if ( verdict == IFOREST_RAISE )
        found.Complete(row, Own().last);
    return Enum("IForest::Verdict", verdict);
}

void Scorer::Configure(const zeek::RecordVal& r) noexcept {
    auto number = [&r](const char* name) { return r.GetFieldAs<zeek::CountVal>(r.GetType()->AsRecordType()->FieldOffset(name)); };
    auto yes = [&r](const char* name) { return r.GetFieldAs<zeek::BoolVal>(r.GetType()->AsRecordType()->FieldOffset(name)) ? 1 : 0; };
    auto text = [&r](const char* name) {
        return std::string(View(*r.GetField<zeek::StringVal>(r.GetType()->AsRecordType()->FieldOffset(name))));
    };
    try {
        Settings s;
        s.numbers.alerts_per_day = r.GetField("alerts_per_day")->AsDouble();
        s.numbers.use_seed = yes("seed_model");
        s.numbers.use_cases = yes("cases");
        s.numbers.forwards = yes("forwards");
        s.numbers.seed = number("seed");
        s.numbers.warmup = number("warmup");
        s.numbers.rebuild_every = number("rebuild_every");
        s.numbers.save_every = number("save_every");
        s.numbers.workers = number("workers");
        s.numbers.sample_one_in = number("sample_one_in");
        s.directory = text("directory");
        s.zeek_version = text("zeek_version");
        s.recording = text("recording");
        s.labels = text("labels");
        bridge.Set(std::move(s));
    } catch ( ... ) { // no memory: the settings before hold on
    }
}

void Scorer::Learn() {
    Own().fingerprint.clear();
    bridge.Learn();
}

void Scorer::Sample() {
    Own().fingerprint.clear();
    bridge.Sample();
}

zeek::ValPtr Scorer::NextEvent() noexcept {
    const auto event = bridge.NextEvent();
    auto r = MakeRecord("IForest::News");
    Set(*r, "kind", Enum("IForest::NewsKind", event.kind));
    Set(*r, "text", std::string(event.text));
    if ( event.context[0] )
        Set(*r, "context", std::string(event.context));
    if ( event.kind == IFOREST_INCIDENT ) {
        Set(*r, "n", Count(event.count));
        Set(*r, "first", zeek::make_intrusive<zeek::TimeVal>(event.first));
        Set(*r, "last", zeek::make_intrusive<zeek::TimeVal>(event.last));
        Set(*r, "score", zeek::make_intrusive<zeek::DoubleVal>(event.score));
        static constexpr uint8_t several[16] = {};
        if ( memcmp(event.host, several, sizeof several) != 0 )
            Set(*r, "host", Address(event.host));
        Set(*r, "inbound", zeek::val_mgr->Bool(event.inbound != 0));
        Set(*r, "over", zeek::val_mgr->Bool(event.over != 0));
        Set(*r, "orig_h", Address(event.orig_h));
        Set(*r, "resp_h", Address(event.resp_h));
        Set(*r, "resp_p", Count(event.resp_p));
        Set(*r, "other_origs", zeek::val_mgr->Bool(event.other_origs != 0));
        Set(*r, "other_resps", zeek::val_mgr->Bool(event.other_resps != 0));
        Set(*r, "log", std::string(event.log[0] ? event.log : "conn"));
        Set(*r, "other_logs", zeek::val_mgr->Bool(event.other_logs != 0));
        if ( event.period > 0 )
            Set(*r, "period", zeek::make_intrusive<zeek::IntervalVal>(event.period));
    }
    if ( event.kind == IFOREST_ALERT ) {
        Set(*r, "last", zeek::make_intrusive<zeek::TimeVal>(event.last));
        Set(*r, "score", zeek::make_intrusive<zeek::DoubleVal>(event.score));
        Set(*r, "row_score", zeek::make_intrusive<zeek::DoubleVal>(event.row_score));
        Set(*r, "rank", zeek::make_intrusive<zeek::DoubleVal>(event.rank));
        Set(*r, "uid", std::string(event.uid));
        Set(*r, "model", std::string(event.model));
        Set(*r, "log", std::string(event.log[0] ? event.log : "conn"));
        Set(*r, "orig_h", Address(event.orig_h));
        Set(*r, "resp_h", Address(event.resp_h));
        Set(*r, "orig_p", Count(event.orig_p));
        Set(*r, "resp_p", Count(event.resp_p));
        Set(*r, "proto", Enum("transport_proto", event.proto));
        Set(*r, "is_case", zeek::val_mgr->Bool(event.is_case != 0));
        if ( event.age > 0 )
            Set(*r, "age", zeek::make_intrusive<zeek::IntervalVal>(event.age));
    }
    return r;
}

zeek::ValPtr Scorer::TakeSamples() noexcept {
    auto r = MakeRecord("IForest::Samples");
    auto samples = bridge.TakeSamples();
    Set(*r, "rows", Count(samples.rows));
    Set(*r, "batch", std::move(samples.batch));
    return r;
}

std::string Scorer::Observe(const zeek::StringVal& batch) noexcept {
    try {
        std::string why;
        return bridge.Observe(View(batch), &why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

std::string Scorer::TakeCandidates() noexcept {
    try {
        return bridge.TakeCandidates();
    } catch ( ... ) { // no memory: they wait, or are lost
        return "";
    }
}

std::string Scorer::Decide(uint64_t worker, const zeek::StringVal& candidates) noexcept {
    try {
        std::string why;
        return bridge.Decide(worker, View(candidates), &why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

std::string Scorer::TakeCounts(uint64_t shards, uint64_t size) noexcept {
    try {
        return bridge.TakeCounts(shards, size);
    } catch ( ... ) { // no memory: what was counted waits, or is lost
        return "";
    }
}

std::string Scorer::AddCounts(uint64_t worker, const zeek::StringVal& counts) noexcept {
    try {
        std::string why;
        return bridge.AddCounts(worker, View(counts), &why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

std::string Scorer::TakeTotals(uint64_t size) noexcept {
    try {
        return bridge.TakeTotals(size);
    } catch ( ... ) {
        return "";
    }
}

std::string Scorer::TakeAll(uint64_t worker, uint64_t size) noexcept {
    try {
        return bridge.TakeAll(worker, size);
    } catch ( ... ) {
        return "";
    }
}

std::string Scorer::AddTotals(const zeek::StringVal& totals) noexcept {
    try {
        std::string why;
        return bridge.AddTotals(View(totals), &why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

zeek::ValPtr Scorer::ModelFile() noexcept {
    auto file = bridge.ModelFile();
    return zeek::make_intrusive<zeek::StringVal>(file.size(), file.data());
}

std::string Scorer::Adopt(const zeek::StringVal& model, const zeek::StringVal& fingerprint) noexcept {
    try {
        std::string why;
        Own().fingerprint.clear();
        return bridge.Adopt(View(model), View(fingerprint), &why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

std::string Scorer::Rollback() noexcept {
    try {
        std::string why;
        Own().fingerprint.clear();
        return bridge.Rollback(&why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

std::string Scorer::Finish() noexcept {
    try {
        std::string why;
        return bridge.Finish(&why) == IFOREST_OK ? "" : why;
    } catch ( const std::exception& e ) {
        return e.what();
    }
}

zeek::ValPtr Scorer::Model() noexcept {
    auto r = MakeRecord("IForest::Model");
    iforest_model_info info{};
    if ( bridge.Model(&info) == IFOREST_OK ) {
        Set(*r, "fingerprint", std::string(info.fingerprint));
        Set(*r, "rows", Count(info.rows));
        Set(*r, "by_seed", zeek::val_mgr->Bool(info.by_seed != 0));
        if ( info.by_seed == 0 ) {
            Set(*r, "first", zeek::make_intrusive<zeek::TimeVal>(info.first));
            Set(*r, "last", zeek::make_intrusive<zeek::TimeVal>(info.last));
            Set(*r, "seed", Count(info.seed));
        }
    }
    return r;
}

zeek::ValPtr Scorer::Statistics() noexcept {
    auto counts = bridge.Statistics();
    counts.calls[IFOREST_BAD_RECORD] += Own().bad_records;

    auto r = MakeRecord("IForest::Statistics");
    Set(*r, "library", zeek::val_mgr->Bool(bridge.Loaded()));
    Set(*r, "scored", Count(counts.calls[IFOREST_OK]));
    Set(*r, "no_library", Count(counts.calls[IFOREST_NO_LIBRARY]));
    Set(*r, "no_model", Count(counts.calls[IFOREST_NO_MODEL]));
    Set(*r, "bad_record", Count(counts.calls[IFOREST_BAD_RECORD]));
    Set(*r, "fault", Count(counts.calls[IFOREST_PANIC]));
    Set(*r, "by_seed", Count(counts.by_seed));
    Set(*r, "cold", Count(counts.cold));
    Set(*r, "models", Count(counts.models));
    Set(*r, "refused", Count(counts.refused));
    Set(*r, "looks", Count(counts.looks));
    Set(*r, "raised", Count(counts.raised));
    Set(*r, "folded", Count(counts.folded));
    Set(*r, "suppressed", Count(counts.suppressed));
    Set(*r, "unsent", Count(counts.unsent));
    Set(*r, "sampled", Count(counts.sampled));
    Set(*r, "samples_lost", Count(counts.samples_lost));
    Set(*r, "learning", zeek::val_mgr->Bool(counts.learning != 0));
    Set(*r, "rebuilding", zeek::val_mgr->Bool(counts.rebuilding != 0));
    Set(*r, "learnt", Count(counts.rows));
    Set(*r, "kinds", Count(counts.kinds));
    Set(*r, "quarantined", Count(counts.quarantined));
    Set(*r, "promoted", Count(counts.promoted));
    Set(*r, "not_promoted", Count(counts.not_promoted));
    Set(*r, "sum", zeek::make_intrusive<zeek::DoubleVal>(counts.sum));

    auto bins = zeek::make_intrusive<zeek::VectorVal>(zeek::id::index_vec);
    for ( auto n : counts.bins )
        bins->Assign(bins->Size(), Count(n));
    Set(*r, "bins", zeek::ValPtr(std::move(bins)));
    return r;
}

} // namespace iforest
