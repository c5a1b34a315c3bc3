// skerry log: what happened, to one row or to all. skerry quarantine: received rows that could not be stored.
#include "base/result.hpp"
#include "cli/activity.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string place;
    std::string entity;
    std::string key;
    std::size_t limit = 50;
    bool json = false;
};

std::string joined(const std::vector<std::uint64_t>& numbers) {
    std::string out;
    for (const std::uint64_t number : numbers) out += (out.empty() ? "" : ", ") + std::to_string(number);
    return out;
}

// ---- a device's transactions ----

std::string as_json(const LogEntry& entry, const std::vector<ShownChange>& changes) {
    JsonObject object;
    object.number("transaction", entry.transaction).text("state", entry.state).text_or_null("verdict", entry.verdict);
    object.text_or_null("code", entry.code).text_or_null("message", entry.message).text_or_null("draft", entry.draft);
    if (entry.mended_by != 0) object.number("mended_by", entry.mended_by);
    if (!entry.mends.empty()) object.json("mends", "[" + joined(entry.mends) + "]");
    object.flag("strict", entry.strict)
        .text_or_null("made_at", entry.made_at)
        .text_or_null("settled_at", entry.settled_at);
    return object.json("changes", changes_json(changes)).done();
}

std::string as_lines(const LogEntry& entry, const std::vector<ShownChange>& changes) {
    std::string out = "transaction " + std::to_string(entry.transaction) + "  " +
                      (entry.verdict.empty() ? entry.state : entry.verdict) + (entry.strict ? ", strict" : "") +
                      "  made " + entry.made_at + (entry.settled_at.empty() ? "" : ", settled " + entry.settled_at) +
                      "\n";
    if (!entry.code.empty()) out += "  " + entry.code + ": " + visible(entry.message) + "\n";
    if (entry.draft == "open")
        out += "  kept as a draft\n";
    else if (!entry.draft.empty())
        out += "  its draft was " + entry.draft +
               (entry.mended_by == 0 ? "" : " by transaction " + std::to_string(entry.mended_by)) + "\n";
    if (!entry.mends.empty()) out += "  settles the drafts of " + joined(entry.mends) + "\n";
    return out + changes_text(changes);
}

Result<void> show_store(const Options& options) {
    SKERRY_ASSIGN(Device device, open_store(options.place));
    SKERRY_ASSIGN(const std::vector<LogEntry> entries, device.log({options.entity, options.key, options.limit}));
    std::vector<std::string> items;
    for (const LogEntry& entry : entries) {
        SKERRY_ASSIGN(const std::vector<ShownChange> changes, shown_changes(device, entry.changes));
        items.push_back(options.json ? as_json(entry, changes) : as_lines(entry, changes));
    }
    std::string state_json;
    std::string state_text;
    if (!options.key.empty()) {
        // A row that was never here has no state, but perhaps a log.
        if (const auto state = device.row_state(options.entity, options.key)) {
            JsonObject object;
            object.text("state", state->state).text_or_null("at", state->at);
            if (state->transaction != 0) object.number("transaction", state->transaction);
            if (!state->left.empty()) object.text("left", state->left).text_or_null("left_at", state->left_at);
            state_json = object.done();
            state_text = "the row is " + state->state + (state->at.empty() ? "" : ", " + state->at) +
                         (state->transaction == 0 ? "" : " (transaction " + std::to_string(state->transaction) + ")") +
                         (state->left.empty() ? "" : "; it is not here: " + state->left) + "\n\n";
        } else if (state.error().code != Code::kNotFound) {
            return tl::unexpected<Error>(state.error());
        }
    }
    if (options.json) {
        JsonObject object;
        if (!options.key.empty()) object.json("row", state_json.empty() ? "null" : state_json);
        std::string list = json_lines(items);
        list.pop_back();
        print_out(object.json("transactions", list).done() + "\n");
        return {};
    }
    print_out(state_text);
    for (const std::string& item : items) print_out(item + "\n");
    if (items.empty())
        print_out(options.key.empty() ? "no transaction was made here\n"
                                      : "no transaction made here touched the row\n");
    return {};
}

// ---- what a server took, refused and displaced ----

std::string device_text(const std::string& name, const std::string& id) {
    return name.empty() ? "device " + id.substr(0, 8) : "'" + visible(name) + "'";
}

std::string as_json(const server::LogEntry& entry, const std::vector<ShownChange>& changes) {
    JsonObject object;
    object.text("at", time_text(entry.at_us))
        .text_or_null("made_at", time_text(entry.made_at_us))
        .text("user", entry.user)
        .text("device", entry.device);
    object.text("device_name", entry.device_name).number("transaction", entry.number).text("verdict", entry.verdict);
    object.text_or_null("code", entry.code).text_or_null("message", entry.message);
    return object.json("changes", changes_json(changes)).done();
}

std::string as_json(const server::LostValue& lost, const std::vector<ShownChange>& values) {
    JsonObject object;
    object.text("at", time_text(lost.at_us))
        .text("entity", lost.entity)
        .text("key", lost.key)
        .text_or_null("attribute", lost.attribute);
    object.text("why", lost.why).text("user", lost.user).text("device", lost.device).number("transaction", lost.number);
    JsonObject fields;
    for (const ShownField& field : values.front().fields) fields.shown(field.attribute, field.was);
    return object.json("values", fields.done()).done();
}

std::string as_lines(const server::LostValue& lost, const std::vector<ShownChange>& values) {
    std::string out = time_text(lost.at_us) + "  " + lost.why + "  " + visible(lost.entity) + " " + visible(lost.key) +
                      ", transaction " + std::to_string(lost.number) + " of " + visible(lost.user) + "\n";
    for (const ShownField& field : values.front().fields)
        out += "    " + visible(field.attribute) + ": " + shown_text(field.was) + "\n";
    return out;
}

Result<void> show_server(const Options& options) {
    SKERRY_ASSIGN(const server::Inspector inspector, server::Inspector::open({options.place, ""}));
    const server::LogFilter filter{options.entity, options.key, options.limit};
    SKERRY_ASSIGN(const auto entries, inspector.log(filter));
    SKERRY_ASSIGN(const auto lost_values, inspector.lost_values(filter));
    std::vector<std::string> items;
    for (const server::LogEntry& entry : entries) {
        const std::vector<ShownChange> changes = shown_changes(inspector.model(), entry.changes);
        items.push_back(options.json
                            ? as_json(entry, changes)
                            : time_text(entry.at_us) + "  " + visible(entry.user) + " on " +
                                  device_text(entry.device_name, entry.device) + ", transaction " +
                                  std::to_string(entry.number) + "  " + entry.verdict + "\n" +
                                  (entry.code.empty() ? "" : "  " + entry.code + ": " + visible(entry.message) + "\n") +
                                  changes_text(changes));
    }
    std::vector<std::string> lost;
    for (const server::LostValue& value : lost_values) {
        const std::vector<ShownChange> values =
            shown_changes(inspector.model(), {{value.entity, value.key, "", value.values}});
        lost.push_back(options.json ? as_json(value, values) : as_lines(value, values));
    }
    if (options.json) {
        std::string list = json_lines(items);
        std::string lost_list = json_lines(lost);
        list.pop_back();
        lost_list.pop_back();
        print_out(JsonObject().json("transactions", list).json("lost_values", lost_list).done() + "\n");
        return {};
    }
    for (const std::string& item : items) print_out(item + "\n");
    if (items.empty()) print_out(options.entity.empty() ? "no device sent a transaction\n" : "the log has nothing of that\n");
    if (!lost.empty()) print_out("values that gave way or did not get in:\n\n");
    for (const std::string& item : lost) print_out(item);
    return {};
}

// ---- quarantine ----

Result<void> show_quarantine(const Options& options) {
    Table table{{"entity", "key", "reason", "at"}, {}};
    if (is_folder(options.place)) {
        SKERRY_ASSIGN(const server::Inspector inspector, server::Inspector::open({options.place, ""}));
        SKERRY_ASSIGN(const auto rows, inspector.quarantine());
        for (const server::QuarantinedRow& row : rows)
            table.rows.push_back({row.entity, row.key, row.reason, time_text(row.at_us)});
    } else {
        SKERRY_ASSIGN(Device device, open_store(options.place));
        SKERRY_ASSIGN(const auto rows, device.quarantine());
        for (const QuarantinedRow& row : rows) table.rows.push_back({row.entity, row.key, row.reason, row.at});
    }
    print_out(options.json         ? format_table(table, Format::kJson)
              : table.rows.empty() ? "nothing is held back\n"
                                   : format_table(table, Format::kTable));
    return {};
}

}  // namespace

void add_log(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("log", "Say what happened: to one row, or everything");
    command->add_option("STORE|DIR", options->place, "a device's SQLite file, or a server's folder")->required();
    auto* entity = command->add_option("ENTITY", options->entity, "only this entity");
    command->add_option("KEY", options->key, "only this row of it")->needs(entity);
    command->add_option("--limit", options->limit, "the newest so many")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", options->json, "print JSON; everything is whole");
    teach(
        command,
        "Of a store: the transactions made there, newest first, what became of each, and where a row stands (synced,\n"
        "pending, sending, rejected, conflict, waiting, local, left). Of a server's folder: what every device sent, with\n"
        "user and verdict, newest last, and the values that lost against others, as long as\n"
        "`skerry serve --retention-days` keeps them.",
        "skerry log ann.db household 0190a000-0000-7000-8000-000000000007");
    program.on_run(command,
                   [options] { return is_folder(options->place) ? show_server(*options) : show_store(*options); });
}

void add_quarantine(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("quarantine", "List rows that are held back, with the reason");
    command->add_option("STORE|DIR", options->place, "a device's SQLite file, or a server's folder")->required();
    command->add_flag("--json", options->json, "print JSON");
    teach(
        command,
        "Of a store: rows that arrived and that an index or a trigger of its own refuses. Of a server's folder: rows\n"
        "written by SQL that no device would accept. Everything else syncs on; they go when the row becomes good.",
        "skerry quarantine ann.db");
    program.on_run(command, [options] { return show_quarantine(*options); });
}

}  // namespace skerry::cli
