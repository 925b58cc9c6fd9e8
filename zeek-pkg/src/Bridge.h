#pragma once

#include <string>
#include <string_view>

#include "iforest_abi.h"

namespace iforest {

// The sensor library, a Go library beside the plugin. It is loaded when the
// first model is, so a Zeek that scores nothing never holds a Go runtime, and
// never unloaded, as Go cannot be. Knows nothing of Zeek; belongs to its main
// thread. Functions that take why write there what went wrong, as one line.
class Bridge {
public:
    // path is the library's absolute path. Nothing is loaded yet.
    explicit Bridge(std::string path) : path(std::move(path)) {}

    // Takes the model file into use, loading the library first where needed.
    int32_t LoadModel(std::string_view model, std::string* why);

    // IFOREST_NO_LIBRARY while the library is not loaded.
    int32_t Score(const iforest_conn& conn, iforest_result* result, std::string* why);
    int32_t Reason(std::string* text);
    int32_t Model(iforest_model_info* info);

    // Includes the calls of Score that never reached the library.
    iforest_counts Statistics();

    bool Loaded() const { return score != nullptr; }

private:
    bool Load(std::string* why);
    bool Open(std::string* why);

    const std::string path;
    uint64_t calls_without_library = 0;

    iforest_load_file_fn load_file = nullptr;
    iforest_score_fn score = nullptr; // set last: the sign that all are
    iforest_reason_fn reason = nullptr;
    iforest_model_fn model = nullptr;
    iforest_statistics_fn statistics = nullptr;
};

} // namespace iforest
