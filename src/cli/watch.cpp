// skerry watch: a live query.
#include <skerry/device.hpp>

#include <chrono>
#include <csignal>
#include <cstdio>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string store;
    std::string query;
    std::uint64_t count = 0;
    double timeout = 0;
    bool json = false;
    bool local = false;
};

volatile std::sig_atomic_t g_interrupted = 0;
void on_signal(int) { g_interrupted = 1; }

// Says on standard error when the server is out of reach and when it is back: the results alone do not show it.
class Reach {
  public:
    void look(Device& device) {
        const auto status = device.status();
        if (!status) return;
        const std::string now = status->problem ? std::string(code_name(status->problem->code)) : "";
        if (now == last_) return;
        last_ = now;
        if (now.empty()) std::fprintf(stderr, "watch: in touch with the server again\n");
        else if (status->synced_elsewhere) std::fprintf(stderr, "watch: another program syncs this store; showing what it brings\n");
        else std::fprintf(stderr, "watch: %s; showing local data\n", visible(now + ": " + status->problem->message).c_str());
    }

  private:
    std::string last_;
};

Result<void> run(const Options& options) {
    SKERRY_TRY(need_store(options.store));
    DeviceOptions device_options;
    device_options.path = options.store;
    SKERRY_ASSIGN(Device device, Device::open(device_options));
    std::uint64_t results = 0;
    const auto enough = [&] { return options.count != 0 && results >= options.count; };
    SKERRY_TRY(device.watch(options.query, [&](const Table& table) {
        if (enough()) return;
        ++results;
        print_out(options.json ? json_rows_on_one_line(table) : (results > 1 ? "\n" : "") + format_table(table, Format::kTable));
        if (enough()) device.stop_running();
    }));
    device.set_foreground(true);
    if (!options.local) device.set_live(true);
    std::signal(SIGINT, on_signal);
    std::signal(SIGTERM, on_signal);
    using Clock = std::chrono::steady_clock;
    const auto begun = Clock::now();
    auto look_at = begun + std::chrono::seconds(1);
    Reach reach;
    while (g_interrupted == 0 && !enough() && std::ferror(stdout) == 0) {
        if (options.timeout > 0 && std::chrono::duration<double>(Clock::now() - begun).count() >= options.timeout) {
            if (options.count == 0) return {};
            return fail(Code::kBusy, "only " + grouped(results) + " of " + grouped(options.count) + " results came in " +
                                         real_text(options.timeout) + " s");
        }
        device.run_for(std::chrono::milliseconds(100));
        if (Clock::now() < look_at) continue;
        reach.look(device);
        look_at = Clock::now() + std::chrono::seconds(1);
    }
    return {};
}

}  // namespace

void add_watch(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("watch", "Show a query's result again whenever it changes");
    command->add_option("STORE", options->store, "the device's SQLite file")->required();
    command->add_option("SELECT", options->query, "the query")->required();
    command->add_option("--count", options->count, "end after so many results; the first comes at once");
    command->add_option("--timeout", options->timeout, "end after so many seconds; a failure if --count is not reached")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", options->json, "print each result as one line of JSON");
    command->add_flag("--local", options->local, "do not sync meanwhile");
    teach(command,
          "Stays connected to the server meanwhile: what others change arrives, what is written into the file by any\n"
          "program goes out. Works on without a network. Ends with Ctrl-C.",
          "skerry watch ann.db 'SELECT name, population FROM place ORDER BY population DESC LIMIT 5'");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
