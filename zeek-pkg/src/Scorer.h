#pragma once

#include <zeek/Val.h>

#include <deque>
#include <string>

#include "Bridge.h"
#include "Columns.h"
#include "ConnRecord.h"
#include "Found.h"
#include "LogRecord.h"

namespace iforest {

// What the BiFs do (iforest.bif says what each returns). Nothing is thrown.
class Scorer {
public:
    explicit Scorer(std::string library) : bridge(std::move(library)), logs(1) {}

    // Makes a sensor of a log's rows; conn.log's is 0.
    uint64_t AddLog(const zeek::StringVal& path);

    // While it lives, all that follows is for one log. A log that was not added is
    // as conn.log.
    Bridge::Turn For(uint64_t log) { return {&bridge, log < logs.size() ? log : 0}; }

    std::string LoadModel(const zeek::StringVal& path) noexcept;
    zeek::ValPtr Score(zeek::Val& info) noexcept;
    zeek::ValPtr Peek(zeek::Val& info) noexcept;
    zeek::ValPtr ScoreRow(zeek::Val& info) noexcept;
    void Clear(zeek::Val& info) noexcept;
    zeek::ValPtr Raise(zeek::RecordVal& found) noexcept;
    void Withhold() { bridge.Withhold(); }
    std::string TakeCandidates() noexcept;
    std::string Decide(uint64_t worker, const zeek::StringVal& candidates) noexcept;
    zeek::ValPtr NextEvent() noexcept;
    void Configure(const zeek::RecordVal& settings) noexcept;
    void Learn();
    void Sample();
    zeek::ValPtr TakeSamples() noexcept;
    std::string Observe(const zeek::StringVal& batch) noexcept;
    std::string TakeCounts(uint64_t shards, uint64_t size) noexcept;
    std::string AddCounts(uint64_t worker, const zeek::StringVal& counts) noexcept;
    std::string TakeTotals(uint64_t size) noexcept;
    void TellAll(uint64_t worker) { bridge.TellAll(worker); }
    std::string TakeAll(uint64_t worker, uint64_t size) noexcept;
    std::string AddTotals(const zeek::StringVal& totals) noexcept;
    zeek::ValPtr ModelFile() noexcept;
    std::string Adopt(const zeek::StringVal& model, const zeek::StringVal& fingerprint) noexcept;
    std::string Rollback() noexcept;
    std::string Finish() noexcept;
    zeek::ValPtr Model() noexcept;
    zeek::ValPtr Statistics() noexcept;

private:
    // What is known of a log's rows beside the sensor.
    struct Log {
        LogRecord record; // but for conn.log's, which is below
        Columns columns;
        iforest_result last{};
        std::string fingerprint; // of the model in use, or empty if that is to be asked
        uint64_t bad_records = 0;
    };

    Log& Own() { return logs[bridge.At()]; }

    using How = int32_t (Bridge::*)(const iforest_conn&, iforest_result*, std::string*);
    int32_t ScoreWith(How how, zeek::Val& info, std::string* why);
    int32_t ScoreValues(zeek::Val& info, std::string* why);
    zeek::RecordVal* RowOf(zeek::Val& info, std::string* why);
    zeek::ValPtr Tell(int32_t status, zeek::Val& info, const std::string& why);

    Bridge bridge;
    std::deque<Log> logs; // as the bridge's sensors; the first is conn.log's
    std::vector<iforest_value> values; // of the latest row
    ConnRecord record;
    Found found;
    zeek::StringValPtr last_uid; // of the connection that was scored last at its end
};

} // namespace iforest
