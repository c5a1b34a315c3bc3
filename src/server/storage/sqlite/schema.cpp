#include "server/storage/sqlite/schema.hpp"

#include "model/value.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::quote_name;
using sqlite::quote_text;

// Beyond it the comparison below would reach SQLite's limit on expressions; every update then counts as a change.
constexpr std::size_t kCompareColumnsMax = 500;

constexpr std::string_view kInternalTables = R"sql(
CREATE TABLE skerry_meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_queue(id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL) STRICT;
CREATE TABLE skerry_batch(seq INTEGER PRIMARY KEY, mark INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_member(
    scope INTEGER NOT NULL, entity INTEGER NOT NULL, key TEXT NOT NULL,
    seq INTEGER NOT NULL, live INTEGER NOT NULL,
    PRIMARY KEY(scope, entity, key)) STRICT, WITHOUT ROWID;
CREATE INDEX skerry_member_by_seq ON skerry_member(scope, seq, live);
CREATE TABLE skerry_device(
    ix INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, user TEXT NOT NULL, name TEXT NOT NULL,
    seen INTEGER NOT NULL, keep_from INTEGER NOT NULL, acked INTEGER NOT NULL, enrolled_us INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_seen(
    device INTEGER NOT NULL, no INTEGER NOT NULL, id8 INTEGER NOT NULL,
    PRIMARY KEY(device, no)) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_outcome(
    device INTEGER NOT NULL, no INTEGER NOT NULL, verdict INTEGER NOT NULL, code INTEGER NOT NULL,
    root INTEGER NOT NULL, message TEXT NOT NULL, seq INTEGER,
    PRIMARY KEY(device, no)) STRICT, WITHOUT ROWID;
CREATE INDEX skerry_outcome_by_seq ON skerry_outcome(device, seq);
CREATE INDEX skerry_outcome_open ON skerry_outcome(device, no) WHERE seq IS NULL;
CREATE TABLE skerry_result(
    device INTEGER NOT NULL, no INTEGER NOT NULL, entity INTEGER NOT NULL, key TEXT NOT NULL,
    attribute TEXT NOT NULL, code INTEGER NOT NULL, left BLOB NOT NULL, record INTEGER,
    PRIMARY KEY(device, no, entity, key, attribute)) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_conflict_record(
    id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL, attribute TEXT NOT NULL,
    author TEXT NOT NULL, device INTEGER NOT NULL, no INTEGER NOT NULL, state INTEGER NOT NULL,
    base BLOB NOT NULL, mine BLOB NOT NULL, theirs BLOB NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX skerry_conflict_open ON skerry_conflict_record(entity, key, attribute, author) WHERE state = 1;
CREATE TABLE skerry_history(
    id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL, attribute TEXT NOT NULL,
    why INTEGER NOT NULL, device INTEGER NOT NULL, no INTEGER NOT NULL, user TEXT NOT NULL,
    value BLOB NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE INDEX skerry_history_by_row ON skerry_history(entity, key);
CREATE TABLE skerry_draft(
    device INTEGER NOT NULL, no INTEGER NOT NULL, user TEXT NOT NULL, code INTEGER NOT NULL,
    content BLOB NOT NULL, at_us INTEGER NOT NULL,
    PRIMARY KEY(device, no)) STRICT;
CREATE TABLE skerry_token(
    hash BLOB PRIMARY KEY, user TEXT NOT NULL, label TEXT NOT NULL,
    created_us INTEGER NOT NULL, expires_us INTEGER) STRICT, WITHOUT ROWID;
)sql";

std::string uuid_glob() {
    std::string pattern;
    for (const int digits : {8, 4, 4, 4, 12}) {
        if (!pattern.empty()) pattern += '-';
        for (int i = 0; i < digits; ++i) pattern += "[0-9a-f]";
    }
    return quote_text(pattern);
}

std::string sql_type(model::Type type) { return type == model::Type::kInt ? "INTEGER" : "TEXT"; }

std::string refuse_where(std::string_view code, const std::string& message, const std::string& condition) {
    return " SELECT RAISE(ABORT, " + quote_text("skerry:" + std::string(code) + ": " + message) + ") WHERE " +
           condition + ";";
}

std::string refuse_bad_uuid(const model::Entity& entity, const std::string& attribute) {
    // A NULL compares to NULL: not refused here.
    return refuse_where("value_invalid",
                        entity.name + "." + attribute + " is not a uuid in lower case with hyphens",
                        "NEW." + quote_name(attribute) + " NOT GLOB " + uuid_glob());
}

// What plain SQL can tell. Text that is not UTF-8 it cannot: such a row is held back when it would be sent.
std::string insert_checks(const model::Entity& entity) {
    const std::string key = "NEW." + quote_name(entity.key.name);
    const std::string place = entity.name + "." + entity.key.name;
    std::string sql = refuse_where("key_missing", "a row of " + entity.name + " needs its key " + entity.key.name,
                                   key + " IS NULL");
    if (entity.key.type == model::Type::kUuid) {
        sql += refuse_bad_uuid(entity, entity.key.name);
    } else {
        sql += refuse_where("value_invalid", place + " is an empty key", key + " = ''");
        sql += refuse_where("value_invalid", place + " contains NUL", "instr(" + key + ", char(0)) > 0");
        sql += refuse_where("row_too_big", place + " is longer than " + std::to_string(model::kKeyBytesMax) + " bytes",
                            "length(CAST(" + key + " AS BLOB)) > " + std::to_string(model::kKeyBytesMax));
    }
    for (const model::Attribute& attribute : entity.attributes)
        if (attribute.type == model::Type::kUuid) sql += refuse_bad_uuid(entity, attribute.name);
    return sql;
}

std::string update_checks(const model::Entity& entity) {
    const std::string key = quote_name(entity.key.name);
    std::string sql = refuse_where("key_update",
                                   "the key " + entity.key.name + " of " + entity.name +
                                       " cannot change; delete the row and insert it under the new key",
                                   "NEW." + key + " IS NOT OLD." + key);
    for (const model::Attribute& attribute : entity.attributes)
        if (attribute.type == model::Type::kUuid) sql += refuse_bad_uuid(entity, attribute.name);
    return sql;
}

std::string really_changed(const model::Entity& entity) {
    if (entity.attributes.size() > kCompareColumnsMax) return {};
    std::string condition;
    for (const model::Attribute& attribute : entity.attributes) {
        const std::string name = quote_name(attribute.name);
        condition += (condition.empty() ? "" : " OR ") + ("OLD." + name) + " IS NOT NEW." + name;
    }
    return condition.empty() ? std::string{} : " WHEN " + condition;
}

}  // namespace

std::string create_entity_sql(const model::Entity& entity, EntityIx ix) {
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    const std::string number = std::to_string(ix.value);
    std::string sql = "CREATE TABLE " + table + "(" + key + " TEXT PRIMARY KEY NOT NULL";
    for (const model::Attribute& attribute : entity.attributes)
        sql += ", " + quote_name(attribute.name) + " " + sql_type(attribute.type);
    sql += ") STRICT;\n";
    const auto trigger = [&](std::string_view name, std::string_view when, const std::string& body) {
        sql += "CREATE TRIGGER " + quote_name("skerry_" + entity.name + "_" + std::string(name)) + " " +
               std::string(when) + " BEGIN" + body + " END;\n";
    };
    const auto note = [&](std::string_view which) {
        return " INSERT INTO skerry_queue(entity, key) VALUES(" + number + ", " + std::string(which) + "." + key + ");";
    };
    trigger("check_insert", "BEFORE INSERT ON " + table, insert_checks(entity));
    trigger("check_update", "BEFORE UPDATE ON " + table, update_checks(entity));
    trigger("inserted", "AFTER INSERT ON " + table, note("NEW"));
    trigger("updated", "AFTER UPDATE ON " + table + really_changed(entity), note("OLD"));
    trigger("deleted", "AFTER DELETE ON " + table, note("OLD"));
    return sql;
}

Result<void> create_schema(sqlite::Database& db, const model::Model& model, Random& random) {
    SKERRY_ASSIGN(const std::int64_t tables, db.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables != 0) return fail(Code::kAlreadyExists, "the server's database exists already");
    SKERRY_TRY(configure(db));
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db));
    SKERRY_TRY(db.exec(kInternalTables));
    for (std::uint32_t i = 0; i < model.entities.size(); ++i)
        SKERRY_TRY(db.exec(create_entity_sql(model.entities[i], EntityIx{i})));
    const Bytes compiled = model.compile();
    Bytes secret(32, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
    SKERRY_ASSIGN(sqlite::Statement put, db.prepare("INSERT INTO skerry_meta(name, value) VALUES(?1, ?2)"));
    SKERRY_TRY(put.bind_text(1, "format").bind(2, kServerFormat).run());
    SKERRY_TRY(put.bind_text(1, "model").bind_blob(2, compiled).run());
    SKERRY_TRY(put.bind_text(1, "epoch").bind(2, static_cast<std::int64_t>(random.u64())).run());
    SKERRY_TRY(put.bind_text(1, "secret").bind_blob(2, secret).run());
    return txn.commit();
}

Result<Meta> read_meta(sqlite::Database& db) {
    SKERRY_ASSIGN(const std::int64_t there,
                  db.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'skerry_meta'"));
    if (there == 0) return fail(Code::kCorruptStore, "the file is a SQLite database, but not a Skerry server's");
    SKERRY_ASSIGN(const std::int64_t format, db.integer("SELECT value FROM skerry_meta WHERE name = 'format'"));
    if (format > kServerFormat)
        return fail(Code::kFormatTooNew, "the server's database has format " + std::to_string(format) +
                                             "; this program knows formats up to " + std::to_string(kServerFormat));
    const auto blob = [&db](std::string_view name) -> Result<Bytes> {
        SKERRY_ASSIGN(sqlite::Statement get, db.prepare("SELECT value FROM skerry_meta WHERE name = ?1"));
        SKERRY_ASSIGN(const bool row, get.bind_text(1, name).step());
        if (!row) return fail(Code::kCorruptStore, "the server's database lacks its " + std::string(name));
        Bytes bytes{get.blob(0)};
        get.reset();
        return bytes;
    };
    Meta meta;
    SKERRY_ASSIGN(meta.compiled, blob("model"));
    SKERRY_ASSIGN(meta.secret, blob("secret"));
    if (meta.secret.size() != 32) return fail(Code::kCorruptStore, "the server's secret is damaged");
    SKERRY_ASSIGN(meta.model, model::Model::load(meta.compiled));
    SKERRY_ASSIGN(const std::int64_t epoch, db.integer("SELECT value FROM skerry_meta WHERE name = 'epoch'"));
    meta.epoch.value = static_cast<std::uint64_t>(epoch);
    return meta;
}

Result<void> configure(sqlite::Database& db) {
    // temp_store: sorting keys must not need files next to a simulated disk.
    return db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;"
                   "PRAGMA cache_size = -32000");
}

}  // namespace skerry::server::storage
