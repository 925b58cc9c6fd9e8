#include "Bridge.h"

#include <dlfcn.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <utility>

#include "AddressSpace.h"
#include "SignalMask.h"

namespace iforest {

namespace {

using Message = std::array<char, 1024>;

// Go takes over SIGPIPE, which Zeek ignores (src/zeek-setup.cc); puts it back.
class KeepSigpipe {
public:
    KeepSigpipe() { sigaction(SIGPIPE, nullptr, &before); }
    ~KeepSigpipe() { sigaction(SIGPIPE, &before, nullptr); }
    KeepSigpipe(const KeepSigpipe&) = delete;
    KeepSigpipe& operator=(const KeepSigpipe&) = delete;

private:
    struct sigaction before;
};

// Go's monitor thread takes naps of 20 microseconds for as long as calls come in
// from C, up to six percent of a core. A thread inherits the slack that the
// kernel may add to a nap from the one that starts it: with ten milliseconds,
// Go's own longest nap, it wakes with the clock's tick. (The kernel knows no
// slack for threads under a real-time policy.)
class SlackForGo {
public:
    SlackForGo() : before(prctl(PR_GET_TIMERSLACK)) { prctl(PR_SET_TIMERSLACK, 10'000'000UL); }
    ~SlackForGo() { prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before)); }
    SlackForGo(const SlackForGo&) = delete;
    SlackForGo& operator=(const SlackForGo&) = delete;

private:
    int before; // nanoseconds
};

template<typename Function>
bool Find(void* library, const char* name, Function* function, std::string* why) {
    *function = reinterpret_cast<Function>(dlsym(library, name));
    if ( *function )
        return true;
    *why = std::string("it has no function ") + name;
    return false;
}

// Calls a function of the library that has something to say, with the
// asynchronous signals masked.
template<typename Function, typename... Arguments>
int32_t Call(std::string* said, Function function, Arguments... arguments) {
    Message message{};
    auto mask = SignalMask::Asynchronous();
    auto status = function(arguments..., message.data(), message.size());
    *said = message.data();
    return status;
}

} // namespace

size_t Bridge::Add(std::string log) {
    sensors.emplace_back();
    sensors.back().log = std::move(log);
    return sensors.size() - 1;
}

// Reports whether the library has the sensor that calls are for, and makes it
// the one in use there.
bool Bridge::Ready() {
    if ( ! Loaded() )
        return false;

    if ( auto number = sensors[at].number; number != in_use ) {
        auto mask = SignalMask::Asynchronous();
        use(number);
        in_use = number;
    }
    return true;
}

// Loads what the sensor that calls are for needs.
bool Bridge::Load(std::string* why) { return (score || LoadLibrary(why)) && (Ready() || OpenSensor(why)); }

bool Bridge::OpenSensor(std::string* why) {
    auto& own = sensors[at];
    if ( Call(why, open_sensor, iforest_text{own.log.data(), own.log.size()}, &own.number) != IFOREST_OK )
        return false;

    own.open = true;
    in_use = own.number;
    uint64_t n = 0;
    own.fields.resize(IFOREST_MAX_FIELDS);
    auto mask = SignalMask::Asynchronous();
    list_fields(own.fields.data(), &n);
    own.fields.resize(n);
    return Apply(why);
}

bool Bridge::LoadLibrary(std::string* why) {
    if ( ! AddressSpaceForGo(why) )
        return false;

    if ( Open(why) )
        return true;

    *why = "the sensor library " + path + " cannot be used: " + *why + ": install the package again";
    return false;
}

bool Bridge::Open(std::string* why) {
    auto mask = SignalMask::All();
    KeepSigpipe pipe;
    SlackForGo slack;

    // By absolute path, and local: a second Go library in this process keeps
    // its own runtime.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if ( ! library ) {
        const char* reason = dlerror();
        *why = reason ? reason : "it cannot be loaded";
        return false;
    }

    iforest_abi_version_fn abi_version;
    if ( ! Find(library, "iforest_abi_version", &abi_version, why) )
        return false;

    if ( auto version = abi_version(); version != IFOREST_ABI_VERSION ) {
        *why = "it speaks version " + std::to_string(version) + " of the interface, the plugin version " +
               std::to_string(IFOREST_ABI_VERSION);
        return false;
    }

    iforest_start_fn start;
    iforest_score_fn found;
    if ( ! Find(library, "iforest_start", &start, why) || ! Find(library, "iforest_load_file", &load_file, why) ||
         ! Find(library, "iforest_score", &found, why) || ! Find(library, "iforest_set", &set, why) ||
         ! Find(library, "iforest_model", &model, why) || ! Find(library, "iforest_statistics", &statistics, why) ||
         ! Find(library, "iforest_sample", &sample, why) || ! Find(library, "iforest_take_samples", &take_samples, why) ||
         ! Find(library, "iforest_observe", &observe, why) || ! Find(library, "iforest_model_file", &model_file, why) ||
         ! Find(library, "iforest_adopt", &adopt, why) || ! Find(library, "iforest_learn", &learn, why) ||
         ! Find(library, "iforest_raise", &raise, why) || ! Find(library, "iforest_next_event", &next_event, why) ||
         ! Find(library, "iforest_rollback", &rollback, why) || ! Find(library, "iforest_finish", &finish, why) ||
         ! Find(library, "iforest_open", &open_sensor, why) || ! Find(library, "iforest_use", &use, why) ||
         ! Find(library, "iforest_fields", &list_fields, why) || ! Find(library, "iforest_score_values", &score_values, why) ||
         ! Find(library, "iforest_peek", &peek, why) ||
         ! Find(library, "iforest_take_counts", &take_counts, why) || ! Find(library, "iforest_add_counts", &add_counts, why) ||
         ! Find(library, "iforest_take_totals", &take_totals, why) || ! Find(library, "iforest_add_totals", &add_totals, why) ||
         ! Find(library, "iforest_tell_all", &tell_all, why) || ! Find(library, "iforest_take_all", &take_all, why) ||
         ! Find(library, "iforest_withhold", &withhold, why) ||
         ! Find(library, "iforest_take_candidates", &take_candidates, why) || ! Find(library, "iforest_decide", &decide, why) )
        return false;

    Message message{};
    if ( start(message.data(), message.size()) != IFOREST_OK ) {
        *why = message.data();
        return false;
    }

    auto settings = sensors[0].settings.ForLibrary();
    if ( set(&settings, message.data(), message.size()) != IFOREST_OK ) {
        *why = message.data();
        return false;
    }

    score = found;
    return true;
}

iforest_settings Settings::ForLibrary() const {
    auto s = numbers;
    s.directory = {directory.data(), directory.size()};
    s.zeek_version = {zeek_version.data(), zeek_version.size()};
    s.recording = {recording.data(), recording.size()};
    s.labels = {labels.data(), labels.size()};
    return s;
}

// Gives the library, which is ready, the settings of the sensor that calls are for.
bool Bridge::Apply(std::string* why) {
    auto settings = sensors[at].settings.ForLibrary();
    return Call(why, set, static_cast<const iforest_settings*>(&settings)) == IFOREST_OK;
}

void Bridge::Set(Settings settings) {
    auto& own = sensors[at].settings;
    settings.numbers.reasons = own.numbers.reasons;
    own = std::move(settings);
    std::string why; // of a fault: the settings before hold on
    if ( Ready() )
        Apply(&why);
}

void Bridge::GiveReasons(bool give) {
    auto& reasons = sensors[at].settings.numbers.reasons;
    if ( reasons == (give ? 1 : 0) )
        return;

    reasons = give ? 1 : 0;
    std::string why;
    if ( Ready() )
        Apply(&why);
}

// Begins what was asked for; tried once.
bool Bridge::Begin(std::string* why) {
    bool learns = std::exchange(sensors[at].learn, false);
    bool samples = std::exchange(sensors[at].sample, false);
    if ( ! learns && ! samples ) {
        if ( Ready() )
            return true;
        *why = "the sensor library could not be loaded, or was not asked for";
        return false;
    }

    if ( ! Ready() && ! Load(why) )
        return false;

    auto how = sensors[at].settings.ForLibrary();
    const iforest_settings* settings = &how;
    return (! learns || Call(why, learn, settings) == IFOREST_OK) &&
           (! samples || Call(why, sample, settings) == IFOREST_OK);
}

int32_t Bridge::LoadModel(std::string_view model_path, std::string* why) {
    if ( ! Ready() && ! Load(why) )
        return IFOREST_NO_LIBRARY;

    auto status = Call(why, load_file, iforest_text{model_path.data(), model_path.size()});
    if ( status == IFOREST_OK ) { // a model that is given is what is wanted
        sensors[at].learn = false;
        sensors[at].sample = false;
    }
    return status;
}

int32_t Bridge::Adopt(std::string_view file, std::string_view fingerprint, std::string* why) {
    if ( ! Begin(why) )
        return IFOREST_NO_LIBRARY;

    return Call(why, adopt, iforest_text{file.data(), file.size()},
                iforest_text{fingerprint.data(), fingerprint.size()});
}

Samples Bridge::TakeSamples() {
    Samples samples;
    if ( Ready() ) {
        uint64_t length = 0;
        samples.batch.resize(IFOREST_MAX_BATCH);
        auto mask = SignalMask::Asynchronous();
        take_samples(samples.batch.data(), &length, &samples.rows);
        samples.batch.resize(length);
    }
    return samples;
}

int32_t Bridge::Observe(std::string_view batch, std::string* why) {
    if ( ! Begin(why) )
        return IFOREST_NO_LIBRARY;

    if ( batch.empty() )
        return IFOREST_OK;

    uint8_t waiting = 0;
    return Call(why, observe, iforest_text{batch.data(), batch.size()}, &waiting);
}

std::string Bridge::TakeCounts(uint64_t shards, uint64_t size) {
    std::string counts;
    if ( Ready() ) {
        uint64_t length = 0;
        counts.resize(std::min<uint64_t>(size, IFOREST_MAX_EVIDENCE));
        auto mask = SignalMask::Asynchronous();
        take_counts(shards, counts.data(), counts.size(), &length);
        counts.resize(length);
    }
    return counts;
}

std::string Bridge::TakeTotals(uint64_t size) {
    std::string totals;
    if ( Ready() ) {
        uint64_t length = 0;
        totals.resize(std::min<uint64_t>(size, IFOREST_MAX_EVIDENCE));
        auto mask = SignalMask::Asynchronous();
        take_totals(totals.data(), totals.size(), &length);
        totals.resize(length);
    }
    return totals;
}

int32_t Bridge::AddCounts(uint64_t worker, std::string_view counts, std::string* why) {
    if ( ! Ready() && ! Load(why) )
        return IFOREST_NO_LIBRARY;

    return Call(why, add_counts, worker, iforest_text{counts.data(), counts.size()});
}

void Bridge::TellAll(uint64_t worker) {
    if ( Ready() ) {
        auto mask = SignalMask::Asynchronous();
        tell_all(worker);
    }
}

std::string Bridge::TakeAll(uint64_t worker, uint64_t size) {
    std::string totals;
    if ( Ready() ) {
        uint64_t length = 0;
        totals.resize(std::min<uint64_t>(size, IFOREST_MAX_EVIDENCE));
        auto mask = SignalMask::Asynchronous();
        take_all(worker, totals.data(), totals.size(), &length);
        totals.resize(length);
    }
    return totals;
}

// A worker that has just begun takes what it had counted before; one that is not
// to sample, and is without the library, scores nothing.
int32_t Bridge::AddTotals(std::string_view totals, std::string* why) {
    if ( sensors[at].sample && ! Begin(why) )
        return IFOREST_NO_LIBRARY;

    if ( ! Ready() )
        return IFOREST_OK;

    return Call(why, add_totals, iforest_text{totals.data(), totals.size()});
}

void Bridge::Withhold() {
    if ( Ready() ) {
        auto mask = SignalMask::Asynchronous();
        withhold();
    }
}

std::string Bridge::TakeCandidates() {
    std::string candidates;
    if ( Ready() ) {
        uint64_t length = 0;
        candidates.resize(IFOREST_MAX_CANDIDATES);
        auto mask = SignalMask::Asynchronous();
        take_candidates(candidates.data(), &length);
        candidates.resize(length);
    }
    return candidates;
}

int32_t Bridge::Decide(uint64_t worker, std::string_view candidates, std::string* why) {
    if ( sensors[at].learn ? ! Begin(why) : ! Ready() && ! Load(why) )
        return IFOREST_NO_LIBRARY;

    return Call(why, decide, worker, iforest_text{candidates.data(), candidates.size()});
}

std::string Bridge::ModelFile() {
    std::string file;
    uint64_t length = 0;
    if ( ! Ready() )
        return file;

    auto mask = SignalMask::Asynchronous();
    if ( model_file(nullptr, 0, &length) == IFOREST_OK ) {
        file.resize(length);
        model_file(file.data(), file.size(), &length);
    }
    return file;
}

bool Bridge::Prepare(std::string* why) {
    if ( sensors[at].learn || sensors[at].sample )
        Begin(why);

    if ( Ready() )
        return true;

    ++sensors[at].calls_without_library;
    return false;
}

int32_t Bridge::ScoreValues(const std::vector<iforest_value>& values, iforest_result* result, std::string* why) {
    Message message;
    int32_t status;
    {
        auto mask = SignalMask::Asynchronous();
        status = score_values(values.data(), values.size(), result, message.data(), message.size());
    }
    if ( status != IFOREST_OK )
        *why = message.data();
    return status;
}

int32_t Bridge::Score(const iforest_conn& conn, iforest_result* result, std::string* why) {
    return Prepare(why) ? ScoreWith(score, conn, result, why) : IFOREST_NO_LIBRARY;
}

int32_t Bridge::Peek(const iforest_conn& conn, iforest_result* result, std::string* why) {
    return Ready() ? ScoreWith(peek, conn, result, why) : IFOREST_NO_LIBRARY;
}

int32_t Bridge::ScoreWith(iforest_score_fn how, const iforest_conn& conn, iforest_result* result, std::string* why) {
    Message message;
    int32_t status;
    {
        auto mask = SignalMask::Asynchronous();
        status = how(&conn, result, message.data(), message.size());
    }
    if ( status != IFOREST_OK )
        *why = message.data();
    return status;
}

int32_t Bridge::Model(iforest_model_info* info) {
    if ( ! Ready() )
        return IFOREST_NO_LIBRARY;

    auto mask = SignalMask::Asynchronous();
    return model(info);
}

uint32_t Bridge::Raise(iforest_result* result) {
    uint32_t verdict = IFOREST_SUPPRESSED;
    if ( Ready() ) {
        auto mask = SignalMask::Asynchronous();
        raise(&verdict, result);
    }
    return verdict;
}

iforest_event Bridge::NextEvent() {
    iforest_event event{};
    if ( Ready() ) {
        auto mask = SignalMask::Asynchronous();
        next_event(&event);
    }
    return event;
}

int32_t Bridge::Rollback(std::string* why) {
    if ( ! Ready() ) {
        *why = "there is no model yet";
        return IFOREST_NO_LIBRARY;
    }

    return Call(why, rollback);
}

int32_t Bridge::Finish(std::string* why) {
    sensors[at].learn = false;
    sensors[at].sample = false;
    if ( ! Ready() )
        return IFOREST_OK;

    return Call(why, finish);
}

iforest_counts Bridge::Statistics() {
    iforest_counts counts{};
    if ( Ready() ) {
        auto mask = SignalMask::Asynchronous();
        statistics(&counts);
    }
    counts.calls[IFOREST_NO_LIBRARY] += sensors[at].calls_without_library;
    return counts;
}

} // namespace iforest
