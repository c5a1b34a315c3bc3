#include "server/storage/sqlite/schema.hpp"

#include <map>

#include "base/planted.hpp"
#include "rules/refusals.hpp"
#include "server/storage/sqlite/entity_schema.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::quote_name;

constexpr std::string_view kInternalTables = R"sql(
CREATE TABLE skerry_meta(name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_queue(id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL) STRICT;
CREATE TABLE skerry_batch(seq INTEGER PRIMARY KEY, mark INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_member(
    scope INTEGER NOT NULL, entity INTEGER NOT NULL, key TEXT NOT NULL,
    seq INTEGER NOT NULL, live INTEGER NOT NULL,
    PRIMARY KEY(scope, entity, key)) STRICT, WITHOUT ROWID;
CREATE INDEX skerry_member_by_seq ON skerry_member(scope, seq, live);
CREATE INDEX skerry_member_by_key ON skerry_member(entity, key) WHERE live = 1 AND scope >= 65536;
CREATE INDEX skerry_member_gone ON skerry_member(seq) WHERE live = 0;
CREATE TABLE skerry_rule(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, entity INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_scope(
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK(id < 4294967296), rule INTEGER NOT NULL, key TEXT NOT NULL,
    floor INTEGER NOT NULL DEFAULT 0,
    UNIQUE(rule, key)) STRICT;
INSERT INTO sqlite_sequence(name, seq) VALUES('skerry_scope', 65535);
CREATE TABLE skerry_grant_set(
    hash INTEGER PRIMARY KEY, scopes BLOB NOT NULL, used_us INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_device(
    ix INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, user TEXT NOT NULL, name TEXT NOT NULL,
    seen INTEGER NOT NULL, keep_from INTEGER NOT NULL, acked INTEGER NOT NULL, held INTEGER NOT NULL,
    enrolled_us INTEGER NOT NULL, heard_us INTEGER NOT NULL, forgotten INTEGER NOT NULL) STRICT;
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
    attribute TEXT NOT NULL, code INTEGER NOT NULL, left BLOB NOT NULL, record TEXT,
    PRIMARY KEY(device, no, entity, key, attribute)) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_history(
    id INTEGER PRIMARY KEY, entity INTEGER NOT NULL, key TEXT NOT NULL, attribute TEXT NOT NULL,
    why INTEGER NOT NULL, device INTEGER NOT NULL, no INTEGER NOT NULL, user TEXT NOT NULL,
    value BLOB NOT NULL, at_us INTEGER NOT NULL) STRICT;
CREATE INDEX skerry_history_by_row ON skerry_history(entity, key);
CREATE TABLE skerry_draft(
    device INTEGER NOT NULL, no INTEGER NOT NULL, user TEXT NOT NULL, code INTEGER NOT NULL,
    root INTEGER NOT NULL, message TEXT NOT NULL, member TEXT NOT NULL, content BLOB NOT NULL,
    at_us INTEGER NOT NULL, state INTEGER NOT NULL,
    PRIMARY KEY(device, no)) STRICT;
CREATE INDEX skerry_draft_closed ON skerry_draft(at_us) WHERE state <> 1;
CREATE TABLE skerry_log(
    id INTEGER PRIMARY KEY, device INTEGER NOT NULL, no INTEGER NOT NULL, user TEXT NOT NULL,
    verdict INTEGER NOT NULL, code INTEGER NOT NULL, message TEXT NOT NULL, content BLOB NOT NULL,
    at_us INTEGER NOT NULL) STRICT;
CREATE TABLE skerry_log_row(
    entity INTEGER NOT NULL, key TEXT NOT NULL, log INTEGER NOT NULL,
    PRIMARY KEY(entity, key, log)) STRICT, WITHOUT ROWID;
CREATE INDEX skerry_log_row_by_log ON skerry_log_row(log);
CREATE TABLE skerry_quarantine(
    entity INTEGER NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, at_us INTEGER NOT NULL,
    PRIMARY KEY(entity, key)) STRICT, WITHOUT ROWID;
CREATE TABLE skerry_state(one INTEGER PRIMARY KEY CHECK(one = 1), judging INTEGER NOT NULL) STRICT;
INSERT INTO skerry_state VALUES(1, 0);
CREATE TABLE skerry_token(
    hash BLOB PRIMARY KEY, user TEXT NOT NULL, label TEXT NOT NULL,
    created_us INTEGER NOT NULL, expires_us INTEGER, claims TEXT NOT NULL) STRICT, WITHOUT ROWID;
)sql";

using Parts = std::map<std::string, std::string>;  // name -> text

// Of Skerry's own, on the tables of entities, as they are in the file.
Result<Parts> present_parts(sqlite::Database& db, std::string_view type) {
    SKERRY_ASSIGN(sqlite::Statement get,
                  db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = ?1 AND sql IS NOT NULL AND name GLOB 'skerry_*' "
                             "AND (type = 'trigger' OR name GLOB 'skerry_index_*')"));
    get.bind_text(1, type);
    Parts parts;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        parts.emplace(get.text(0), get.text(1));
    }
    get.reset();
    return parts;
}

// Unique indexes that are not ours. One over an expression cannot be followed; `warnings` says so.
Result<std::vector<ForeignUnique>> foreign_uniques(sqlite::Database& db, const model::Entity& entity, std::vector<std::string>& warnings) {
    SKERRY_ASSIGN(sqlite::Statement list,
                  db.prepare("SELECT name FROM pragma_index_list(?1) WHERE \"unique\" = 1 AND origin <> 'pk' ORDER BY name"));
    list.bind_text(1, entity.name);
    std::vector<std::string> names;
    for (;;) {
        SKERRY_ASSIGN(const bool row, list.step());
        if (!row) break;
        names.emplace_back(list.text(0));
    }
    list.reset();
    std::vector<ForeignUnique> found;
    for (const std::string& name : names) {
        SKERRY_ASSIGN(sqlite::Statement columns, db.prepare("SELECT name, coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno"));
        columns.bind_text(1, name);
        ForeignUnique unique;
        bool plain = true;
        for (;;) {
            SKERRY_ASSIGN(const bool row, columns.step());
            if (!row) break;
            plain = plain && !columns.is_null(0);
            unique.columns.emplace_back(columns.text(0));
            unique.collations.emplace_back(columns.text(1));
        }
        columns.reset();
        if (plain) {
            found.push_back(std::move(unique));
        } else {
            warnings.push_back("the unique index " + name + " on " + entity.name +
                               " is over an expression: rows that a REPLACE evicts through it are not noticed");
        }
    }
    return found;
}

struct Wanted {
    Parts indexes;
    Parts triggers;
    std::vector<std::string> warnings;
};

Result<Wanted> wanted_parts(sqlite::Database& db, const model::Model& model) {
    Wanted wanted;
    for (std::uint32_t i = 0; i < model.entities.size(); ++i) {
        for (SchemaPart& part : indexes_of(model.entities[i])) wanted.indexes.emplace(std::move(part.name), std::move(part.sql));
        SKERRY_ASSIGN(const auto foreign, foreign_uniques(db, model.entities[i], wanted.warnings));
        SKERRY_ASSIGN(auto triggers, triggers_of(model, EntityIx{i}, foreign));
        for (SchemaPart& part : triggers) wanted.triggers.emplace(std::move(part.name), std::move(part.sql));
    }
    return wanted;
}

Result<void> replace_parts(sqlite::Database& db, std::string_view type, const Parts& present, const Parts& wanted) {
    for (const auto& [name, sql] : present) {
        const auto same = wanted.find(name);
        if (same == wanted.end() || same->second != sql) SKERRY_TRY(db.exec("DROP " + std::string(type) + " " + quote_name(name)));
    }
    for (const auto& [name, sql] : wanted) {
        const auto same = present.find(name);
        if (same == present.end() || same->second != sql) SKERRY_TRY(db.exec(sql));
    }
    return {};
}

Result<void> make_parts(sqlite::Database& db, const model::Model& model) {
    SKERRY_ASSIGN(const Wanted wanted, wanted_parts(db, model));
    SKERRY_ASSIGN(const Parts indexes, present_parts(db, "index"));
    SKERRY_ASSIGN(const Parts triggers, present_parts(db, "trigger"));
    SKERRY_TRY(replace_parts(db, "TRIGGER", triggers, wanted.triggers));
    return replace_parts(db, "INDEX", indexes, wanted.indexes);
}

Result<void> add_columns(sqlite::Database& db, const model::Entity& before, const model::Entity& after) {
    for (std::size_t i = before.attributes.size(); i < after.attributes.size(); ++i)
        for (const std::string& table : {after.name, "skerry_gone_" + after.name})
            SKERRY_TRY(db.exec("ALTER TABLE " + quote_name(table) + " ADD COLUMN " + rules::column_definition(after.attributes[i], rules::Defaults::kWith)));
    return {};
}

// A table takes its triggers with it: one of a known entity that has none was dropped and made anew, or was without them for a while, and nothing
// is known of what was written meanwhile. All that it has, and all that devices have of it, is looked at anew.
Result<bool> queue_if_made_anew(sqlite::Database& db, const model::Entity& entity, EntityIx ix) {
    SKERRY_ASSIGN(sqlite::Statement triggers, db.prepare("SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 AND name GLOB 'skerry_*'"));
    SKERRY_ASSIGN(const bool row, triggers.bind_text(1, entity.name).step());
    const bool has = row && triggers.integer(0) != 0;
    triggers.reset();
    if (has) return false;
    const std::string number = std::to_string(ix.value);
    SKERRY_TRY(db.exec("INSERT INTO skerry_queue(entity, key) SELECT " + number + ", " + quote_name(entity.key.name) + " FROM " + quote_name(entity.name) +
                       " UNION SELECT entity, key FROM skerry_member WHERE entity = " + number + " AND live = 1"));
    return true;
}

Result<void> put_meta(sqlite::Database& db, std::string_view name, const Value& value) {
    SKERRY_ASSIGN(sqlite::Statement put,
                  db.prepare("INSERT INTO skerry_meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value"));
    return put.bind_text(1, name).bind(2, value).run();
}

Blob blob_of(BytesView bytes) { return Blob(bytes.begin(), bytes.end()); }

}  // namespace

Result<void> create_schema(sqlite::Database& db, const model::Model& model, Random& random) {
    SKERRY_ASSIGN(const std::int64_t tables, db.integer("SELECT count(*) FROM sqlite_schema"));
    if (tables != 0) return fail(Code::kAlreadyExists, "the server's database exists already");
    SKERRY_TRY(configure(db));
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db));
    SKERRY_TRY(db.exec(kInternalTables));
    for (const model::Entity& entity : model.entities) SKERRY_TRY(db.exec(create_table_sql(entity) + create_gone_sql(entity)));
    SKERRY_TRY(make_parts(db, model));
    Bytes secret(32, '\0');
    random.fill({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
    SKERRY_TRY(put_meta(db, "format", kServerFormat));
    SKERRY_TRY(put_meta(db, "model", blob_of(model.compile_whole())));
    SKERRY_TRY(put_meta(db, "epoch", static_cast<std::int64_t>(random.u64())));
    SKERRY_TRY(put_meta(db, "secret", blob_of(secret)));
    return txn.commit();
}

Result<std::vector<std::string>> adopt_schema(sqlite::Database& db, const Meta& meta, const model::Model& wanted) {
    const bool same_model = wanted.compile_whole() == meta.compiled;
    if (same_model) {
        SKERRY_ASSIGN(Wanted parts, wanted_parts(db, wanted));
        SKERRY_ASSIGN(const Parts indexes, present_parts(db, "index"));
        SKERRY_ASSIGN(const Parts triggers, present_parts(db, "trigger"));
        if (parts.indexes == indexes && parts.triggers == triggers) return std::move(parts.warnings);
    }
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db));
    std::vector<std::string> anew;
    for (std::uint32_t i = 0; i < meta.model.entities.size(); ++i) {
        SKERRY_ASSIGN(const bool queued, queue_if_made_anew(db, meta.model.entities[i], EntityIx{i}));
        if (queued) anew.push_back("the table of " + meta.model.entities[i].name + " had lost its triggers: all of its rows are looked at anew");
    }
    for (std::size_t i = 0; i < wanted.entities.size(); ++i) {
        const model::Entity& entity = wanted.entities[i];
        if (i >= meta.model.entities.size()) {
            SKERRY_TRY(db.exec(create_table_sql(entity) + create_gone_sql(entity)));
        } else {
            SKERRY_TRY(add_columns(db, meta.model.entities[i], entity));
        }
    }
    SKERRY_TRY(make_parts(db, wanted));
    if (!same_model) SKERRY_TRY(put_meta(db, "model", blob_of(wanted.compile_whole())));
    SKERRY_ASSIGN(Wanted made, wanted_parts(db, wanted));
    SKERRY_TRY(txn.commit());
    made.warnings.insert(made.warnings.end(), anew.begin(), anew.end());
    return std::move(made.warnings);
}

Result<Meta> read_meta(sqlite::Database& db) {
    SKERRY_ASSIGN(const std::int64_t there,
                  db.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'skerry_meta'"));
    if (there == 0) return fail(Code::kCorruptStore, "the file is a SQLite database, but not a Skerry server's");
    SKERRY_ASSIGN(const std::int64_t format, db.integer("SELECT value FROM skerry_meta WHERE name = 'format'"));
    if (format > kServerFormat)
        return fail(Code::kFormatTooNew, "the server's database has format " + std::to_string(format) +
                                             "; this program knows formats up to " + std::to_string(kServerFormat));
    if (format < kServerFormat)
        return fail(Code::kNotSupported, "the server's database has format " + std::to_string(format) + ", which was never released");
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

Result<void> renew_epoch(sqlite::Database& db, Random& random) {
    return put_meta(db, "epoch", static_cast<std::int64_t>(random.u64()));
}

Result<void> configure(sqlite::Database& db) {
    // What is sorted or listed on the way goes into temporary files when it is much: millions of rows sequenced at once took 535 MB in memory.
    SKERRY_TRY(db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000"));
    if (planted(Plant::kAckBeforeDurable)) return db.exec("PRAGMA synchronous = NORMAL");
    return {};
}

}  // namespace skerry::server::storage
