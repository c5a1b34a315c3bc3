// skerry sql: a statement on a device's store or on a server's database.
#include <skerry/device.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "server/app/server.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string place;
    std::string statement;
    bool json = false;
    bool csv = false;
};

Result<Table> run_on_server(const Options& options) {
    SKERRY_ASSIGN(server::ServerSql sql, server::ServerSql::open({options.place, ""}));
    return sql.run(options.statement);
}

Result<Table> run_on_store(const Options& options) {
    SKERRY_TRY(need_store(options.place));
    DeviceOptions device_options;
    device_options.path = options.place;
    SKERRY_ASSIGN(Device device, Device::open(device_options));
    return device.sql(options.statement);
}

Result<void> run(const Options& options) {
    SKERRY_ASSIGN(const Table table, is_folder(options.place) ? run_on_server(options) : run_on_store(options));
    if (options.json) print_out(format_table(table, Format::kJson));
    else if (options.csv) print_out(format_table(table, Format::kCsv));
    else print_out(table.columns.empty() ? "done\n" : format_table(table, Format::kTable));
    return {};
}

}  // namespace

void add_sql(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("sql", "Run SQL on a device's store or on a server's database");
    command->add_option("STORE|DIR", options->place, "a device's SQLite file, or a server's folder")->required();
    command->add_option("SQL", options->statement, "the statement")->required();
    auto* json = command->add_flag("--json", options->json, "print an array of objects; every digit of a number is kept");
    command->add_flag("--csv", options->csv, "print CSV; NULL is empty, empty text is \"\"")->excludes(json);
    teach(command,
          "Writes are captured as those of any program: on a store they are sent with the next sync, on a server's\n"
          "folder they reach every device. Works while a server runs on the folder.",
          "skerry sql ann.db \"UPDATE place SET population = 132326 WHERE name = 'Reykjavík'\"");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
