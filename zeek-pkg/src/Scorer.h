#pragma once

#include <zeek/Val.h>

#include <deque>
#include <string>

#include "Bridge.h"
#include "ConnRecord.h"
#include "LogRecord.h"

namespace iforest {

// What the BiFs do (iforest.bif says what each returns). Nothing is thrown.
class Scorer {
public:
    explicit Scorer(std::string library) : bridge(std::move(library)), logs(1) {}

    // Makes a sensor of a log's rows; conn.log's is 0.
    uint64_t AddLog(const zeek::StringVal& path);

    // While it lives, all that follows is for one log; the last result, too. A
    // log that was not added is as conn.log.
    Bridge::Turn For(uint64_t log) { return {&bridge, at(log)}; }

    // Scores a row, and writes what is found to its record.
    double ScoreRow(uint64_t log, zeek::Val& info) noexcept;

    std::string LoadModel(const zeek::StringVal& path) noexcept;
    double Score(const zeek::Val& info) noexcept;
    double Peek(const zeek::Val& info) noexcept;
    bool Unusual() const { return Own().last.unusual != 0; }
    bool Meets() const { return Own().last.meets != 0; }
    void Withhold() { bridge.Withhold(); }
    void Forward() { bridge.Forward(); }
    std::string TakeCandidates() noexcept;
    std::string Decide(uint64_t worker, const zeek::StringVal& candidates) noexcept;
    bool News() const { return Own().last.news != 0; }
    zeek::ValPtr Raise() noexcept;
    zeek::ValPtr NextEvent() noexcept;
    void Learn(const Learning& how) { bridge.Learn(how); }
    void Sample(const Sampling& how) { bridge.Sample(how); }
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
    void SetAlerts(double per_day) { bridge.SetAlerts(per_day); }
    void UseSeed(bool use) { bridge.UseSeed(use); }
    void UseCases(bool use) { bridge.UseCases(use); }
    double CaseScore() const { return Own().last.case_score; }
    zeek::ValPtr Case() noexcept;
    std::string Rollback() noexcept;
    std::string Finish() noexcept;
    double Rank() const { return Own().last.rank; }
    std::string Reason() noexcept;
    const std::string& Message() const { return message; }
    zeek::ValPtr Model() noexcept;
    zeek::ValPtr Statistics() noexcept;

private:
    // What is known of a log's rows beside the sensor.
    struct Log {
        LogRecord record; // but for conn.log's, which is below
        iforest_result last{};
        std::string fingerprint; // of the model in use
        uint64_t bad_records = 0;
    };

    size_t at(uint64_t log) const { return log < logs.size() ? log : 0; }
    Log& Own() { return logs[bridge.At()]; }
    const Log& Own() const { return logs[bridge.At()]; }
    double Unscored(int32_t status);

    using How = int32_t (Bridge::*)(const iforest_conn&, iforest_result*, std::string*);
    double ScoreWith(How how, const zeek::Val& info) noexcept;

    Bridge bridge;
    std::deque<Log> logs; // as the bridge's sensors; the first is conn.log's
    std::vector<iforest_value> values; // of the latest row
    ConnRecord record;
    bool bad_record = false; // the latest, before the library saw it
    std::string message; // why the last call failed that did
};

} // namespace iforest
