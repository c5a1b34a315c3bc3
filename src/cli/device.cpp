// skerry device open: a device's store.
#include <skerry/device.hpp>
#include <unistd.h>

#include <cstdlib>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/status_text.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string store;
    std::string server;
    std::string token;
    std::string token_file;
    std::string name;
    bool json = false;
};

constexpr std::size_t kTokenBytesMax = 8192;

// From the first place that has one: --token, --token-file, SKERRY_TOKEN. Empty: as stored.
Result<std::string> find_token(const Options& options) {
    if (!options.token.empty()) return options.token;
    std::string token;
    if (!options.token_file.empty()) {
        SKERRY_ASSIGN(token, read_whole(options.token_file, kTokenBytesMax));
        while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
        if (token.empty()) return fail(Code::kInvalidArgument, "the file '" + options.token_file + "' holds no token");
    } else if (const char* from_environment = std::getenv("SKERRY_TOKEN")) {
        token = from_environment;
    }
    return token;
}

std::string machine_name() {
    char name[256] = {};
    return ::gethostname(name, sizeof name - 1) == 0 ? name : "device";
}

// A store that never got its model holds nothing: left behind, it would look like one that is ready.
void remove_new_store(const std::string& path) {
    for (const char* ending : {"", "-wal", "-shm", "-journal"}) ::unlink((path + ending).c_str());
}

Result<void> run(const Options& options) {
    DeviceOptions device_options;
    device_options.path = options.store;
    device_options.server_url = options.server;
    device_options.name = options.name.empty() ? machine_name() : options.name;
    SKERRY_ASSIGN(device_options.token, find_token(options));
    const bool is_new = !is_file(options.store);
    if (is_new && (options.server.empty() || device_options.token.empty()))
        return fail(Code::kInvalidArgument, "a new store needs --server and a token (--token-file, --token or SKERRY_TOKEN)");
    Result<Device> opened = Device::open(device_options);
    if (!opened) {
        if (is_new) remove_new_store(options.store);
        return fail(std::move(opened.error()));
    }
    SKERRY_ASSIGN(DeviceStatus status, opened->status());
    // What the status says of a sync is about the one that fetched the model and then was stopped.
    status.problem.reset();
    if (options.json) {
        print_out(status_json(status) + "\n");
        return {};
    }
    print_out((is_new ? "made the store " : "opened the store ") + visible(options.store) + "\n" + status_text(status));
    if (!status.incomplete.empty()) print_out("next:\n  skerry sync " + visible(options.store) + "\n");
    return {};
}

}  // namespace

void add_device(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* device = program.app.add_subcommand("device", "Make a device's store, or change where it syncs");
    device->require_subcommand(1);
    teach(device, "A device is one SQLite file for one user. `skerry device open --help` says more.",
          "skerry device open ann.db --server http://127.0.0.1:8737 --token-file ann.token");
    CLI::App* command = device->add_subcommand("open", "Make a device's store, or change where it syncs");
    command->add_option("STORE", options->store, "the SQLite file; made if it is not there")->required();
    command->add_option("--server", options->server, "the server's address; kept in the store");
    command->add_option("--token", options->token, "the user's token; seen by others in the list of processes");
    command->add_option("--token-file", options->token_file, "a file with the token; better");
    command->add_option("--name", options->name, "the device's name for people; this machine's if not given");
    command->add_flag("--json", options->json, "print JSON");
    teach(command,
          "The token may also stand in the environment variable SKERRY_TOKEN. A new store asks the server for the\n"
          "model, so it needs the network once; `skerry sync` then brings the rows.",
          "skerry device open ann.db --server http://127.0.0.1:8737 --token-file ann.token --name 'ann, laptop'");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
