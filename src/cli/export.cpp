// skerry export and skerry rebuild: what only a device has, and a store from it.
#include <skerry/outbox.hpp>

#include <cstdio>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string store;
    std::string file;
    std::string passphrase_file;
};

constexpr std::size_t kPassphraseBytesMax = 4096;
constexpr std::size_t kOutboxBytesMax = std::size_t{1} << 30;  // it is read into memory

Result<std::string> passphrase_of(const Options& options) {
    if (options.passphrase_file.empty()) return std::string();
    SKERRY_ASSIGN(std::string text, read_whole(options.passphrase_file, kPassphraseBytesMax));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (text.empty()) return fail(Code::kInvalidArgument, "the file '" + options.passphrase_file + "' holds no passphrase");
    return text;
}

Result<void> run_export(const Options& options) {
    SKERRY_TRY(need_store(options.store));
    if (is_file(options.file)) return fail(Code::kAlreadyExists, "there is a file at " + options.file + " already");
    SKERRY_ASSIGN(const std::string passphrase, passphrase_of(options));
    SKERRY_ASSIGN(const std::string outbox, export_outbox(options.store, passphrase));
    SKERRY_TRY(write_whole(options.file, outbox, Mode::kPrivate));
    print_out(visible(options.file) + ": " + bytes_text(outbox.size()) + (passphrase.empty() ? ", not encrypted, without the token\n" : ", sealed\n"));
    if (passphrase.empty()) std::fprintf(stderr, "anybody who has the file can read it: give --passphrase-file to seal it\n");
    return {};
}

Result<void> run_rebuild(const Options& options) {
    SKERRY_ASSIGN(const std::string passphrase, passphrase_of(options));
    SKERRY_ASSIGN(const std::string outbox, read_whole(options.file, kOutboxBytesMax));
    SKERRY_TRY(rebuild_store(outbox, passphrase, options.store));
    print_out(visible(options.store) + " has the identity and the changes of " + visible(options.file) + "; `skerry sync " + visible(options.store) +
              "` brings the rows\n");
    return {};
}

}  // namespace

void add_export(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("export", "Save what only a device has: identity, changes, drafts");
    command->add_option("STORE", options->store, "the device's SQLite file")->required();
    command->add_option("FILE", options->file, "the new file; it must not exist")->required();
    command->add_option("--passphrase-file", options->passphrase_file, "seal the file with the passphrase in this one");
    teach(command,
          "Rows are not in it, the server has them; rows that never leave the device are. With a passphrase the file is encrypted\n"
          "and holds the device's token; without, anybody can read it and only damage is noticed. `skerry rebuild` makes a\n"
          "store from it. Tables of the app's own are not in it.",
          "skerry export ann.db ann.outbox --passphrase-file phrase.txt");
    program.on_run(command, [options] { return run_export(*options); });
}

void add_rebuild(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("rebuild", "Make a device's store from what `skerry export` saved");
    command->add_option("FILE", options->file, "what `skerry export` wrote")->required();
    command->add_option("STORE", options->store, "the new SQLite file; it must not exist")->required();
    command->add_option("--passphrase-file", options->passphrase_file, "the passphrase that the file was sealed with");
    teach(command,
          "The store has the same identity, changes and drafts; its first sync brings the rows, and then nothing differs from\n"
          "the old one. Never use both side by side. A file that was not sealed holds no token: `skerry device open` takes one.",
          "skerry rebuild ann.outbox ann.db --passphrase-file phrase.txt");
    program.on_run(command, [options] { return run_rebuild(*options); });
}

}  // namespace skerry::cli
