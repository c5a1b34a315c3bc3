// skerry backup and skerry restore: a copy of a server, and a server from it.
#include "base/random.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"
#include "server/app/backup.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string file;
};

server::OnProgress drawn(Progress& progress) {
    return [&progress](const server::CopyProgress& at) {
        Progress::State state;
        if (at.bytes > 0) state.fraction = static_cast<double>(at.bytes_done) / static_cast<double>(at.bytes);
        state.bytes = at.bytes_done;
        progress.show(state);
    };
}

Result<void> run_backup(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    std::uint64_t bytes = 0;
    {
        Progress progress("backing up");
        SKERRY_ASSIGN(bytes, server::back_up({options.dir, ""}, options.file, drawn(progress)));
    }
    print_out(visible(options.file) + ": " + bytes_text(bytes) + ", checked\n");
    return {};
}

Result<void> run_restore(const Options& options) {
    SystemRandom random;
    {
        Progress progress("restoring");
        SKERRY_TRY(server::restore(options.file, {options.dir, ""}, random, drawn(progress)));
    }
    print_out("a server as " + visible(options.file) + " has it is in " + visible(options.dir) + "; `skerry serve " +
              visible(options.dir) + "` runs it\n");
    return {};
}

}  // namespace

void add_backup(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("backup", "Copy a server's database while it runs");
    command->add_option("DIR", options->dir, "the server's folder")->required();
    command->add_option("--to", options->file, "the new file; it must not exist")->required();
    teach(command,
          "One file with the state of one moment: rows, history, conflicts, drafts, hashes of tokens and the model in use.\n"
          "It is checked before it gets its name, and only you may read it. model.yaml and skerry.conf are not in it.",
          "skerry backup shop --to shop-monday.db");
    program.on_run(command, [options] { return run_backup(*options); });
}

void add_restore(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("restore", "Make a server's folder from a backup");
    command->add_option("FILE", options->file, "what `skerry backup` wrote")->required();
    command->add_option("--to", options->dir, "the folder; there must be no server in it")->required();
    teach(command,
          "Devices recognise that the server was restored: at their next sync they read everything again, and send what\n"
          "the backup lacks and they still have. Never let the old server run again beside the restored one. Tokens made\n"
          "after the backup are unknown to it.",
          "skerry restore shop-monday.db --to shop");
    program.on_run(command, [options] { return run_restore(*options); });
}

}  // namespace skerry::cli
