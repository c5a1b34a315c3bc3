// skerry conflicts: what others changed too, and a person decides.
#include <algorithm>

#include "base/result.hpp"
#include "cli/activity.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "model/json.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string place;
    std::string id;
    bool all = false;
    bool json = false;
    bool mine = false;
    bool theirs = false;
    std::vector<std::string> values;
};

struct Field {
    std::string attribute;
    MaybeShown base, mine, theirs;
};

struct Conflict {
    ConflictRecord record;  // all but its fields
    std::vector<Field> fields;
    bool knows_row = false;  // record.row_exists is told
};

// ---- from a device's store ----

Result<Conflict> shown(Device& device, ConflictRecord record) {
    Conflict out;
    out.knows_row = true;
    for (const ConflictField& field : record.fields) {
        Field& to = out.fields.emplace_back(Field{field.attribute, {}, {}, {}});
        for (const auto& [from, at] :
             {std::pair{&field.base, &to.base}, {&field.mine, &to.mine}, {&field.theirs, &to.theirs}}) {
            if (!*from) continue;
            SKERRY_ASSIGN(*at, shown_value(device, record.entity, field.attribute, **from));
        }
    }
    out.record = std::move(record);
    return out;
}

Result<std::vector<Conflict>> of_store(const std::string& path, bool also_closed) {
    SKERRY_ASSIGN(Device device, open_store(path));
    SKERRY_ASSIGN(std::vector<ConflictRecord> records, device.conflicts(also_closed));
    std::vector<Conflict> out;
    for (ConflictRecord& record : records) {
        SKERRY_ASSIGN(Conflict conflict, shown(device, std::move(record)));
        out.push_back(std::move(conflict));
    }
    return out;
}

// ---- from a server's folder: rows of skerry_conflict ----

Result<void> take_side(std::vector<Field>& fields, const Value& json, MaybeShown Field::*side) {
    const auto* text = std::get_if<std::string>(&json);
    if (text == nullptr) return {};
    SKERRY_ASSIGN(const auto members, model::json_members(*text));
    for (const auto& [name, value] : members) {
        auto field =
            std::find_if(fields.begin(), fields.end(), [&](const Field& known) { return known.attribute == name; });
        if (field == fields.end()) field = fields.insert(fields.end(), Field{name, {}, {}, {}});
        std::string content = value;
        if (value.starts_with('"')) {
            SKERRY_ASSIGN(content, model::json_string_content(value));
        }
        (*field).*side = value == "null" ? Shown{} : Shown{std::move(content)};
    }
    return {};
}

Result<std::vector<Conflict>> of_server(const std::string& dir, bool also_closed) {
    SKERRY_ASSIGN(server::ServerSql sql, server::ServerSql::open({dir, ""}));
    SKERRY_ASSIGN(const Table table,
                  sql.run("SELECT id, entity, \"row\", attribute, author, device, txn, batch, operation, why, made_at, "
                          "at, state, choice, closed_by, closed_at, "
                          "base, mine, theirs FROM skerry_conflict" +
                          std::string(also_closed ? "" : " WHERE state = 'open'") + " ORDER BY at, id"));
    std::vector<Conflict> out;
    for (const auto& row : table.rows) {
        const auto text = [&](std::size_t column) {
            const auto* found = std::get_if<std::string>(&row[column]);
            return found == nullptr ? std::string() : *found;
        };
        const auto* txn = std::get_if<std::int64_t>(&row[6]);
        Conflict& conflict = out.emplace_back();
        conflict.record = {.id = text(0),
                           .entity = text(1),
                           .key = text(2),
                           .attribute = text(3),
                           .author = text(4),
                           .device = text(5),
                           .transaction = txn == nullptr ? 0 : static_cast<std::uint64_t>(*txn),
                           .batch = text(7),
                           .operation = text(8),
                           .why = text(9),
                           .made_at = text(10),
                           .at = text(11),
                           .state = text(12),
                           .choice = text(13),
                           .closed_by = text(14),
                           .closed_at = text(15),
                           .row_exists = false,
                           .fields = {}};
        SKERRY_TRY(take_side(conflict.fields, row[16], &Field::base));
        SKERRY_TRY(take_side(conflict.fields, row[17], &Field::mine));
        SKERRY_TRY(take_side(conflict.fields, row[18], &Field::theirs));
    }
    return out;
}

// ---- how they look ----

std::string as_json(const Conflict& conflict) {
    const ConflictRecord& record = conflict.record;
    std::string fields;
    for (const Field& field : conflict.fields)
        fields += (fields.empty() ? "" : ", ") + JsonObject()
                                                     .text("attribute", field.attribute)
                                                     .shown("base", field.base)
                                                     .shown("mine", field.mine)
                                                     .shown("theirs", field.theirs)
                                                     .done();
    JsonObject object;
    object.text("id", record.id)
        .text("entity", record.entity)
        .text("key", record.key)
        .text_or_null("attribute", record.attribute);
    object.text("author", record.author)
        .text("device", record.device)
        .number("transaction", record.transaction)
        .text_or_null("batch", record.batch);
    object.text("operation", record.operation)
        .text("why", record.why)
        .text_or_null("made_at", record.made_at)
        .text_or_null("at", record.at);
    object.text("state", record.state)
        .text_or_null("choice", record.choice)
        .text_or_null("closed_by", record.closed_by)
        .text_or_null("closed_at", record.closed_at);
    if (conflict.knows_row) object.flag("row_exists", record.row_exists);
    return object.json("fields", "[" + fields + "]").done();
}

std::string as_lines(const Conflict& conflict, const std::string& place, bool is_server) {
    const ConflictRecord& record = conflict.record;
    const std::string cause = cause_of(record.why);
    std::string out = facts_text(
        {{"conflict", record.id},
         {"on", record.entity + " " + record.key + (record.attribute.empty() ? "" : ", attribute " + record.attribute)},
         {"row", conflict.knows_row && !record.row_exists ? "is not there on the server" : ""},
         {"change", record.operation + " by " + record.author + ", transaction " + std::to_string(record.transaction) +
                        " of device " + record.device},
         {"made", record.made_at},
         {"judged", record.at},
         {"why", record.why + (cause.empty() ? "" : ": " + cause)},
         {"batch", record.batch.empty() ? "" : record.batch + " (records of one strict transaction, decided together)"},
         {"state", record.state + (record.choice.empty() ? "" : ": " + record.choice) +
                       (record.closed_by.empty() ? "" : ", by " + record.closed_by) +
                       (record.closed_at.empty() ? "" : ", " + record.closed_at)}});
    Table table{{"attribute", "base", "mine", "theirs"}, {}};
    for (const Field& field : conflict.fields)
        table.rows.push_back(
            {field.attribute, shown_text(field.base), shown_text(field.mine), shown_text(field.theirs)});
    out += "\n" + format_table(table, Format::kTable);
    if (record.state == "open") {
        const std::string set =
            record.operation == "delete"
                ? ""
                : " | --set " + (conflict.fields.empty() ? "attribute" : conflict.fields.front().attribute) + "=…";
        out += "\nto decide:  skerry conflicts resolve " + (is_server ? "STORE" : visible(place)) + " " +
               record.id.substr(0, 8) + " --mine | --theirs" + set + "\n";
    }
    return out;
}

std::string as_table(const std::vector<Conflict>& conflicts) {
    Table table{{"id", "entity", "key", "attribute", "change", "why", "author", "at", "state"}, {}};
    for (const Conflict& conflict : conflicts) {
        const ConflictRecord& record = conflict.record;
        table.rows.push_back({record.id.substr(0, 8), record.entity, record.key,
                              record.attribute.empty() ? "(row)" : record.attribute, record.operation, record.why,
                              record.author, record.at,
                              record.choice.empty() ? record.state : record.state + ": " + record.choice});
    }
    return format_table(table, Format::kTable);
}

// The one whose id begins like this.
Result<const Conflict*> find(const std::vector<Conflict>& conflicts, const std::string& id) {
    const Conflict* found = nullptr;
    for (const Conflict& conflict : conflicts) {
        if (id.empty() || !conflict.record.id.starts_with(id)) continue;
        if (found != nullptr)
            return fail(Code::kInvalidArgument, "several conflicts begin with '" + id + "'; give more of the id");
        found = &conflict;
    }
    if (found == nullptr)
        return fail(Code::kNotFound, "there is no conflict '" + id + "'; `skerry conflicts STORE --all` lists them");
    return found;
}

Result<std::vector<Conflict>> read(const std::string& place, bool also_closed) {
    return is_folder(place) ? of_server(place, also_closed) : of_store(place, also_closed);
}

Result<void> list(const Options& options) {
    SKERRY_ASSIGN(const std::vector<Conflict> conflicts, read(options.place, options.all));
    if (!options.json) {
        print_out(conflicts.empty() ? "no conflicts\n" : as_table(conflicts));
        return {};
    }
    std::vector<std::string> items;
    for (const Conflict& conflict : conflicts) items.push_back(as_json(conflict));
    print_out(json_lines(items));
    return {};
}

Result<void> show(const Options& options) {
    SKERRY_ASSIGN(const std::vector<Conflict> conflicts, read(options.place, true));
    SKERRY_ASSIGN(const Conflict* conflict, find(conflicts, options.id));
    print_out(options.json ? as_json(*conflict) + "\n" : as_lines(*conflict, options.place, is_folder(options.place)));
    return {};
}

Result<void> resolve(const Options& options) {
    if (options.mine + options.theirs + !options.values.empty() != 1)
        return fail(Code::kInvalidArgument, "say one of --mine, --theirs and --set attribute=value");
    if (is_folder(options.place))
        return fail(Code::kInvalidArgument,
                    "conflicts are decided on a device; '" + options.place + "' is a server's folder");
    SKERRY_ASSIGN(const std::vector<Conflict> conflicts, of_store(options.place, true));
    SKERRY_ASSIGN(const Conflict* conflict, find(conflicts, options.id));
    SKERRY_ASSIGN(Device device, open_store(options.place));
    Resolution resolution;
    resolution.choice = options.mine ? Choice::kMine : options.theirs ? Choice::kTheirs : Choice::kMix;
    SKERRY_ASSIGN(resolution.values, assignments(device, conflict->record.entity, options.values));
    SKERRY_TRY(device.resolve(conflict->record.id, resolution));
    SKERRY_ASSIGN(ConflictRecord now, device.conflict(conflict->record.id));
    SKERRY_ASSIGN(const Conflict after, shown(device, std::move(now)));
    if (options.json)
        print_out(as_json(after) + "\n");
    else
        print_out("decided: " + after.record.choice + "; it closes everywhere with the next syncs (skerry sync " +
                  visible(options.place) + ")\n");
    return {};
}

void take_place(CLI::App* command, Options& options, bool required) {
    auto* place = command->add_option("STORE|DIR", options.place, "a device's SQLite file, or a server's folder");
    if (required) place->required();
    command->add_flag("--json", options.json, "print JSON");
}

}  // namespace

void add_conflicts(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("conflicts", "List, show and decide conflicts");
    take_place(command, *options, false);
    command->add_flag("--all", options->all, "those that were decided, too");
    teach(
        command,
        "A conflict is a change that did not land because somebody else changed the same, where the model says that a\n"
        "person decides. Only what it is about waits; everything else syncs on. Everybody sees it and may decide it, "
        "with\n"
        "or without a network. docs/conflicts.md tells more.",
        "skerry conflicts ann.db");
    program.on_run(command, [command, options]() -> Result<void> {
        if (!command->get_subcommands().empty()) return {};  // that one runs
        if (options->place.empty()) throw CLI::RequiredError("STORE|DIR");
        return list(*options);
    });

    auto show_options = std::make_shared<Options>();
    CLI::App* show_command = command->add_subcommand("show", "Show one: what it was, what each made of it");
    take_place(show_command, *show_options, true);
    show_command->add_option("ID", show_options->id, "the conflict, or how its id begins")->required();
    teach(show_command,
          "`base` is what the author saw, `mine` what he made of it, `theirs` what is there now. For a counter or a "
          "set,\n"
          "base to mine is a difference, which --mine adds to theirs.",
          "skerry conflicts show ann.db 5f0c21d8");
    program.on_run(show_command, [show_options] { return show(*show_options); });

    auto resolve_options = std::make_shared<Options>();
    CLI::App* resolve_command = command->add_subcommand("resolve", "Decide one: mine, theirs, or values of your own");
    resolve_command->add_option("STORE", resolve_options->place, "a device's SQLite file")->required();
    resolve_command->add_option("ID", resolve_options->id, "the conflict, or how its id begins")->required();
    resolve_command->add_flag("--mine", resolve_options->mine, "write what the author made of it");
    resolve_command->add_flag("--theirs", resolve_options->theirs, "leave what is there now");
    resolve_command
        ->add_option("--set", resolve_options->values, "attribute=value: write this; may be given several times")
        ->expected(1)
        ->take_all();
    resolve_command->add_flag("--json", resolve_options->json, "print JSON");
    teach(resolve_command,
          "The choice is an ordinary change of the row: it shows at once, is sent with the next sync and closes the\n"
          "conflict on every device. Conflicts of one strict transaction are decided together.",
          "skerry conflicts resolve ann.db 5f0c21d8 --set 'notes=Ring twice. Beware of the dog.'");
    program.on_run(resolve_command, [resolve_options] { return resolve(*resolve_options); });
}

}  // namespace skerry::cli
