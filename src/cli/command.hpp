// How a command is added to the program: each file of this room offers one add_… function, which names its
// arguments, its help with an example, and what runs.
//
// Exit codes: 0 done, 1 it failed (the error is on standard error), 2 the command line is wrong.
#pragma once

#include <skerry/error.hpp>

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace skerry::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

struct Program {
    CLI::App app;
    int exit_code = kDone;

    // `run` is called when the command was chosen and its arguments are sound.
    void on_run(CLI::App* command, std::function<Result<void>()> run);
};

// What a command's help says below its options: a paragraph, then the example.
void teach(CLI::App* command, const std::string& text, const std::string& example);

void add_model(Program& program);
void add_types(Program& program);
void add_init(Program& program);
void add_serve(Program& program);
void add_backup(Program& program);
void add_restore(Program& program);
void add_devices(Program& program);
void add_import(Program& program);
void add_token(Program& program);
void add_device(Program& program);
void add_sync(Program& program);
void add_check(Program& program);
void add_export(Program& program);
void add_rebuild(Program& program);
void add_watch(Program& program);
void add_status(Program& program);
void add_conflicts(Program& program);
void add_drafts(Program& program);
void add_log(Program& program);
void add_quarantine(Program& program);
void add_sql(Program& program);

}  // namespace skerry::cli
