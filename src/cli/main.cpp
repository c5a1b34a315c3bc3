// skerry: the program. Commands are in files of their own.
#include <csignal>
#include <cstdio>

#include "cli/command.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

void Program::on_run(CLI::App* command, std::function<Result<void>()> run) {
    command->callback([this, run = std::move(run)] {
        const Result<void> done = run();
        if (done) return;
        print_error(done.error());
        exit_code = kFailed;
    });
}

void teach(CLI::App* command, const std::string& text, const std::string& example) {
    command->footer(text + "\n\nExample:\n  " + example);
}

namespace {

int run(int argc, char** argv) {
    Program program;
    program.app.description("Skerry keeps SQLite databases on many devices in step with one server, with or without a network.");
    program.app.name("skerry");
    program.app.set_version_flag("--version", "skerry " SKERRY_VERSION);
    program.app.require_subcommand(1);
    program.app.get_formatter()->column_width(30);
    program.app.footer(
        "`skerry COMMAND --help` explains a command with an example."
        "\nExit codes: 0 done, 1 failed, 2 wrong command line. Errors: docs/errors.md.");
    add_model(program);
    add_types(program);
    add_init(program);
    add_serve(program);
    add_backup(program);
    add_restore(program);
    add_devices(program);
    add_import(program);
    add_token(program);
    add_device(program);
    add_sync(program);
    add_check(program);
    add_export(program);
    add_rebuild(program);
    add_watch(program);
    add_status(program);
    add_conflicts(program);
    add_drafts(program);
    add_log(program);
    add_quarantine(program);
    add_sql(program);
    try {
        program.app.parse(argc, argv);
    } catch (const CLI::Success& wanted) {  // --help, --version
        program.app.exit(wanted);
        return kDone;
    } catch (const CLI::ParseError& error) {
        std::string what = error.what();
        const auto is_named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
        if (argc > 1 && argv[1][0] != '-' && program.app.get_subcommands(is_named).empty())
            what = "there is no command '" + std::string(argv[1]) + "'";
        std::fprintf(stderr, "skerry: %s\n", visible(what).c_str());
        std::string path = "skerry";
        for (const CLI::App* at = &program.app; !at->get_subcommands().empty();) {
            at = at->get_subcommands().front();
            path += " " + at->get_name();
        }
        std::fprintf(stderr, "  what to do: `%s --help` shows the arguments.\n", path.c_str());
        return kUsage;
    }
    return program.exit_code;
}

}  // namespace
}  // namespace skerry::cli

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a reader that went away is an error of the write, not a sudden end
    std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may grow no more
    try {
        return skerry::cli::run(argc, argv);
    } catch (const std::exception& error) {  // memory ran out, or a bug: a line, not a stack trace
        skerry::cli::print_error({skerry::Code::kInternal, error.what(), {}});
        return skerry::cli::kFailed;
    }
}
