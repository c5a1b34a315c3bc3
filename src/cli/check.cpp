// skerry check: every row of a device's store against the server's.
#include <skerry/device.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string store;
    bool json = false;
};

void print_json(const CheckReport& report) {
    std::string out = "{\"rows\": " + std::to_string(report.rows) + ", \"different\": " + std::to_string(report.different) +
                      ", \"repaired\": " + std::to_string(report.different - std::min(report.left, report.different)) +
                      ", \"left\": " + std::to_string(report.left) + ", \"examples\": [";
    for (std::size_t i = 0; i < report.examples.size(); ++i)
        out += (i == 0 ? "" : ", ") + std::string("{\"entity\": ") + json_text(report.examples[i].entity) + ", \"key\": " + json_text(report.examples[i].key) + "}";
    print_out(out + "]}\n");
}

void print_text(const CheckReport& report, double seconds) {
    char took[32];
    std::snprintf(took, sizeof took, "%.2f s", seconds);
    print_out(grouped(report.rows) + " rows compared with the server in " + took + ": ");
    if (report.different == 0) return print_out("no difference\n");
    print_out(grouped(report.different) + " differed, " + grouped(report.different - std::min(report.left, report.different)) + " repaired\n");
    for (const CheckReport::Row& row : report.examples) print_out("  " + visible(row.entity) + " " + visible(row.key) + "\n");
    if (report.different > report.examples.size()) print_out("  …\n");
    if (report.left > 0)
        print_out(grouped(report.left) + " differ still: `skerry quarantine` lists rows that could not be stored\n");
}

Result<void> run(const Options& options) {
    SKERRY_TRY(need_store(options.store));
    DeviceOptions device_options;
    device_options.path = options.store;
    SKERRY_ASSIGN(Device device, Device::open(device_options));
    Result<CheckReport> report = fail(Code::kInternal, "");
    double seconds = 0;
    {
        Progress progress("check");
        report = device.check([&](const DeviceStatus& now) {
            const bool compares = now.rows_compared > 0;
            progress.show({compares ? now.rows_compared : now.rows_received, std::nullopt, std::nullopt, now.bytes_received + now.bytes_sent});
        });
        seconds = progress.seconds();
    }
    if (!report) return fail(std::move(report.error()));
    if (options.json) {
        print_json(*report);
    } else {
        print_text(*report, seconds);
    }
    return {};
}

}  // namespace

void add_check(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("check", "Compare every row with the server, and mend what differs");
    command->add_option("STORE", options->store, "the device's SQLite file")->required();
    command->add_flag("--json", options->json, "print JSON");
    teach(command,
          "Syncs first. Then digests of ranges of rows are compared, and only rows that differ are sent again. Changes that\n"
          "were not sent yet are not touched. A sync does this by itself every seven days.",
          "skerry check ann.db");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
