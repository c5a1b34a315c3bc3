// skerry devices: what a server knows of its devices, and forgetting one.
#include "server/app/devices.hpp"

#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string action;
    std::string id;
    bool json = false;
};

Value at(std::int64_t us) { return us == 0 ? Value{Null{}} : Value{timestamp_text(Micros{us}).substr(0, 16) + "Z"}; }
Value count(std::uint64_t n) { return Value{static_cast<std::int64_t>(n)}; }

Result<void> run_list(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    SKERRY_ASSIGN(const auto devices, server::list_devices({options.dir, ""}));
    Table table;
    table.columns = {"id", "name", "user", "heard", "behind", "scopes", "sent", "state"};
    for (const server::KnownDevice& device : devices)
        table.rows.push_back({Value{device.id}, Value{device.name}, Value{device.user}, at(device.heard_us), count(device.behind), count(device.scopes),
                              count(device.transactions), Value{std::string(device.forgotten ? "forgotten" : "enrolled")}});
    print_out(format_table(table, options.json ? Format::kJson : Format::kTable));
    return {};
}

Result<void> run_forget(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    SKERRY_ASSIGN(const auto device, server::forget_device({options.dir, ""}, options.id));
    print_out("forgotten: " + visible(device.name) + " of " + visible(device.user) + " (" + device.id + ")\n");
    return {};
}

}  // namespace

void add_devices(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("devices", "List a server's devices, or forget one");
    command->add_option("DIR", options->dir, "the server's folder")->required();
    auto* forget = command->add_option("ACTION", options->action, "`forget`: wait no longer for a device that is gone")->check(CLI::IsMember({"forget"}));
    forget->needs(command->add_option("ID", options->id, "of the device to forget, or the first digits of it"));
    command->add_flag("--json", options->json, "print the list as JSON");
    teach(command,
          "`heard`: when it last asked for changes, to the hour. `behind`: batches of changes since the cursor that it last\n"
          "presented. `scopes`: parts of the data that it holds. `sent`: transactions.\n"
          "What was deleted is kept until every device knows of it, or for the retention; a forgotten device is not waited\n"
          "for. Its tokens stay valid. If it comes back, it enrols anew and verifies its rows; nothing that it sent or will\n"
          "send is lost or applied twice.",
          "skerry devices shop forget 3f2a");
    program.on_run(command, [options] { return options->action.empty() ? run_list(*options) : run_forget(*options); });
}

}  // namespace skerry::cli
