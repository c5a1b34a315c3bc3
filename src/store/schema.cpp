#include "store/schema.hpp"

#include "sqlite/database.hpp"

namespace skerry::store {

namespace {

using model::Attribute;
using model::Entity;
using model::Type;
using sqlite::quote_name;
using sqlite::quote_text;

std::string column_type(Type type) { return type == Type::kInt ? "INTEGER" : "TEXT"; }

// "a, b, c" of the attributes, each with `prefix` ("NEW.", "t.") before it.
std::string columns(const Entity& entity, std::string_view prefix, std::string_view lead) {
    std::string out;
    for (const Attribute& attribute : entity.attributes) {
        out += lead;
        out += prefix;
        out += quote_name(attribute.name);
    }
    return out;
}

std::string definitions(const Entity& entity) {
    std::string out;
    for (const Attribute& attribute : entity.attributes)
        out += ", " + quote_name(attribute.name) + " " + column_type(attribute.type);
    return out;
}

std::string raise(std::string_view code, const std::string& message) {
    return "RAISE(ABORT, " + quote_text("skerry:" + std::string(code) + ": " + message) + ")";
}

// The conditions under which a value is refused at once. Anything but plain SQL is left to numbering and server.
std::string value_checks(const Entity& entity, const Attribute& attribute, bool is_key) {
    const std::string value = "NEW." + quote_name(attribute.name);
    const std::string place = entity.name + "." + attribute.name;
    std::string out;
    if (attribute.type == Type::kUuid) {
        static const std::string kHex = "[0-9a-f]";
        std::string pattern;
        for (const int n : {8, 4, 4, 4, 12}) {
            if (!pattern.empty()) pattern += "-";
            for (int i = 0; i < n; ++i) pattern += kHex;
        }
        out += " WHEN " + value + " NOT GLOB '" + pattern + "' THEN " +
               raise("value_invalid", place + " must be a uuid in lower case with hyphens");
    } else if (attribute.type == Type::kText) {
        if (is_key) out += " WHEN " + value + " = '' THEN " + raise("value_invalid", place + " is an empty key");
        const std::int64_t limit = is_key ? kKeyCharsMax : kValueCharsMax;
        // A slice begins behind a key, and the empty one is where it starts: it could never be downloaded.
        if (is_key) out += " WHEN " + value + " = '' THEN " + raise("value_invalid", place + " is an empty key");
        out += " WHEN length(" + value + ") > " + std::to_string(limit) + " THEN " +
               raise("row_too_big", place + " has more than " + std::to_string(limit) + " characters");
        out += " WHEN instr(" + value + ", char(0)) > 0 THEN " +
               raise("value_invalid", place + " contains a NUL character");
    }
    return out;
}

std::string checks(const Entity& entity, bool with_key) {
    std::string out = "SELECT CASE WHEN open_rows >= " + std::to_string(kOpenRowsMax) + " THEN " +
                      raise("txn_too_big", "one transaction may change at most " + std::to_string(kOpenRowsMax) + " rows") +
                      " WHEN open_chars > " + std::to_string(kOpenCharsMax) + " THEN " +
                      raise("txn_too_big", "one transaction may write at most " + std::to_string(kOpenCharsMax) + " characters");
    if (with_key) {
        out += " WHEN NEW." + quote_name(entity.key.name) + " IS NULL THEN " +
               raise("key_missing", entity.name + "." + entity.key.name + " must be given");
        out += value_checks(entity, entity.key, true);
    }
    for (const Attribute& attribute : entity.attributes) out += value_checks(entity, attribute, false);
    return out + " END FROM skerry_state;\n";
}

std::string text_length(const Entity& entity, std::string_view prefix) {
    std::string out = "0";
    for (const Attribute& attribute : entity.attributes) {
        if (attribute.type != Type::kText) continue;
        out += " + ifnull(length(" + std::string(prefix) + quote_name(attribute.name) + "), 0)";
    }
    return out;
}

// Counts the row if its pre-image is not there yet: runs before the pre-image is saved.
std::string count_open(const std::string& pre, const std::string& key, const std::string& chars) {
    return "UPDATE skerry_state SET open_rows = open_rows + NOT EXISTS (SELECT 1 FROM " + pre + " WHERE key = " + key +
           "), open_chars = open_chars + " + chars + ";\n";
}

std::string triggers(const Entity& entity) {
    const std::string table = quote_name(entity.name);
    const std::string pre = quote_name("skerry_pre_" + entity.name);
    const std::string key = quote_name(entity.key.name);
    const auto begin = [&](std::string_view suffix, std::string_view event) {
        return "CREATE TRIGGER " + quote_name("skerry_capture_" + std::string(suffix) + "_" + entity.name) + " BEFORE " +
               std::string(event) + " ON " + table + " WHEN (SELECT applying FROM skerry_state) = 0 BEGIN\n";
    };
    const auto unsaved = [&](std::string_view of) {
        return "NOT EXISTS (SELECT 1 FROM " + pre + " WHERE key = " + std::string(of) + "." + key + ")";
    };
    const std::string save_old = "INSERT INTO " + pre + " SELECT OLD." + key + ", 1" + columns(entity, "OLD.", ", ") +
                                 " WHERE " + unsaved("OLD") + ";\n";
    std::string out;
    // The row may exist: REPLACE removes it without a DELETE trigger unless recursive_triggers is on. Two
    // statements, for an absent and for a present row: one LEFT JOIN for both took four times as long.
    out += begin("insert", "INSERT") + checks(entity, true) + count_open(pre, "NEW." + key, text_length(entity, "NEW.")) +
           "INSERT INTO " + pre + " SELECT t." + key + ", 1" + columns(entity, "t.", ", ") + " FROM " + table + " t WHERE t." +
           key + " = NEW." + key + " AND " + unsaved("NEW") + ";\n" +
           "INSERT INTO " + pre + "(key, existed) SELECT NEW." + key + ", 0 WHERE " + unsaved("NEW") + ";\n" + "END;\n";
    out += begin("update", "UPDATE") + "SELECT " +
           raise("key_update", entity.name + "." + entity.key.name + " is the row's identity and cannot change") +
           " WHERE NEW." + key + " IS NOT OLD." + key + ";\n" + checks(entity, false) +
           count_open(pre, "OLD." + key, text_length(entity, "OLD.") + " + " + text_length(entity, "NEW.")) + save_old + "END;\n";
    out += begin("delete", "DELETE") +
           "SELECT CASE WHEN open_rows >= " + std::to_string(kOpenRowsMax) + " THEN " +
           raise("txn_too_big", "one transaction may change at most " + std::to_string(kOpenRowsMax) + " rows") +
           " END FROM skerry_state;\n" + count_open(pre, "OLD." + key, "0") + save_old + "END;\n";
    return out;
}

}  // namespace

std::string internal_schema() {
    return R"sql(
CREATE TABLE IF NOT EXISTS skerry_meta(name TEXT NOT NULL PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_state(one INTEGER PRIMARY KEY CHECK(one = 1), applying INTEGER NOT NULL,
    open_rows INTEGER NOT NULL, open_chars INTEGER NOT NULL) STRICT;
INSERT INTO skerry_state SELECT 1, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM skerry_state);
CREATE TABLE IF NOT EXISTS skerry_shown(entity INTEGER NOT NULL, key TEXT NOT NULL, attribute INTEGER NOT NULL,
    value ANY, PRIMARY KEY(entity, key, attribute)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_txn(no INTEGER PRIMARY KEY, id BLOB NOT NULL, state INTEGER NOT NULL,
    made_at_us INTEGER NOT NULL, low INTEGER NOT NULL, bytes INTEGER NOT NULL, needs BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS skerry_op(entity INTEGER NOT NULL, key TEXT NOT NULL, txn INTEGER NOT NULL,
    kind INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(entity, key, txn)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS skerry_op_txn ON skerry_op(txn);
CREATE TABLE IF NOT EXISTS skerry_archive(device BLOB NOT NULL, no INTEGER NOT NULL, verdict INTEGER NOT NULL,
    code INTEGER NOT NULL, root INTEGER NOT NULL, message TEXT NOT NULL, settled_at_us INTEGER NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY(device, no)) STRICT;
CREATE TABLE IF NOT EXISTS skerry_draft(device BLOB NOT NULL, no INTEGER NOT NULL, code INTEGER NOT NULL,
    root INTEGER NOT NULL, message TEXT NOT NULL, rejected_at_us INTEGER NOT NULL, payload BLOB NOT NULL,
    PRIMARY KEY(device, no)) STRICT;
CREATE TABLE IF NOT EXISTS skerry_scope(id INTEGER PRIMARY KEY, name TEXT NOT NULL, entity INTEGER NOT NULL,
    whole INTEGER NOT NULL, complete INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS skerry_scope_row(entity INTEGER NOT NULL, key TEXT NOT NULL, scope INTEGER NOT NULL,
    PRIMARY KEY(entity, key, scope)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS skerry_scope_row_scope ON skerry_scope_row(scope);
CREATE TABLE IF NOT EXISTS skerry_quarantine(entity INTEGER NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY(entity, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_stage(n INTEGER PRIMARY KEY, type INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS skerry_changed(entity INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;
)sql";
}

std::string entity_schema(const Entity& entity) {
    const std::string body = "(key TEXT NOT NULL PRIMARY KEY";
    return "CREATE TABLE " + quote_name(entity.name) + "(" + quote_name(entity.key.name) + " TEXT NOT NULL PRIMARY KEY" +
           definitions(entity) + ") STRICT;\n" +  //
           "CREATE TABLE " + quote_name("skerry_pre_" + entity.name) + body + ", existed INTEGER NOT NULL" +
           definitions(entity) + ") STRICT, WITHOUT ROWID;\n" +  //
           "CREATE TABLE " + quote_name("skerry_base_" + entity.name) + body + definitions(entity) +
           ") STRICT, WITHOUT ROWID;\n" + triggers(entity);
}

EntitySql::EntitySql(const Entity& entity) {
    const std::string table = quote_name(entity.name);
    const std::string pre = quote_name("skerry_pre_" + entity.name);
    const std::string base = quote_name("skerry_base_" + entity.name);
    const std::string key = quote_name(entity.key.name);
    std::string places;
    std::string assignments;
    for (std::size_t i = 0; i < entity.attributes.size(); ++i) {
        const std::string place = "?" + std::to_string(i + 2);
        places += ", " + place;
        assignments += (i == 0 ? "" : ", ") + quote_name(entity.attributes[i].name) + " = " + place;
    }
    exists = "SELECT 1 FROM " + table + " WHERE " + key + " = ?1";
    select = "SELECT 1" + columns(entity, "", ", ") + " FROM " + table + " WHERE " + key + " = ?1";
    // An entity of nothing but its key: the no-op update still tells by changes() whether the row is there.
    update = "UPDATE " + table + " SET " + (assignments.empty() ? key + " = " + key : assignments) + " WHERE " + key + " = ?1";
    insert = "INSERT INTO " + table + "(" + key + columns(entity, "", ", ") + ") VALUES(?1" + places + ")";
    erase = "DELETE FROM " + table + " WHERE " + key + " = ?1";
    // Rows that only a base row remembers (an unsettled delete hides them) are here too.
    const auto range = [](const std::string& name) { return " WHERE " + name + " > ?1 AND (?2 IS NULL OR " + name + " <= ?2)"; };
    keys_in_range = "SELECT " + key + " FROM " + table + range(key) + " UNION SELECT key FROM " + base + range("key") + " ORDER BY 1";
    select_base = "SELECT 1" + columns(entity, "", ", ") + " FROM " + base + " WHERE key = ?1";
    put_base = "INSERT OR REPLACE INTO " + base + " VALUES(?1" + places + ")";
    erase_base = "DELETE FROM " + base + " WHERE key = ?1";
    // Pre-images stay on the left: a plain join would let the planner scan the large table.
    difference = "SELECT p.key, p.existed" + columns(entity, "p.", ", ") + ", t." + key + " IS NOT NULL" +
                 columns(entity, "t.", ", ") + " FROM " + pre + " p LEFT JOIN " + table + " t ON t." + key +
                 " = p.key ORDER BY p.key";
    clear_pre = "DELETE FROM " + pre;
}

}  // namespace skerry::store
