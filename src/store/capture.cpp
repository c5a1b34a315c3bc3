// Capture: BEFORE triggers that save one pre-image per key of every row that a statement may touch, and refuse what plain
// SQL can tell. They run in the writer's own transaction, whoever writes, and stand aside while the engine applies.
#include <algorithm>

#include "model/value.hpp"
#include "sqlite/database.hpp"
#include "store/schema.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store::schema {

using model::Attribute;
using model::Entity;
using sqlite::quote_name;

namespace {

struct Names {
    explicit Names(const Entity& entity)
        : table(quote_name(entity.name)), pre(quote_name("skerry_pre_" + entity.name)), key(quote_name(entity.key.name)) {}
    std::string table, pre, key;
};

std::string begin(const Entity& entity, std::string_view suffix, std::string_view event) {
    return "CREATE TRIGGER " + quote_name("skerry_capture_" + std::string(suffix) + "_" + entity.name) + " BEFORE " + std::string(event) +
           " ON " + quote_name(entity.name) + " WHEN (SELECT applying FROM skerry_state) = 0 BEGIN\n";
}

// A second pre-image of a key is not taken. This is no OR-clause: whatever the outer statement says of conflicts, the upsert
// clause decides. And unlike a condition NOT EXISTS, which reads the table that is written, it needs no table in between.
constexpr std::string_view kOnce = " ON CONFLICT(skerry_key) DO NOTHING;\n";

// `rows` is changes(), right behind what saves a pre-image: a row is counted with the first one that is saved of it.
std::string count(std::string_view rows, const std::string& bytes) {
    return "UPDATE skerry_state SET open_rows = open_rows + " + std::string(rows) + ", open_bytes = open_bytes + " + bytes;
}

std::string count_write(const Names& names, std::string_view of, const std::string& bytes) {
    return count("changes()", std::to_string(kOpBytes) + " + length(CAST(" + std::string(of) + "." + names.key + " AS BLOB)) + " + bytes) + ";\n";
}

// Its values then are the old ones of an update, and count.
std::string count_replaced(const Entity& entity, const Names& names) {
    return count("1", "(SELECT " + std::to_string(16 * entity.attributes.size()) + " + " + size_of(entity, "p.") + " FROM " + names.pre +
                          " p WHERE p.skerry_key = NEW." + names.key + ")") + " WHERE changes() > 0;\n";
}

std::string save_old(const Entity& entity, const Names& names) {
    return "INSERT INTO " + names.pre + " VALUES(OLD." + names.key + ", 1" + columns(entity, "OLD.", ", ") + ")" + std::string(kOnce);
}

std::string group_limits() {
    return " WHEN open_rows >= " + std::to_string(kOpenRowsMax) + " THEN " +
           raise("txn_too_big", "one transaction may change at most " + std::to_string(kOpenRowsMax) + " rows: commit in smaller ones") + " WHEN open_bytes > " +
           std::to_string(kOpenBytesMax) + " THEN " +
           raise("txn_too_big", "one transaction may write at most " + std::to_string(kOpenBytesMax) + " bytes: commit in smaller ones");
}

// Behind the counting: while the whole group is smaller than the smallest limit of a value, none can be too big.
std::string size_checks(const Entity& entity) {
    const auto is_blob = [](const Attribute& attribute) { return attribute.type == model::Type::kBlob; };
    const bool blobs = std::any_of(entity.attributes.begin(), entity.attributes.end(), is_blob);
    const std::string refusals = rules::size_refusals(entity);
    if (refusals.empty()) return {};
    return "SELECT CASE" + refusals + " END FROM skerry_state WHERE open_bytes > " + std::to_string(blobs ? model::kBlobBytesMax : model::kValueBytesMax) + ";\n";
}

Result<std::string> row_checks(const Entity& entity, Event event) {
    SKERRY_ASSIGN(const std::string conditions, rules::rule_refusals(entity));
    return "SELECT CASE" + group_limits() + (event == Event::kInsert ? rules::key_refusals(entity) : "") + rules::value_refusals(entity, event) +
           conditions + unique_checks(entity, event) + " END FROM skerry_state;\n";
}

std::string refuse_key_update(const Entity& entity, const Names& names) {
    return "SELECT " + raise("key_update", place(entity, entity.key) + " is the row's identity and cannot change") + " WHERE NEW." + names.key +
           " IS NOT OLD." + names.key + ";\n";
}

// Conflict records come from the server; here they can be closed, which resolve() does, and nothing else.
std::string record_triggers(const Entity& entity, const Names& names) {
    const auto refuse = [&](std::string_view suffix, std::string_view event, std::string_view what) {
        return begin(entity, suffix, event) + "SELECT " + raise("not_writable", "conflict records are " + std::string(what) + " by the server only") + ";\nEND;\n";
    };
    std::string other_columns;
    for (const Attribute& attribute : entity.attributes) {
        if (attribute.name == "state" || attribute.name == "choice") continue;
        const std::string column = quote_name(attribute.name);
        other_columns += (other_columns.empty() ? "" : " OR ") + ("NEW." + column + " IS NOT OLD." + column);
    }
    return refuse("insert", "INSERT", "made") + refuse("delete", "DELETE", "removed") + begin(entity, "update", "UPDATE") +
           refuse_key_update(entity, names) + "SELECT CASE" + group_limits() + " WHEN " + other_columns + " THEN " +
           raise("not_writable", "of a conflict record only state and choice can be written") + " WHEN OLD.state <> 'open' THEN " +
           raise("not_writable", "the conflict record is closed") +
           " WHEN NEW.state IS NOT 'open' AND NEW.state IS NOT 'closed' OR NEW.choice IS NULL OR NEW.choice NOT IN ('', 'mine', 'theirs', 'mix') THEN " +
           raise("value_invalid", "the state of a conflict record is open or closed, its choice mine, theirs or mix") +
           " END FROM skerry_state;\n" + save_old(entity, names) + count_write(names, "OLD", size_of_change(entity)) + "END;\n";
}

}  // namespace

Result<std::string> capture_triggers(const Entity& entity) {
    const Names names(entity);
    if (entity.builtin()) return record_triggers(entity, names);
    SKERRY_ASSIGN(const std::string insert_checks, row_checks(entity, Event::kInsert));
    SKERRY_ASSIGN(const std::string update_checks, row_checks(entity, Event::kUpdate));
    const std::string sizes = size_checks(entity);
    // The row may exist: REPLACE removes it without a DELETE trigger unless recursive_triggers is on. Two
    // statements, for a present and for an absent row: one LEFT JOIN for both took four times as long.
    return begin(entity, "insert", "INSERT") + insert_checks + "INSERT INTO " + names.pre + " SELECT t." + names.key + ", 1" + columns(entity, "t.", ", ") +
           " FROM " + names.table + " t WHERE t." + names.key + " = NEW." + names.key + std::string(kOnce) + count_replaced(entity, names) +  //
           "INSERT INTO " + names.pre + "(skerry_key, skerry_existed) VALUES(NEW." + names.key + ", 0)" + std::string(kOnce) +
           count_write(names, "NEW", size_of(entity, "NEW.")) + sizes + "END;\n" +
           begin(entity, "update", "UPDATE") + refuse_key_update(entity, names) + update_checks + save_old(entity, names) +
           count_write(names, "OLD", size_of_change(entity)) + sizes + "END;\n" +
           begin(entity, "delete", "DELETE") + "SELECT CASE" + group_limits() + " END FROM skerry_state;\n" + save_old(entity, names) +
           count_write(names, "OLD", size_of(entity, "OLD.")) + "END;\n";
}

}  // namespace skerry::store::schema
