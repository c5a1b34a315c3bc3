#include "store/schema.hpp"

#include "sqlite/database.hpp"
#include "store/schema_parts.hpp"

namespace skerry::store {

using model::Entity;
using schema::columns;
using schema::Defaults;
using schema::definitions;
using sqlite::quote_name;

std::string internal_schema() {
    return R"sql(
CREATE TABLE IF NOT EXISTS skerry_meta(name TEXT NOT NULL PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_state(one INTEGER PRIMARY KEY CHECK(one = 1), applying INTEGER NOT NULL,
    open_rows INTEGER NOT NULL, open_bytes INTEGER NOT NULL) STRICT;
INSERT INTO skerry_state SELECT 1, 0, 0, 0 WHERE NOT EXISTS (SELECT 1 FROM skerry_state);
CREATE TABLE IF NOT EXISTS skerry_shown(entity INTEGER NOT NULL, key TEXT NOT NULL, attribute INTEGER NOT NULL,
    value ANY, PRIMARY KEY(entity, key, attribute)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_txn(no INTEGER PRIMARY KEY, id BLOB NOT NULL, state INTEGER NOT NULL,
    made_at_us INTEGER NOT NULL, low INTEGER NOT NULL, bytes INTEGER NOT NULL, terms BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS skerry_op(entity INTEGER NOT NULL, key TEXT NOT NULL, txn INTEGER NOT NULL,
    kind INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(entity, key, txn)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS skerry_op_txn ON skerry_op(txn);
CREATE TABLE IF NOT EXISTS skerry_archive(device BLOB NOT NULL, no INTEGER NOT NULL, verdict INTEGER NOT NULL,
    code INTEGER NOT NULL, root INTEGER NOT NULL, message TEXT NOT NULL, settled_at_us INTEGER NOT NULL,
    payload BLOB NOT NULL, PRIMARY KEY(device, no)) STRICT;
CREATE TABLE IF NOT EXISTS skerry_draft(number INTEGER PRIMARY KEY, device BLOB NOT NULL, no INTEGER NOT NULL,
    code INTEGER NOT NULL, root INTEGER NOT NULL, message TEXT NOT NULL, rejected_at_us INTEGER NOT NULL, payload BLOB NOT NULL,
    state INTEGER NOT NULL, mended_by INTEGER NOT NULL, told INTEGER NOT NULL, UNIQUE(device, no)) STRICT;
CREATE INDEX IF NOT EXISTS skerry_draft_told ON skerry_draft(told) WHERE told = 0;
CREATE TABLE IF NOT EXISTS skerry_told(record TEXT NOT NULL PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_cascading(entity INTEGER PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS skerry_scope(id INTEGER PRIMARY KEY, name TEXT NOT NULL, entity INTEGER NOT NULL,
    whole INTEGER NOT NULL, complete INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS skerry_scope_row(entity INTEGER NOT NULL, key TEXT NOT NULL, scope INTEGER NOT NULL,
    PRIMARY KEY(entity, key, scope)) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS skerry_scope_row_scope ON skerry_scope_row(scope, entity, key);
CREATE TABLE IF NOT EXISTS skerry_left(n INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL, why INTEGER NOT NULL,
    at_us INTEGER NOT NULL, UNIQUE(entity, key)) STRICT;
CREATE TABLE IF NOT EXISTS skerry_quarantine(entity INTEGER NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL,
    at_us INTEGER NOT NULL, payload BLOB NOT NULL, PRIMARY KEY(entity, key)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS skerry_stage(n INTEGER PRIMARY KEY, type INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
)sql";
}

std::string entity_tables(const Entity& entity) {
    const std::string body = "(skerry_key TEXT NOT NULL PRIMARY KEY";
    std::string out = "CREATE TABLE " + quote_name(entity.name) + "(" + quote_name(entity.key.name) + " TEXT NOT NULL PRIMARY KEY" +
                      definitions(entity, Defaults::kWith) + ") STRICT;\n" +  //
                      "CREATE TABLE " + quote_name("skerry_pre_" + entity.name) + body + ", skerry_existed INTEGER NOT NULL" +
                      definitions(entity, Defaults::kWithout) + ") STRICT, WITHOUT ROWID;\n" +  //
                      "CREATE TABLE " + quote_name("skerry_base_" + entity.name) + body + definitions(entity, Defaults::kWith) +
                      ") STRICT, WITHOUT ROWID;\n" +  //
                      "CREATE TABLE " + quote_name("skerry_named_" + entity.name) +
                      "(skerry_one INTEGER PRIMARY KEY CHECK(skerry_one = 1), skerry_gone INTEGER NOT NULL, skerry_key TEXT NOT NULL" +
                      definitions(entity, Defaults::kWithout) + ") STRICT;\n";
    return out;
}

std::string attribute_columns(const Entity& entity, std::uint32_t from) {
    std::string out;
    for (std::size_t at = from; at < entity.attributes.size(); ++at) {
        for (const char* beside : {"", "skerry_base_", "skerry_pre_", "skerry_named_"}) {
            // Pre-images too may be rows of before: numbering leaves those of device-only entities alone.
            const bool holds_rows = std::string_view(beside) != "skerry_named_";
            out += "ALTER TABLE " + quote_name(beside + entity.name) + " ADD COLUMN " +
                   rules::column_definition(entity.attributes[at], holds_rows ? Defaults::kWith : Defaults::kWithout) + ";\n";
        }
    }
    return out;
}

std::vector<std::string> entity_indexes(const Entity& entity) { return schema::indexes(entity); }

Result<std::string> entity_triggers(const model::Model& model, EntityIx ix) {
    const Entity& entity = model.entity(ix);
    SKERRY_ASSIGN(const std::string capture, schema::capture_triggers(entity));
    return capture + schema::on_delete_trigger(model, ix) + schema::guard_triggers(entity);
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
    select = "SELECT 1" + columns(entity, "", ", ") + " FROM " + table + " WHERE " + key + " = ?1";
    // An entity of nothing but its key: the no-op update still tells by changes() whether the row is there.
    update = "UPDATE " + table + " SET " + (assignments.empty() ? key + " = " + key : assignments) + " WHERE " + key + " = ?1";
    insert = "INSERT INTO " + table + "(" + key + columns(entity, "", ", ") + ") VALUES(?1" + places + ")";
    erase = "DELETE FROM " + table + " WHERE " + key + " = ?1";
    // Rows that only a base row remembers (an unsettled delete hides them) are here too.
    const auto range = [](const std::string& name) { return " WHERE " + name + " > ?1 AND (?2 IS NULL OR " + name + " <= ?2)"; };
    keys_in_range = "SELECT " + key + " FROM " + table + range(key) + " UNION SELECT skerry_key FROM " + base + range("skerry_key") + " ORDER BY 1";
    is_here = "SELECT 1 FROM " + table + " WHERE " + key + " = ?1";
    const std::string known = "EXISTS (" + is_here + ") OR EXISTS (SELECT 1 FROM " + base + " WHERE skerry_key = ?1)";
    put_line_if_known = "INSERT OR IGNORE INTO skerry_scope_row(key, entity, scope) SELECT ?1, ?2, ?3 WHERE " + known;
    mark_all = "INSERT OR IGNORE INTO skerry_scope_row(entity, key, scope) SELECT ?1, " + key + ", ?2 FROM " + table +
               " UNION SELECT ?1, skerry_key, ?2 FROM " + base + " UNION SELECT ?1, key, ?2 FROM skerry_quarantine WHERE entity = ?1";
    const std::string marked = " IN (SELECT key FROM skerry_scope_row WHERE scope < 0 AND +entity = ?1)";
    erase_marked = "DELETE FROM " + table + " WHERE " + key + marked;
    erase_marked_bases = "DELETE FROM " + base + " WHERE skerry_key" + marked;
    select_base = "SELECT 1" + columns(entity, "", ", ") + " FROM " + base + " WHERE skerry_key = ?1";
    put_base = "INSERT OR REPLACE INTO " + base + "(skerry_key" + columns(entity, "", ", ") + ") VALUES(?1" + places + ")";
    erase_base = "DELETE FROM " + base + " WHERE skerry_key = ?1";
    // Pre-images stay on the left: a plain join would let the planner scan the large table.
    difference = "SELECT p.skerry_key, p.skerry_existed" + columns(entity, "p.", ", ") + ", t." + key + " IS NOT NULL" +
                 columns(entity, "t.", ", ") + " FROM " + pre + " p LEFT JOIN " + table + " t ON t." + key +
                 " = p.skerry_key ORDER BY p.skerry_key";
    clear_pre = "DELETE FROM " + pre;
    clear_pre_upto = "DELETE FROM " + pre + " WHERE skerry_key <= ?1";
    const std::string named = quote_name("skerry_named_" + entity.name);
    name_row = "INSERT OR REPLACE INTO " + named + "(skerry_one, skerry_gone, skerry_key" + columns(entity, "", ", ") + ") VALUES(1, 0, ?1" + places + ")";
    name_gone = "INSERT OR REPLACE INTO " + named + "(skerry_one, skerry_gone, skerry_key) VALUES(1, 1, ?1)";
    clear_named = "DELETE FROM " + named;
    for (const model::Attribute& attribute : entity.attributes)
        set_attribute.push_back("UPDATE " + table + " SET " + quote_name(attribute.name) + " = ?2 WHERE " + key + " = ?1");
}

}  // namespace skerry::store
