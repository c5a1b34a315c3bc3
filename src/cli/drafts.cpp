// skerry drafts: transactions that the server rejected, kept for a person to mend, send again or drop.
#include <algorithm>

#include "base/result.hpp"
#include "cli/activity.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string place;
    std::uint64_t number = 0;
    std::string device;  // a server's drafts: whose number it is
    std::string entity;
    std::string key;
    std::vector<std::string> values;
    bool all = false;
    bool json = false;
};

struct ShownDraft {
    std::uint64_t number = 0;
    std::uint64_t root = 0;
    std::uint64_t waiting_for = 0;
    std::string code, message, member, made_at, rejected_at;
    std::string user, device, device_name, state;  // of a server's
    std::vector<ShownChange> changes;
};

Result<std::vector<ShownDraft>> of_store(const std::string& path) {
    SKERRY_ASSIGN(Device device, open_store(path));
    SKERRY_ASSIGN(const std::vector<Draft> drafts, device.drafts());
    std::vector<ShownDraft> out;
    for (const Draft& draft : drafts) {
        ShownDraft& to = out.emplace_back();
        to = {draft.number,
              draft.root,
              draft.waiting_for,
              draft.code,
              draft.message,
              draft.member,
              draft.made_at,
              draft.rejected_at,
              {},
              {},
              {},
              {},
              {}};
        SKERRY_ASSIGN(to.changes, shown_changes(device, draft.changes));
    }
    return out;
}

Result<std::vector<ShownDraft>> of_server(const std::string& dir, bool all) {
    SKERRY_ASSIGN(const server::Inspector inspector, server::Inspector::open({dir, ""}));
    SKERRY_ASSIGN(const auto drafts, inspector.drafts(all ? server::Drafts::kAll : server::Drafts::kOpen));
    std::vector<ShownDraft> out;
    for (const server::ServerDraft& draft : drafts) {
        const server::LogEntry& from = draft.transaction;
        const bool waits = draft.root != 0 && draft.root != from.number;
        out.push_back({from.number, draft.root, waits ? draft.root : 0, from.code, from.message, draft.member,
                       time_text(from.made_at_us), time_text(from.at_us), from.user, from.device, from.device_name,
                       draft.state, shown_changes(inspector.model(), from.changes)});
    }
    return out;
}

Result<std::vector<ShownDraft>> read(const Options& options) {
    return is_folder(options.place) ? of_server(options.place, options.all) : of_store(options.place);
}

std::string as_json(const ShownDraft& draft) {
    JsonObject object;
    object.number("number", draft.number).number("root", draft.root);
    if (draft.waiting_for != 0) object.number("waiting_for", draft.waiting_for);
    object.text("code", draft.code).text("message", draft.message).text_or_null("member", draft.member);
    object.text_or_null("made_at", draft.made_at).text_or_null("rejected_at", draft.rejected_at);
    if (!draft.device.empty())
        object.text("user", draft.user)
            .text("device", draft.device)
            .text("device_name", draft.device_name)
            .text("state", draft.state);
    return object.json("changes", changes_json(draft.changes)).done();
}

std::string as_table(const std::vector<ShownDraft>& drafts, bool of_server) {
    Table table{{"draft", "code", "member", "message", "changes", "made"}, {}};
    if (of_server) table.columns.insert(table.columns.end(), {"user", "device", "state"});
    for (const ShownDraft& draft : drafts) {
        const std::string message =
            draft.waiting_for == 0 ? draft.message : "waiting for draft " + std::to_string(draft.waiting_for);
        auto& row = table.rows.emplace_back();
        row = {static_cast<std::int64_t>(draft.number), draft.code,   draft.member, message,
               changes_summary(draft.changes),          draft.made_at};
        if (of_server)
            row.insert(
                row.end(),
                {draft.user, draft.device_name.empty() ? draft.device.substr(0, 8) : draft.device_name, draft.state});
    }
    return format_table(table, Format::kTable);
}

std::string as_lines(const ShownDraft& draft, const Options& options) {
    const std::string number = std::to_string(draft.number);
    std::string out = facts_text(
        {{"draft", number},
         {"why", draft.code + ": " + draft.message},
         {"about", draft.member},
         {"waits for",
          draft.waiting_for == 0 ? "" : "draft " + std::to_string(draft.waiting_for) + "; it goes with that one"},
         {"made", draft.made_at},
         {"rejected", draft.rejected_at},
         {"by", draft.user},
         {"device", draft.device.empty() ? "" : draft.device_name + " (" + draft.device + ")"},
         {"state", draft.state}});
    out += "\n" + changes_text(draft.changes);
    const std::string remedy = remedy_of(draft.code);
    if (!remedy.empty()) out += "\nwhat to do: " + remedy + "\n";
    if (is_folder(options.place)) return out;
    const std::string store = visible(options.place);
    std::string edit;
    if (!draft.changes.empty() && draft.changes.front().operation != "delete")
        edit = "  skerry drafts edit " + store + " " + number + " " + draft.changes.front().entity + " " +
               visible(draft.changes.front().key) + " attribute=value\n";
    return out + "then:\n" + edit + "  skerry drafts retry " + store + " " + number + "\n  skerry drafts discard " +
           store + " " + number + "\n";
}

// On a server the same number may be of several devices.
Result<ShownDraft> find(std::vector<ShownDraft> drafts, const Options& options) {
    std::vector<ShownDraft> found;
    for (ShownDraft& draft : drafts)
        if (draft.number == options.number && draft.device.starts_with(options.device))
            found.push_back(std::move(draft));
    if (found.size() == 1) return std::move(found.front());
    if (found.empty())
        return fail(Code::kNotFound, "there is no draft " + std::to_string(options.number) + "; `skerry drafts " +
                                         options.place + "` lists them");
    return fail(Code::kInvalidArgument,
                "several devices have a draft " + std::to_string(options.number) + "; say which with --device");
}

Result<void> list(const Options& options) {
    SKERRY_ASSIGN(const std::vector<ShownDraft> drafts, read(options));
    if (!options.json) {
        print_out(drafts.empty() ? "no drafts\n" : as_table(drafts, is_folder(options.place)));
        return {};
    }
    std::vector<std::string> items;
    for (const ShownDraft& draft : drafts) items.push_back(as_json(draft));
    print_out(json_lines(items));
    return {};
}

Result<void> show(const Options& options) {
    SKERRY_ASSIGN(std::vector<ShownDraft> drafts, read(options));
    SKERRY_ASSIGN(const ShownDraft draft, find(std::move(drafts), options));
    print_out(options.json ? as_json(draft) + "\n" : as_lines(draft, options));
    return {};
}

Result<void> export_drafts(Options options) {
    options.all = true;
    SKERRY_ASSIGN(std::vector<ShownDraft> drafts, read(options));
    if (options.number != 0) {
        SKERRY_ASSIGN(ShownDraft draft, find(std::move(drafts), options));
        drafts = {std::move(draft)};
    }
    std::vector<std::string> items;
    for (const ShownDraft& draft : drafts) items.push_back(as_json(draft));
    print_out(json_lines(items));
    return {};
}

Result<void> edit(const Options& options) {
    SKERRY_ASSIGN(Device device, open_store(options.place));
    SKERRY_ASSIGN(const auto values, assignments(device, options.entity, options.values));
    SKERRY_TRY(device.edit_draft(options.number, options.entity, options.key, values));
    const std::string number = std::to_string(options.number);
    if (options.json) print_out(JsonObject().number("draft", options.number).done() + "\n");
    else print_out("draft " + number + " is changed; nothing is sent until: skerry drafts retry " +
                   visible(options.place) + " " + number + "\n");
    return {};
}

// What was done to a draft, and the transaction that did it.
void print_done(const Options& options, std::uint64_t transaction, const std::string& done, const std::string& then) {
    if (options.json)
        print_out(JsonObject().number("draft", options.number).number("transaction", transaction).done() + "\n");
    else
        print_out("draft " + std::to_string(options.number) + " is " + done + " transaction " +
                  std::to_string(transaction) + "; " + then + "\n");
}

Result<void> retry(const Options& options) {
    SKERRY_ASSIGN(Device device, open_store(options.place));
    SKERRY_ASSIGN(const DraftRetry done, device.retry_draft(options.number));
    if (options.json) {
        std::string decided;
        for (const std::string& id : done.decided) decided += (decided.empty() ? "" : ", ") + json_text(id);
        print_out(JsonObject().number("draft", options.number).number("transaction", done.transaction)
                      .json("decided", "[" + decided + "]").flag("nothing_left", done.nothing_left).done() + "\n");
        return {};
    }
    for (const std::string& id : done.decided) print_out("left out: conflict " + visible(id) + " is decided already\n");
    if (done.nothing_left) {
        print_out("draft " + std::to_string(options.number) + " is dropped: nothing else was in it\n");
        return {};
    }
    print_done(options, done.transaction, "done again as", "it goes with the next sync");
    return {};
}

Result<void> discard(const Options& options) {
    SKERRY_ASSIGN(Device device, open_store(options.place));
    SKERRY_ASSIGN(const std::uint64_t transaction, device.discard_draft(options.number));
    print_done(options, transaction, "dropped by", "`skerry log " + visible(options.place) + "` still shows what it held");
    return {};
}

// A subcommand on one draft.
CLI::App* add_one(CLI::App* parent, const char* name, const char* text, const std::shared_ptr<Options>& options,
                  const char* place, bool needs_number = true) {
    CLI::App* command = parent->add_subcommand(name, text);
    command
        ->add_option(place, options->place,
                     std::string_view(place) == "STORE" ? "a device's SQLite file"
                                                        : "a device's SQLite file, or a server's folder")
        ->required();
    auto* number = command->add_option("DRAFT", options->number, "the draft's number");
    if (needs_number) number->required();
    return command;
}

}  // namespace

void add_drafts(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        program.app.add_subcommand("drafts", "List, show, mend and drop transactions that the server rejected");
    command->add_option("STORE|DIR", options->place, "a device's SQLite file, or a server's folder");
    command->add_flag("--all", options->all, "of a server: those that were mended or dropped, too");
    command->add_flag("--json", options->json, "print JSON");
    teach(command,
          "A transaction that the server cannot take leaves the tables and is kept whole, here and on the server, with "
          "the\n"
          "reason. What needs it waits beside it and goes with it. docs/conflicts.md tells more.",
          "skerry drafts ann.db");
    program.on_run(command, [command, options]() -> Result<void> {
        if (!command->get_subcommands().empty()) return {};  // that one runs
        if (options->place.empty()) throw CLI::RequiredError("STORE|DIR");
        return list(*options);
    });

    auto show_options = std::make_shared<Options>();
    CLI::App* show_command = add_one(command, "show", "Show one: why, and what it holds", show_options, "STORE|DIR");
    show_command->add_option("--device", show_options->device, "of a server: how the device's id begins");
    show_command->add_flag("--json", show_options->json, "print JSON");
    show_options->all = true;
    teach(show_command, "The change is shown as it was made: for an update what each attribute was and became.",
          "skerry drafts show ann.db 12");
    program.on_run(show_command, [show_options] { return show(*show_options); });

    auto edit_options = std::make_shared<Options>();
    CLI::App* edit_command = add_one(command, "edit", "Change what one would write", edit_options, "STORE");
    edit_command->add_option("ENTITY", edit_options->entity, "the entity of the row")->required();
    edit_command->add_option("KEY", edit_options->key, "the row's key")->required();
    edit_command->add_option("VALUES", edit_options->values, "attribute=value …; null is NULL")->required();
    teach(edit_command,
          "Nothing is sent yet. Values are written as people write them: 12.50, true, 2026-11-21, '[\"a\",\"b\"]' for "
          "a set.\n"
          "A new row gets another key by its key's name: id=….",
          "skerry drafts edit ann.db 12 household 0190a000-0000-7000-8000-000000000007 name=Meier members=3");
    edit_command->add_flag("--json", edit_options->json, "print JSON");
    program.on_run(edit_command, [edit_options] { return edit(*edit_options); });

    auto retry_options = std::make_shared<Options>();
    CLI::App* retry_command =
        add_one(command, "retry", "Do one again, with what waits for it, as a new transaction", retry_options, "STORE");
    teach(retry_command,
          "It is written into the tables as if it were made now and goes with the next sync; what others changed "
          "meanwhile\n"
          "is noticed as ever. A decision on a conflict that others have decided is left out. If it cannot be written,\n"
          "nothing is done and the draft stays.",
          "skerry drafts retry ann.db 12");
    retry_command->add_flag("--json", retry_options->json, "print JSON");
    program.on_run(retry_command, [retry_options] { return retry(*retry_options); });

    auto discard_options = std::make_shared<Options>();
    CLI::App* discard_command =
        add_one(command, "discard", "Drop one, with what waits for it", discard_options, "STORE");
    teach(discard_command, "The log keeps what it held, and that it was dropped.", "skerry drafts discard ann.db 12");
    discard_command->add_flag("--json", discard_options->json, "print JSON");
    program.on_run(discard_command, [discard_options] { return discard(*discard_options); });

    auto export_options = std::make_shared<Options>();
    CLI::App* export_command =
        add_one(command, "export", "Print drafts whole, as JSON", export_options, "STORE|DIR", false);
    export_command->add_option("--device", export_options->device, "of a server: how the device's id begins");
    teach(export_command, "All of them, or one. Of a server, also those that were mended or dropped.",
          "skerry drafts export ann.db > drafts.json");
    program.on_run(export_command, [export_options] { return export_drafts(*export_options); });
}

}  // namespace skerry::cli
