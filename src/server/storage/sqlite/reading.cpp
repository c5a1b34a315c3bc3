#include "server/storage/sqlite/reading.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/error_table.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::quote_name;
using sqlite::Statement;

EntitySql sql_of(const model::Entity& entity) {
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    std::string columns;
    std::string of_row;
    std::string marks;
    for (std::size_t i = 0; i < entity.attributes.size(); ++i) {
        columns += ", " + quote_name(entity.attributes[i].name);
        of_row += ", t." + quote_name(entity.attributes[i].name);
        marks += ", ?" + std::to_string(i + 2);
    }
    EntitySql sql;
    const std::string listed = columns.empty() ? "1" : columns.substr(2);
    sql.select = "SELECT " + listed + " FROM " + table + " WHERE " + key + " = ?1";
    sql.range = "SELECT " + (columns.empty() ? key : columns.substr(2) + ", " + key) + " FROM " + table + " WHERE " + key + " >= ?1 AND " + key + " <= ?2 ORDER BY " + key;
    sql.gone = "SELECT " + listed + " FROM " + quote_name("skerry_gone_" + entity.name) + " WHERE skerry_key = ?1";
    sql.queued = "SELECT t." + key + of_row + " FROM temp.skerry_touched q CROSS JOIN " + table + " t ON t." + key + " = q.key WHERE q.entity = ?1";
    sql.insert = "INSERT INTO " + table + "(" + key + columns + ") VALUES(?1" + marks + ")";
    sql.remove = "DELETE FROM " + table + " WHERE " + key + " = ?1";
    // A key that came and went within the batch was never announced: it needs no tombstone. What was touched stays on
    // the left of the joins: the planner must not walk the big table.
    sql.sequence = "INSERT INTO skerry_member(scope, entity, key, seq, live) "
                   "SELECT ?1, ?2, q.key, ?3, t." + key + " IS NOT NULL "
                   "FROM temp.skerry_touched q LEFT JOIN " + table + " t ON t." + key + " = q.key "
                   "WHERE q.entity = ?2 AND (t." + key + " IS NOT NULL OR EXISTS (SELECT 1 FROM skerry_member m "
                   "WHERE m.scope = ?1 AND m.entity = ?2 AND m.key = q.key)) ORDER BY q.key "
                   "ON CONFLICT(scope, entity, key) DO UPDATE SET seq = excluded.seq, live = excluded.live";
    return sql;
}

}  // namespace

void keep_plans(sqlite::Database& db) { sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_ENABLE_QPSG, 1, nullptr); }

Tables::Tables(const model::Model& m) : model(m), relations(m) {
    for (const model::Entity& entity : model.entities) entities.push_back(sql_of(entity));
}

DeviceRow device_from(const Statement& get) {
    DeviceRow device;
    device.ix.value = get.integer(0);
    device.user = get.text(1);
    device.name = get.text(2);
    device.seen.value = from_sql(get.integer(3));
    device.keep_from.value = from_sql(get.integer(4));
    device.acked.value = from_sql(get.integer(5));
    device.enrolled_us = get.integer(6);
    device.held = from_sql(get.integer(7));
    device.heard_us = get.integer(8);
    device.forgotten = get.integer(9) != 0;
    device.id = DeviceId::from(get.blob(10));
    return device;
}

Result<std::optional<DeviceRow>> read_device(sqlite::Database& db, const DeviceId& id) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT " + std::string(kDeviceColumns) + " FROM skerry_device WHERE id = ?1"));
    SKERRY_ASSIGN(const bool row, get.bind_blob(1, id.view()).step());
    if (!row) return std::nullopt;
    DeviceRow device = device_from(get);
    get.reset();
    return device;
}

Result<std::optional<TokenRow>> read_token(sqlite::Database& db, BytesView hash) {
    SKERRY_ASSIGN(Statement get,
                  db.prepare("SELECT user, label, created_us, expires_us, claims FROM skerry_token WHERE hash = ?1"));
    SKERRY_ASSIGN(const bool row, get.bind_blob(1, hash).step());
    if (!row) return std::nullopt;
    TokenRow token{Bytes(hash), std::string(get.text(0)), std::string(get.text(1)), get.integer(2), std::nullopt, std::string(get.text(4))};
    if (!get.is_null(3)) token.expires_us = get.integer(3);
    get.reset();
    return token;
}

namespace {

model::Row row_at(const Statement& get, const model::Entity& entity) {
    model::Row row;
    row.reserve(entity.attributes.size());
    for (std::size_t i = 0; i < entity.attributes.size(); ++i) row.push_back(get.value(static_cast<int>(i)));
    return row;
}

// Keys that ascend, mostly lie side by side: read in one go, as long as not more is met that nobody asked for than what was. `found` gets
// as many as that gave.
Result<void> read_stretch(Statement& get, const model::Entity& entity, std::span<const std::string> keys, FoundRows& found) {
    const int key_at = static_cast<int>(entity.attributes.size());
    get.bind_text(1, keys.front()).bind_text(2, keys.back());
    std::size_t strays = 0;
    while (found.size() < keys.size()) {
        SKERRY_ASSIGN(const bool there, get.step());
        if (!there) {
            found.resize(keys.size());  // the others are not there
            break;
        }
        const std::string_view key = get.text(key_at);
        while (found.size() < keys.size() && keys[found.size()] < key) found.emplace_back();
        if (found.size() < keys.size() && keys[found.size()] == key) {
            found.push_back(row_at(get, entity));
        } else if (++strays > keys.size()) {
            break;
        }
    }
    get.reset();
    return {};
}

}  // namespace

Result<FoundRows> read_rows(sqlite::Database& db, const Tables& tables, EntityIx entity,
                            std::span<const std::string> keys) {
    // It may come out of a table: results name their rows.
    if (!tables.model.has(entity)) return fail(Code::kCorruptStore, "the database names an entity that the model does not have");
    const EntitySql& sql = tables.entities[entity.value];
    const model::Entity& shape = tables.model.entity(entity);
    FoundRows found;
    found.reserve(keys.size());
    if (keys.size() > 1 && std::is_sorted(keys.begin(), keys.end())) {
        SKERRY_ASSIGN(Statement range, db.prepare(sql.range));
        SKERRY_TRY(read_stretch(range, shape, keys, found));
    }
    if (found.size() == keys.size()) return found;
    SKERRY_ASSIGN(Statement get, db.prepare(sql.select));
    for (const std::string& key : keys.subspan(found.size())) {
        SKERRY_ASSIGN(auto row, read_row(get, shape, key));
        found.push_back(std::move(row));
    }
    return found;
}

Result<std::optional<model::Row>> read_row(Statement& get, const model::Entity& entity, std::string_view key) {
    SKERRY_ASSIGN(const bool there, get.bind_text(1, key).step());
    std::optional<model::Row> row;
    if (there) row = row_at(get, entity);
    get.reset();
    return row;
}

wire::Outcome outcome_from(const Statement& row) {
    wire::Outcome outcome;
    outcome.no.value = from_sql(row.integer(0));
    outcome.verdict = static_cast<wire::Verdict>(row.integer(1));
    outcome.code = code_from_number(static_cast<std::uint16_t>(row.integer(2)));
    outcome.root.value = from_sql(row.integer(3));
    outcome.message = row.text(4);
    outcome.id8 = from_sql(row.integer(5));
    return outcome;
}

Result<std::optional<wire::Outcome>> read_outcome(sqlite::Database& db, DeviceIx device, TxnNo no) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT no, verdict, code, root, message, id8 FROM skerry_outcome CROSS JOIN skerry_seen USING(device, no) "
                                            "WHERE device = ?1 AND no = ?2"));
    SKERRY_ASSIGN(const bool row, get.bind(1, device.value).bind(2, to_sql(no.value)).step());
    if (!row) return std::nullopt;
    wire::Outcome outcome = outcome_from(get);
    get.reset();
    return outcome;
}

Result<Mark> read_last(sqlite::Database& db) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT seq, mark FROM skerry_batch ORDER BY seq DESC LIMIT 1"));
    SKERRY_ASSIGN(const bool row, get.step());
    Mark mark;
    if (row) mark = {Seq{from_sql(get.integer(0))}, from_sql(get.integer(1))};
    get.reset();
    return mark;
}

Result<bool> read_queue_empty(sqlite::Database& db) {
    SKERRY_ASSIGN(const std::int64_t waiting,
                  db.integer("SELECT EXISTS(SELECT 1 FROM skerry_queue) OR "
                             "EXISTS(SELECT 1 FROM skerry_outcome WHERE seq IS NULL)"));
    return waiting == 0;
}

}  // namespace skerry::server::storage
