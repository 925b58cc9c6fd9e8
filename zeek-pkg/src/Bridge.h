#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "iforest_abi.h"

namespace iforest {

// What a sensor is told about its work: iforest_settings with texts of its own.
struct Settings {
    iforest_settings numbers{}; // its texts are empty
    std::string directory;
    std::string zeek_version;
    std::string recording;
    std::string labels;

    iforest_settings ForLibrary() const;
};

// Samples of connections, for another process to learn from.
struct Samples {
    std::string batch;
    uint64_t rows = 0;
};

// The sensor library, a Go library beside the plugin. It is loaded when the
// first model is, or when the first connection comes to be learnt from, so a
// Zeek that scores and learns nothing never holds a Go runtime, and never
// unloaded, as Go cannot be. It has a sensor for each log whose rows are
// scored; all calls are for that of conn.log, but while a Turn is held. Knows
// nothing of Zeek; belongs to its main thread. Functions that take why write
// there what went wrong, as one line.
class Bridge {
public:
    // path is the library's absolute path. Nothing is loaded yet.
    explicit Bridge(std::string path) : path(std::move(path)), sensors(1) { sensors[0].open = true; }

    // Makes a sensor of a log's rows, by the log's #path; nothing is loaded for
    // it until it is asked to learn or given a model.
    size_t Add(std::string log);

    // Whom calls are for.
    size_t At() const { return at; }

    // While it lives, calls are for one sensor.
    class Turn {
    public:
        Turn(Bridge* bridge, size_t sensor) : bridge(bridge), before(std::exchange(bridge->at, sensor)) {}
        ~Turn() { bridge->at = before; }
        Turn(const Turn&) = delete;
        Turn& operator=(const Turn&) = delete;

    private:
        Bridge* bridge;
        size_t before;
    };

    // Takes the model file into use, loading the library first where needed.
    int32_t LoadModel(std::string_view model, std::string* why);

    // Takes settings, now or when the library is loaded.
    void Set(Settings settings);

    // Asks for a reason with each result, or with none.
    void GiveReasons(bool give);

    // Asks for learning, from the first Score on; one that fails to begin says so.
    void Learn() { sensors[at].learn = true; }

    // Asks for connections to be sampled, from the first Score or Adopt on.
    void Sample() { sensors[at].sample = true; }

    // Takes a model that another process has learnt into use.
    int32_t Adopt(std::string_view model, std::string_view fingerprint, std::string* why);

    // What was sampled since the last call; empty if nothing was.
    Samples TakeSamples();

    // Learns from a batch, if learning was asked for; an empty one only begins it.
    // Events may wait afterwards.
    int32_t Observe(std::string_view batch, std::string* why);

    // What was counted in those shards since the last call, and totals that workers
    // lack, in at most so many bytes; empty if there is nothing.
    std::string TakeCounts(uint64_t shards, uint64_t size);
    std::string TakeTotals(uint64_t size);

    // At an owner: begins to tell a worker all totals, and the next part of them.
    void TellAll(uint64_t worker);
    std::string TakeAll(uint64_t worker, uint64_t size);

    // At an owner, for which the library is loaded where needed; and at a worker.
    int32_t AddCounts(uint64_t worker, std::string_view counts, std::string* why);
    int32_t AddTotals(std::string_view totals, std::string* why);

    // Says that nobody wants to hear of what the last row scored makes known.
    void Withhold();

    // The oldest message of rows that are left to another process; empty if
    // none waits.
    std::string TakeCandidates();

    // Decides about such a message of a worker. Learning begins first where it was
    // asked for, because the day of alerts is in its state. Events may wait
    // afterwards.
    int32_t Decide(uint64_t worker, std::string_view candidates, std::string* why);

    // The file of the model in use, or empty if there is none.
    std::string ModelFile();

    // IFOREST_NO_LIBRARY while the library is not loaded.
    int32_t Score(const iforest_conn& conn, iforest_result* result, std::string* why);

    // Scores a connection that goes on; nothing is counted or learnt. It does not
    // begin what was asked for.
    int32_t Peek(const iforest_conn& conn, iforest_result* result, std::string* why);

    // Score for a row of any log: a value for each of the Fields, which are
    // known where Prepare returns true. It begins what was asked for.
    bool Prepare(std::string* why);
    const std::vector<iforest_field_info>& Fields() const { return sensors[at].fields; }
    int32_t ScoreValues(const std::vector<iforest_value>& values, iforest_result* result, std::string* why);

    int32_t Model(iforest_model_info* info);

    // What becomes of the last row scored, which was unusual and has this result.
    uint32_t Raise(iforest_result* result);

    // The oldest event; one of the kind IFOREST_NOTHING where none waits.
    iforest_event NextEvent();

    int32_t Rollback(std::string* why);

    // Saves what was learnt, IFOREST_OK also where nothing was.
    int32_t Finish(std::string* why);

    // Includes the calls of Score that never reached the library.
    iforest_counts Statistics();

    bool Loaded() const { return score != nullptr && sensors[at].open; }

private:
    // What is asked of a sensor, and what is known of it.
    struct Sensor {
        std::string log;
        bool open = false;   // the library has it
        uint32_t number = 0; // as the library counts
        std::vector<iforest_field_info> fields;
        Settings settings;
        bool learn = false;  // asked for and not yet begun
        bool sample = false; // the same
        uint64_t calls_without_library = 0;
    };

    bool Ready();
    bool Apply(std::string* why);
    bool Load(std::string* why);
    bool LoadLibrary(std::string* why);
    bool Open(std::string* why);
    bool OpenSensor(std::string* why);
    bool Begin(std::string* why);
    int32_t ScoreWith(iforest_score_fn how, const iforest_conn& conn, iforest_result* result, std::string* why);

    const std::string path;
    std::vector<Sensor> sensors; // the first is conn.log's
    size_t at = 0;               // of them, whom calls are for
    uint32_t in_use = 0;         // in the library

    iforest_open_fn open_sensor = nullptr;
    iforest_use_fn use = nullptr;
    iforest_fields_fn list_fields = nullptr;
    iforest_score_values_fn score_values = nullptr;
    iforest_load_file_fn load_file = nullptr;
    iforest_learn_fn learn = nullptr;
    iforest_sample_fn sample = nullptr;
    iforest_take_samples_fn take_samples = nullptr;
    iforest_observe_fn observe = nullptr;
    iforest_take_counts_fn take_counts = nullptr;
    iforest_add_counts_fn add_counts = nullptr;
    iforest_take_totals_fn take_totals = nullptr;
    iforest_tell_all_fn tell_all = nullptr;
    iforest_take_all_fn take_all = nullptr;
    iforest_add_totals_fn add_totals = nullptr;
    iforest_withhold_fn withhold = nullptr;
    iforest_take_candidates_fn take_candidates = nullptr;
    iforest_decide_fn decide = nullptr;
    iforest_model_file_fn model_file = nullptr;
    iforest_adopt_fn adopt = nullptr;
    iforest_set_fn set = nullptr;
    iforest_raise_fn raise = nullptr;
    iforest_next_event_fn next_event = nullptr;
    iforest_rollback_fn rollback = nullptr;
    iforest_finish_fn finish = nullptr;
    iforest_peek_fn peek = nullptr;
    iforest_score_fn score = nullptr; // set last: the sign that all are
    iforest_model_fn model = nullptr;
    iforest_statistics_fn statistics = nullptr;
};

} // namespace iforest
