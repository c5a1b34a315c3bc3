#include "simulation/try_model.hpp"

#include <unistd.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>

#include "cli/files.hpp"
#include "cli/print.hpp"
#include "kit/plan/for_model.hpp"
#include "kit/world/conditions.hpp"
#include "kit/world/runner.hpp"
#include "model/yaml/reader.hpp"

namespace skerry::sim {

namespace {

constexpr std::uint64_t kWorldsUnsaid = 100;
constexpr double kMinutesUnsaid = 0.5;
constexpr std::size_t kViolationsMax = 3;  // then it stops: more of the same would tell nothing
constexpr std::int64_t kDevicesMax = 5;

constexpr const char* kHelp =
    R"(skerry-sim --model FILE: what will my people meet with this model?

Runs Skerry's own simulator on your model: two to five people, each with a device, edit a few rows of your entities
as an app would. They work without a network for a while, then all meet; in half of the worlds the network has
faults, in half of them devices and the server crash. Server and devices are the real ones; network, disk and time
are simulated.

Tells whether all devices ended with the same rows and nothing that was committed was lost; for each attribute how often
two people changed it at once and what its policy made of it, with examples; which transactions were rejected; and
hints. Needs no server and writes no file.

  --model FILE      the model, as for `skerry model check`
  --devices N       people, 2 to 5; unsaid: each world has its own number
  --worlds N        so many worlds; unsaid: 100, or as many as 30 seconds allow
  --minutes M       for so long
  --seed S          the first world's seed, 1 if unsaid; equal seeds give equal worlds
  --json            the same as JSON
  --trace           every event of the worlds, to standard error
  --print-plan      what each world does, before it runs
  --dump DIR        the databases of a world that failed go to this folder

Exit code: 0 all held, 1 an invariant was violated, 2 wrong arguments or faults of the model.

Example:
  skerry-sim --model shop.yaml --worlds 50

Without --model it runs random worlds of a model of its own: docs/reliability.md.
)";

template <class Number>
bool number(const char* text, Number& out) {
    const std::string_view all(text);
    if constexpr (std::is_floating_point_v<Number>) {
        const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), out);
        return error == std::errc{} && end == all.data() + all.size();
    } else {
        const bool hex = all.starts_with("0x");
        const auto [end, error] = std::from_chars(all.data() + (hex ? 2 : 0), all.data() + all.size(), out, hex ? 16 : 10);
        return error == std::errc{} && end == all.data() + all.size();
    }
}

// "" or what is wrong.
std::string parse(int argc, char** argv, TryOptions& out, bool& help) {
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--help" || name == "-h") {
            help = true;
        } else if (name == "--json") {
            out.json = true;
        } else if (name == "--trace") {
            out.trace = true;
        } else if (name == "--print-plan") {
            out.print_plan = true;
        } else if (name != "--model" && name != "--devices" && name != "--worlds" && name != "--minutes" && name != "--seed" && name != "--dump") {
            return "beside --model there is no '" + name + "'";
        } else if (i + 1 == argc) {
            return name + " needs a value";
        } else {
            const char* value = argv[++i];
            bool good = true;
            if (name == "--model") out.file = value;
            if (name == "--dump") out.dump_to = value;
            if (name == "--devices") good = number(value, out.devices) && out.devices >= 2 && out.devices <= kDevicesMax;
            if (name == "--worlds") good = number(value, out.worlds.emplace()) && *out.worlds > 0;
            if (name == "--minutes") good = number(value, out.minutes.emplace()) && *out.minutes > 0;
            if (name == "--seed") good = number(value, out.first_seed);
            if (!good) return name + " cannot be '" + value + "'";
        }
    }
    return !help && out.file.empty() ? "which model? Say --model FILE" : "";
}

std::string shell_word(const std::string& text) {
    if (text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == std::string::npos && !text.empty()) return text;
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string replay(const TryOptions& options, std::uint64_t seed) {
    return "skerry-sim --model " + shell_word(options.file) + " --seed " + std::to_string(seed) + " --worlds 1" +
           (options.devices > 0 ? " --devices " + std::to_string(options.devices) : "") + " --trace";
}

// A line on the terminal that is redrawn while a world runs, however long that takes.
class ProgressLine {
  public:
    ProgressLine() : terminal_(::isatty(STDERR_FILENO) == 1), begun_(std::chrono::steady_clock::now()) {
        if (terminal_) drawer_ = std::thread([this] { draw(); });
    }
    ~ProgressLine() {
        if (!terminal_) return;
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        changed_.notify_all();
        drawer_.join();
        std::fprintf(stderr, "\r\033[K");
    }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    void worlds(std::uint64_t n) { worlds_ = n; }
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(); }

  private:
    void draw() {
        std::unique_lock lock(mutex_);
        while (!over_) {
            std::fprintf(stderr, "\r\033[K%s worlds, %.0f s", cli::grouped(worlds_).c_str(), seconds());
            std::fflush(stderr);
            changed_.wait_for(lock, std::chrono::milliseconds(500));
        }
    }
    const bool terminal_;
    const std::chrono::steady_clock::time_point begun_;
    std::atomic<std::uint64_t> worlds_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;
    std::thread drawer_;
};

}  // namespace

Tried try_model(const model::Model& model, const TryOptions& options, const std::function<bool(std::uint64_t)>& go_on) {
    const kit::Holds holds = kit::conditions_in_sql();
    const kit::Vocabulary vocabulary(model, holds);
    Meetings meetings(model, holds);
    const kit::Subject subject{model,
                               [&](Random& random, const model::Entity& entity, const model::Attribute& attribute) { return vocabulary.value(random, entity, attribute); },
                               holds, meetings};
    Tried out{{.file = options.file, .model = model, .devices = options.devices, .first_seed = options.first_seed}, {}};
    while (go_on(out.run.worlds) && out.run.violations.size() < kViolationsMax) {
        const std::uint64_t seed = options.first_seed + out.run.worlds++;
        const kit::Plan plan = kit::generate_plan({.model = model, .vocabulary = vocabulary, .devices = options.devices}, seed);
        if (options.print_plan) cli::print_out(kit::print(plan));
        meetings.begin_world();
        const kit::Report report = kit::run(plan, {.echo = options.trace, .subject = &subject, .dump_to = options.dump_to});
        if (!report.ok) out.run.violations.push_back({seed, report.failure.invariant, report.failure.what, replay(options, seed)});
    }
    out.findings = meetings.findings();
    return out;
}

bool asks_about_a_model(int argc, char** argv) {
    for (int i = 1; i < argc; ++i)
        if (const std::string_view name = argv[i]; name == "--model") return true;
    return false;
}

int try_main(int argc, char** argv) {
    TryOptions options;
    bool help = false;
    if (const std::string wrong = parse(argc, argv, options, help); !wrong.empty()) {
        std::fprintf(stderr, "skerry-sim: %s\n  what to do: `skerry-sim --help` shows the arguments.\n", cli::visible(wrong).c_str());
        return 2;
    }
    if (help) {
        cli::print_out(kHelp);
        return 0;
    }
    const auto text = cli::read_whole(options.file, model::kModelFileBytesMax + 1);
    auto model = text ? model::read_model(*text, options.file) : Result<model::Model>(fail(text.error()));
    if (!model) {
        cli::print_error(model.error());
        return 2;
    }
    const bool profiles = !model->profiles.empty();
    model->profiles.clear();
    model->principal.clear();
    const std::uint64_t worlds = options.worlds.value_or(options.minutes ? UINT64_MAX : kWorldsUnsaid);
    const double seconds = 60 * options.minutes.value_or(options.worlds ? 1e9 : kMinutesUnsaid);
    std::optional<ProgressLine> progress(std::in_place);
    Tried tried = try_model(*model, options, [&](std::uint64_t n) {
        progress->worlds(n);
        return n < worlds && (n == 0 || progress->seconds() < seconds);
    });
    progress.reset();  // the line goes before the report comes
    tried.run.profiles_left_out = profiles;
    cli::print_out(options.json ? report_json(tried.run, tried.findings) : report_text(tried.run, tried.findings));
    return tried.run.violations.empty() ? 0 : 1;
}

}  // namespace skerry::sim
