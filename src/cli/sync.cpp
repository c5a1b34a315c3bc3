// skerry sync: one sync of a device's store, in full or of a part.
#include <skerry/device.hpp>

#include <cstdio>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/status_text.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string store;
    std::string unit = "full";
    std::vector<std::string> only;
    bool repair = false;
    bool json = false;
};

constexpr const char* kOnly = "only";

// What a person should know of: refusals and conflicts. The rest is counted.
struct Verdicts {
    std::uint64_t settled = 0;
    std::uint64_t refused = 0;

    void take(const Verdict& verdict) {
        ++settled;
        if (verdict.code.empty()) return;
        ++refused;
        std::fprintf(stderr, "transaction %llu: %s (%s): %s\n", static_cast<unsigned long long>(verdict.transaction),
                     verdict.verdict.c_str(), visible(verdict.code).c_str(), visible(verdict.message).c_str());
    }
};

Result<void> run(const Options& options) {
    SKERRY_TRY(need_store(options.store));
    DeviceOptions device_options;
    device_options.path = options.store;
    SKERRY_ASSIGN(Device device, Device::open(device_options));
    Verdicts verdicts;
    device.on_verdict([&](const Verdict& verdict) { verdicts.take(verdict); });
    device.set_foreground(true);
    Result<DeviceStatus> done = fail(Code::kInternal, "");
    double seconds = 0;
    {
        Progress progress("sync");
        const auto show = [&](const DeviceStatus& now) {
            progress.show({now.rows_received, now.rows_left, std::nullopt, now.bytes_received + now.bytes_sent});
        };
        if (options.repair) {
            done = device.repair(show);
        } else if (!options.only.empty()) {
            SKERRY_TRY(device.define_unit({.name = kOnly, .kind = SyncKind::kSelected, .entities = options.only}));
            done = device.run_unit(kOnly, show);
        } else {
            done = device.run_unit(options.unit, show);
        }
        seconds = progress.seconds();
    }
    if (!done) return fail(std::move(done.error()));
    if (options.json) {
        print_out(status_json(*done) + "\n");
        return {};
    }
    char took[32];
    std::snprintf(took, sizeof took, "%.2f s", seconds);
    if (options.unit == "pending") {
        print_out("sent to " + visible(done->server_url) + ": " + grouped(done->transactions_sent) +
                  (done->transactions_sent == 1 ? " transaction" : " transactions") + " (" + bytes_text(done->bytes_sent) + "), in " + took + "\n");
        if (done->waiting_to_settle > 0) print_out(status_text(*done));
        return {};
    }
    const std::string what = options.only.empty() ? "in step with " : "what was selected is in step with ";
    print_out(what + visible(done->server_url) + ": " + grouped(done->rows_received) +
              (done->rows_received == 1 ? " row" : " rows") + " received (" +
              bytes_text(done->bytes_received) + "), " + grouped(verdicts.settled) +
              (verdicts.settled == 1 ? " transaction" : " transactions") + " settled (" + bytes_text(done->bytes_sent) +
              " sent), in " + took + "\n");
    if (done->waiting_to_settle > 0 || done->drafts > 0 || done->conflicts > 0 || done->quarantined > 0) print_out(status_text(*done));
    return {};
}

}  // namespace

void add_sync(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("sync", "Send and receive everything that is new, once");
    command->add_option("STORE", options->store, "the device's SQLite file")->required();
    CLI::Option* unit = command->add_option("--unit", options->unit, "full, or pending: only send, and receive with a later sync")
                            ->check(CLI::IsMember({"full", "pending"}))
                            ->capture_default_str();
    CLI::Option* only = command->add_option("--only", options->only, "entities: send up to their last change, then download these only")
                            ->delimiter(',')
                            ->excludes(unit);
    CLI::Option* repair = command->add_flag("--repair", options->repair, "read everything from the server again and mend what differs");
    repair->excludes(unit)->excludes(only);
    command->add_flag("--json", options->json, "print JSON");
    teach(command,
          "Changes made by any program that wrote into the file are sent. Without a network it fails with `offline`\n"
          "and nothing is lost: run it again later. While another program syncs the store, such as `skerry watch`, it waits\n"
          "five seconds and fails with `sync_elsewhere`; nothing is lost: that one sends and receives for all.\n"
          "--repair keeps local changes that were not sent yet.",
          "skerry sync ann.db");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
