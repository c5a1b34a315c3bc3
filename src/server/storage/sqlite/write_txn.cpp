#include "server/storage/sqlite/write_txn.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/planted.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::quote_name;
using sqlite::Statement;

constexpr std::size_t kKeptUpdatesMax = 32;  // per entity; a set of attributes beyond them is prepared each time
constexpr int kBusyTimeoutMs = 5000;

}  // namespace

Result<std::unique_ptr<WriteTxn>> SqliteWriteTxn::begin(sqlite::Database& db, Tables& tables, Patience patience) {
    sqlite3_busy_timeout(db.handle(), patience == Patience::kNone ? 0 : kBusyTimeoutMs);
    SKERRY_ASSIGN(sqlite::Transaction txn, sqlite::Transaction::begin_write(db));
    return std::unique_ptr<WriteTxn>(new SqliteWriteTxn(db, tables, std::move(txn)));
}

Result<void> SqliteWriteTxn::run(std::string_view sql) {
    SKERRY_ASSIGN(Statement statement, db_.prepare(sql));
    return statement.run();
}

Result<void> SqliteWriteTxn::put_device(DeviceRow& device) {
    SKERRY_ASSIGN(Statement put,
                  db_.prepare("INSERT INTO skerry_device(ix, id, user, name, seen, keep_from, acked, enrolled_us, held, heard_us, forgotten) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT(ix) DO UPDATE SET user = excluded.user, "
                              "name = excluded.name, seen = excluded.seen, keep_from = excluded.keep_from, "
                              "acked = excluded.acked, held = excluded.held, heard_us = excluded.heard_us, forgotten = excluded.forgotten"));
    if (device.ix) put.bind(1, device.ix.value);
    put.bind_blob(2, device.id.view()).bind_text(3, device.user).bind_text(4, device.name);
    put.bind(5, to_sql(device.seen.value)).bind(6, to_sql(device.keep_from.value));
    put.bind(7, to_sql(device.acked.value)).bind(8, device.enrolled_us).bind(9, to_sql(device.held));
    put.bind(10, device.heard_us).bind(11, std::int64_t{device.forgotten ? 1 : 0});
    SKERRY_TRY(put.run());
    if (!device.ix) device.ix.value = sqlite3_last_insert_rowid(db_.handle());
    return {};
}

Result<void> SqliteWriteTxn::put_token(const TokenRow& token) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_token(hash, user, label, created_us, expires_us, claims) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
    put.bind_blob(1, token.hash).bind_text(2, token.user).bind_text(3, token.label).bind(4, token.created_us);
    if (token.expires_us) put.bind(5, *token.expires_us);
    put.bind_text(6, token.claims);
    return put.run();
}

Result<std::optional<std::uint64_t>> SqliteWriteTxn::seen(DeviceIx device, TxnNo no) {
    if (planted(Plant::kDedupeForgotten)) return std::nullopt;
    SKERRY_ASSIGN(Statement get, db_.prepare("SELECT id8 FROM skerry_seen WHERE device = ?1 AND no = ?2"));
    SKERRY_ASSIGN(const bool row, get.bind(1, device.value).bind(2, to_sql(no.value)).step());
    if (!row) return std::nullopt;
    const std::uint64_t id8 = from_sql(get.integer(0));
    get.reset();
    return id8;
}

Result<void> SqliteWriteTxn::put_seen(DeviceIx device, TxnNo no, std::uint64_t id8) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT OR REPLACE INTO skerry_seen(device, no, id8) VALUES(?1, ?2, ?3)"));
    return put.bind(1, device.value).bind(2, to_sql(no.value)).bind(3, to_sql(id8)).run();
}

Result<void> SqliteWriteTxn::put_outcome(DeviceIx device, const wire::Outcome& outcome) {
    SKERRY_ASSIGN(Statement put,
                  db_.prepare("INSERT OR REPLACE INTO skerry_outcome(device, no, verdict, code, root, message, seq) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, NULL)"));
    put.bind(1, device.value).bind(2, to_sql(outcome.no.value));
    put.bind(3, static_cast<std::int64_t>(outcome.verdict)).bind(4, static_cast<std::int64_t>(outcome.code));
    return put.bind(5, to_sql(outcome.root.value)).bind_text(6, outcome.message).run();
}

Result<void> SqliteWriteTxn::put_result(DeviceIx device, const ResultRow& result) {
    SKERRY_ASSIGN(Statement put,
                  db_.prepare("INSERT OR REPLACE INTO skerry_result(device, no, entity, key, attribute, code, left, record) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    put.bind(1, device.value).bind(2, to_sql(result.no.value)).bind(3, std::int64_t{result.at.entity.value});
    put.bind_text(4, result.at.key).bind_text(5, result.attribute).bind(6, static_cast<std::int64_t>(result.code));
    put.bind_blob(7, result.left);
    if (!result.record.empty()) put.bind_text(8, result.record);
    return put.run();
}

Result<std::optional<ResultRow>> SqliteWriteTxn::result(DeviceIx device, TxnNo no, const KeyRef& at,
                                                        std::string_view attribute) {
    SKERRY_ASSIGN(Statement get, db_.prepare("SELECT code, left, record FROM skerry_result WHERE device = ?1 AND no = ?2 "
                                             "AND entity = ?3 AND key = ?4 AND attribute = ?5"));
    get.bind(1, device.value).bind(2, to_sql(no.value)).bind(3, std::int64_t{at.entity.value});
    SKERRY_ASSIGN(const bool row, get.bind_text(4, at.key).bind_text(5, attribute).step());
    if (!row) return std::nullopt;
    ResultRow result{no, at, std::string(attribute), static_cast<ResultCode>(get.integer(0)), Bytes(get.blob(1)), {}};
    result.record = get.text(2);
    get.reset();
    return result;
}

Result<void> SqliteWriteTxn::purge_below(DeviceIx device, TxnNo keep_from) {
    for (const std::string_view sql : {"DELETE FROM skerry_outcome WHERE device = ?1 AND no < ?2",
                                       "DELETE FROM skerry_result WHERE device = ?1 AND no < ?2"}) {
        SKERRY_ASSIGN(Statement purge, db_.prepare(sql));
        SKERRY_TRY(purge.bind(1, device.value).bind(2, to_sql(keep_from.value)).run());
    }
    return {};
}

Result<std::optional<std::string>> SqliteWriteTxn::open_record(std::string_view entity, std::string_view key,
                                                               std::string_view attribute, std::string_view author) {
    SKERRY_ASSIGN(Statement get, db_.prepare("SELECT id FROM skerry_conflict WHERE entity = ?1 AND \"row\" = ?2 AND attribute = ?3 "
                                             "AND author = ?4 AND state = 'open'"));
    SKERRY_ASSIGN(const bool row, get.bind_text(1, entity).bind_text(2, key).bind_text(3, attribute).bind_text(4, author).step());
    if (!row) return std::nullopt;
    std::string id(get.text(0));
    get.reset();
    return id;
}

Result<std::optional<model::Row>> SqliteWriteTxn::gone(const KeyRef& at) {
    const model::Entity& entity = tables_.model.entity(at.entity);
    SKERRY_ASSIGN(Statement get, db_.prepare(tables_.entities[at.entity.value].gone));
    SKERRY_ASSIGN(auto image, read_row(get, entity, at.key));
    // Other programs spell as they like, and a row may have gone before it was sequenced. What has no canonical form
    // never reached a device, and comes back on none.
    for (std::size_t i = 0; image && i < image->size(); ++i) {
        auto value = model::canonical(entity, entity.attributes[i], (*image)[i]);
        (*image)[i] = value ? std::move(*value) : Value{Null{}};
    }
    return image;
}

Result<void> SqliteWriteTxn::put_history(const HistoryRow& row) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_history(entity, key, attribute, why, device, no, user, value, at_us) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
    put.bind(1, std::int64_t{row.at.entity.value}).bind_text(2, row.at.key).bind_text(3, row.attribute);
    put.bind(4, static_cast<std::int64_t>(row.why)).bind(5, row.device.value).bind(6, to_sql(row.no.value));
    return put.bind_text(7, row.user).bind_blob(8, row.value).bind(9, row.at_us).run();
}

Result<void> SqliteWriteTxn::put_draft(const Draft& draft) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT OR REPLACE INTO skerry_draft(device, no, user, code, root, message, member, content, at_us, state) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
    put.bind(1, draft.device.value).bind(2, to_sql(draft.no.value)).bind_text(3, draft.user);
    put.bind(4, static_cast<std::int64_t>(draft.code)).bind(5, to_sql(draft.root.value)).bind_text(6, draft.message);
    put.bind_text(7, draft.member).bind_blob(8, draft.content).bind(9, draft.at_us);
    return put.bind(10, static_cast<std::int64_t>(draft.state)).run();
}

Result<void> SqliteWriteTxn::close_drafts(DeviceIx device, std::span<const TxnNo> numbers, DraftState state) {
    for (const TxnNo no : numbers) {
        SKERRY_ASSIGN(Statement put, db_.prepare("UPDATE skerry_draft SET state = ?3 WHERE device = ?1 AND no = ?2 AND state = 1"));
        SKERRY_TRY(put.bind(1, device.value).bind(2, to_sql(no.value)).bind(3, static_cast<std::int64_t>(state)).run());
    }
    return {};
}

Result<void> SqliteWriteTxn::put_log(const LogRow& row) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_log(device, no, user, verdict, code, message, content, at_us) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"));
    put.bind(1, row.device.value).bind(2, to_sql(row.outcome.no.value)).bind_text(3, row.user);
    put.bind(4, static_cast<std::int64_t>(row.outcome.verdict)).bind(5, static_cast<std::int64_t>(row.outcome.code));
    SKERRY_TRY(put.bind_text(6, row.outcome.message).bind_blob(7, row.content).bind(8, row.at_us).run());
    const std::int64_t id = sqlite3_last_insert_rowid(db_.handle());
    SKERRY_ASSIGN(Statement at, db_.prepare("INSERT INTO skerry_log_row(entity, key, log) VALUES(?1, ?2, ?3)"));
    for (const KeyRef& ref : row.rows)
        SKERRY_TRY(at.bind(1, std::int64_t{ref.entity.value}).bind_text(2, ref.key).bind(3, id).run());
    return {};
}

Result<void> SqliteWriteTxn::insert(EntityIx entity, std::string_view key, const model::Row& row) {
    SKERRY_ASSIGN(Statement put, db_.prepare(tables_.entities[entity.value].insert));
    put.bind_text(1, key);
    for (std::size_t i = 0; i < row.size(); ++i) put.bind(static_cast<int>(i + 2), row[i]);
    return put.run();
}

Result<void> SqliteWriteTxn::update(EntityIx entity, std::string_view key, std::span<const Assignment> values) {
    if (values.empty()) return {};
    const model::Entity& e = tables_.model.entity(entity);
    std::string sql = "UPDATE " + quote_name(e.name) + " SET ";
    for (std::size_t i = 0; i < values.size(); ++i)
        sql += (i == 0 ? "" : ", ") + quote_name(e.attributes[values[i].first].name) + " = ?" + std::to_string(i + 2);
    sql += " WHERE " + quote_name(e.key.name) + " = ?1";
    auto& kept = writing_.entities[entity.value].kept_updates;
    bool keep = std::find(kept.begin(), kept.end(), sql) != kept.end();
    if (!keep && kept.size() < kKeptUpdatesMax) {
        kept.push_back(sql);
        keep = true;
    }
    sqlite::OwnedStatement owned;
    Statement put;
    if (keep) {
        SKERRY_ASSIGN(put, db_.prepare(sql));
    } else {
        SKERRY_ASSIGN(owned, db_.prepare_once(sql));
        put = *owned;
    }
    put.bind_text(1, key);
    for (std::size_t i = 0; i < values.size(); ++i) put.bind(static_cast<int>(i + 2), *values[i].second);
    return put.run();
}

Result<void> SqliteWriteTxn::remove(EntityIx entity, std::string_view key) {
    SKERRY_ASSIGN(Statement put, db_.prepare(tables_.entities[entity.value].remove));
    return put.bind_text(1, key).run();
}

Result<void> SqliteWriteTxn::savepoint() { return run("SAVEPOINT skerry_txn"); }
Result<void> SqliteWriteTxn::release() { return run("RELEASE skerry_txn"); }
Result<void> SqliteWriteTxn::rollback_to() {
    SKERRY_TRY(run("ROLLBACK TO skerry_txn"));
    return run("RELEASE skerry_txn");
}

Result<void> SqliteWriteTxn::commit() {
    if (judging_) SKERRY_TRY(run("UPDATE skerry_state SET judging = 0"));
    return txn_.commit();
}

}  // namespace skerry::server::storage
