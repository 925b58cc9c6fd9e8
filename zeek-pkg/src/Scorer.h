#pragma once

#include <zeek/Val.h>

#include <string>

#include "Bridge.h"
#include "ConnRecord.h"

namespace iforest {

// What the BiFs do (iforest.bif says what each returns). Nothing is thrown.
class Scorer {
public:
    explicit Scorer(std::string library) : bridge(std::move(library)) {}

    std::string LoadModel(const zeek::StringVal& path) noexcept;
    double Score(const zeek::Val& info) noexcept;
    bool Unusual() const { return last.unusual != 0; }
    bool News() const { return last.news != 0; }
    zeek::ValPtr Raise() noexcept;
    zeek::ValPtr NextEvent() noexcept;
    void Learn(const Learning& how) { bridge.Learn(how); }
    void Sample(uint64_t one_in) { bridge.Sample(one_in); }
    zeek::ValPtr TakeSamples() noexcept;
    std::string Observe(const zeek::StringVal& batch) noexcept;
    zeek::ValPtr ModelFile() noexcept;
    std::string Adopt(const zeek::StringVal& model, const zeek::StringVal& fingerprint) noexcept;
    void SetAlerts(double per_day) { bridge.SetAlerts(per_day); }
    void UseSeed(bool use) { bridge.UseSeed(use); }
    std::string Rollback() noexcept;
    std::string Finish() noexcept;
    double Rank() const { return last.rank; }
    std::string Reason() noexcept;
    const std::string& Message() const { return message; }
    zeek::ValPtr Model() noexcept;
    zeek::ValPtr Statistics() noexcept;

private:
    double Unscored(int32_t status);

    Bridge bridge;
    ConnRecord record;
    iforest_result last{};
    std::string message; // why the last call failed that did
    uint64_t bad_records = 0;
};

} // namespace iforest
