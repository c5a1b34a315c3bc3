// skerry status: what a device's store or a server's folder holds.
#include <skerry/device.hpp>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/status_text.hpp"
#include "server/app/inspect.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string place;
    bool json = false;
};

// One line per entity with its number of rows. Names in a model are plain words: no quoting is needed.
template <class Run>
Result<Table> count_rows(const std::vector<std::string>& entities, const Run& run) {
    Table counts{{"entity", "rows"}, {}};
    for (const std::string& entity : entities) {
        SKERRY_ASSIGN(const Table one, run("SELECT count(*) FROM \"" + entity + "\""));
        if (one.rows.size() != 1) return fail(Code::kInternal, "counting " + entity + " gave no row");
        counts.rows.push_back({entity, one.rows[0][0]});
    }
    return counts;
}

Result<void> show_server(const Options& options) {
    SKERRY_ASSIGN(const model::Model model, server::read_model({options.place, ""}));
    SKERRY_ASSIGN(server::ServerSql sql, server::ServerSql::open({options.place, ""}));
    std::vector<std::string> entities;
    for (const model::Entity& entity : model.entities)
        if (!entity.builtin()) entities.push_back(entity.name);
    SKERRY_ASSIGN(const Table counts, count_rows(entities, [&](const std::string& query) { return sql.run(query); }));
    SKERRY_ASSIGN(const server::Inspector inspector, server::Inspector::open({options.place, ""}));
    SKERRY_ASSIGN(const auto drafts, inspector.drafts());
    SKERRY_ASSIGN(const auto held_back, inspector.quarantine());
    SKERRY_ASSIGN(const Table open, sql.run("SELECT count(*) FROM skerry_conflict WHERE state = 'open'"));
    const auto* open_count = std::get_if<std::int64_t>(&open.rows.at(0).at(0));
    const std::uint64_t conflicts = open_count == nullptr ? 0 : static_cast<std::uint64_t>(*open_count);
    if (options.json) {
        std::string rows = json_rows_on_one_line(counts);
        rows.pop_back();
        print_out("{\"app\": " + json_text(model.app) + ", \"model_version\": " + std::to_string(model.version) +
                  ", \"entities\": " + rows +
                  ", \"drafts\": " + std::to_string(drafts.size()) + ", \"conflicts\": " + std::to_string(conflicts) +
                  ", \"quarantined\": " + std::to_string(held_back.size()) + "}\n");
        return {};
    }
    print_out("server of the app '" + model.app + "', model version " + std::to_string(model.version) + "\n\n" +
              format_table(counts, Format::kTable));
    std::string waiting;
    const auto line = [&](std::uint64_t n, const char* one, const char* many, const char* command) {
        if (n > 0) waiting += grouped(n) + (n == 1 ? one : many) + " (" + command + ")\n";
    };
    line(conflicts, " conflict waits for a decision", " conflicts wait for a decision", "skerry conflicts");
    line(drafts.size(), " rejected transaction is kept as a draft", " rejected transactions are kept as drafts", "skerry drafts");
    line(held_back.size(), " row is held back from devices", " rows are held back from devices", "skerry quarantine");
    if (!waiting.empty()) print_out("\n" + waiting);
    return {};
}

Result<void> show_store(const Options& options) {
    SKERRY_TRY(need_store(options.place));
    DeviceOptions device_options;
    device_options.path = options.place;
    SKERRY_ASSIGN(Device device, Device::open(device_options));
    SKERRY_ASSIGN(const DeviceStatus status, device.status());
    if (options.json) print_out(status_json(status) + "\n");
    else print_out(status_text(status));
    return {};
}

}  // namespace

void add_status(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("status", "Say how a device's store or a server's folder stands");
    command->add_option("STORE|DIR", options->place, "a device's SQLite file, or a server's folder")->required();
    command->add_flag("--json", options->json, "print JSON");
    teach(command,
          "For a store: whose it is, when it was last in step, what waits to be sent, what a person must look at.\n"
          "For a folder: the model and the number of rows. Needs no network.",
          "skerry status ann.db");
    program.on_run(command, [options] { return is_folder(options->place) ? show_server(*options) : show_store(*options); });
}

}  // namespace skerry::cli
