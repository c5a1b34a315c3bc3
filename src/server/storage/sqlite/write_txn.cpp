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

Record record_from(const Statement& row) {
    Record record;
    record.id.value = row.integer(0);
    record.at = {EntityIx{static_cast<std::uint32_t>(row.integer(1))}, std::string(row.text(2))};
    record.attribute = row.text(3);
    record.author = row.text(4);
    record.device.value = row.integer(5);
    record.no.value = from_sql(row.integer(6));
    record.state = static_cast<RecordState>(row.integer(7));
    record.base = row.blob(8);
    record.mine = row.blob(9);
    record.theirs = row.blob(10);
    record.at_us = row.integer(11);
    return record;
}

#define SKERRY_SELECT_RECORD \
    "SELECT id, entity, key, attribute, author, device, no, state, base, mine, theirs, at_us FROM skerry_conflict_record "
constexpr std::string_view kRecordById = SKERRY_SELECT_RECORD "WHERE id = ?1";
constexpr std::string_view kOpenRecord =
    SKERRY_SELECT_RECORD "WHERE entity = ?1 AND key = ?2 AND attribute = ?3 AND author = ?4 AND state = 1";
#undef SKERRY_SELECT_RECORD

Result<std::optional<Record>> one_record(Statement& get) {
    SKERRY_ASSIGN(const bool row, get.step());
    if (!row) return std::nullopt;
    Record record = record_from(get);
    get.reset();
    return record;
}

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
                  db_.prepare("INSERT INTO skerry_device(ix, id, user, name, seen, keep_from, acked, enrolled_us) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(ix) DO UPDATE SET user = excluded.user, "
                              "name = excluded.name, seen = excluded.seen, keep_from = excluded.keep_from, "
                              "acked = excluded.acked"));
    if (device.ix) put.bind(1, device.ix.value);
    put.bind_blob(2, device.id.view()).bind_text(3, device.user).bind_text(4, device.name);
    put.bind(5, to_sql(device.seen.value)).bind(6, to_sql(device.keep_from.value));
    put.bind(7, to_sql(device.acked.value)).bind(8, device.enrolled_us);
    SKERRY_TRY(put.run());
    if (!device.ix) device.ix.value = sqlite3_last_insert_rowid(db_.handle());
    return {};
}

Result<void> SqliteWriteTxn::put_token(const TokenRow& token) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_token(hash, user, label, created_us, expires_us) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5)"));
    put.bind_blob(1, token.hash).bind_text(2, token.user).bind_text(3, token.label).bind(4, token.created_us);
    if (token.expires_us) put.bind(5, *token.expires_us);
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
    if (result.record) put.bind(8, result.record.value);
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
    result.record.value = get.integer(2);
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

Result<std::optional<Record>> SqliteWriteTxn::record(RecordId id) {
    SKERRY_ASSIGN(Statement get, db_.prepare(kRecordById));
    get.bind(1, id.value);
    return one_record(get);
}

Result<std::optional<Record>> SqliteWriteTxn::open_record(const KeyRef& at, std::string_view attribute,
                                                          std::string_view author) {
    SKERRY_ASSIGN(Statement get, db_.prepare(kOpenRecord));
    get.bind(1, std::int64_t{at.entity.value}).bind_text(2, at.key).bind_text(3, attribute).bind_text(4, author);
    return one_record(get);
}

Result<void> SqliteWriteTxn::put_record(Record& record) {
    SKERRY_ASSIGN(Statement put,
                  db_.prepare("INSERT INTO skerry_conflict_record(id, entity, key, attribute, author, device, no, state, base, mine, theirs, at_us) "
                              "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT(id) DO UPDATE SET "
                              "device = excluded.device, no = excluded.no, state = excluded.state, base = excluded.base, "
                              "mine = excluded.mine, theirs = excluded.theirs, at_us = excluded.at_us"));
    if (record.id) put.bind(1, record.id.value);
    put.bind(2, std::int64_t{record.at.entity.value}).bind_text(3, record.at.key).bind_text(4, record.attribute);
    put.bind_text(5, record.author).bind(6, record.device.value).bind(7, to_sql(record.no.value));
    put.bind(8, static_cast<std::int64_t>(record.state)).bind_blob(9, record.base).bind_blob(10, record.mine);
    SKERRY_TRY(put.bind_blob(11, record.theirs).bind(12, record.at_us).run());
    if (!record.id) record.id.value = sqlite3_last_insert_rowid(db_.handle());
    return {};
}

Result<void> SqliteWriteTxn::put_history(const HistoryRow& row) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_history(entity, key, attribute, why, device, no, user, value, at_us) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"));
    put.bind(1, std::int64_t{row.at.entity.value}).bind_text(2, row.at.key).bind_text(3, row.attribute);
    put.bind(4, static_cast<std::int64_t>(row.why)).bind(5, row.device.value).bind(6, to_sql(row.no.value));
    return put.bind_text(7, row.user).bind_blob(8, row.value).bind(9, row.at_us).run();
}

Result<void> SqliteWriteTxn::put_draft(const Draft& draft) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT OR REPLACE INTO skerry_draft(device, no, user, code, content, at_us) "
                                             "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
    put.bind(1, draft.device.value).bind(2, to_sql(draft.no.value)).bind_text(3, draft.user);
    return put.bind(4, static_cast<std::int64_t>(draft.code)).bind_blob(5, draft.content).bind(6, draft.at_us).run();
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

Result<Mark> SqliteWriteTxn::sequence(std::uint64_t mark, std::span<const WholeScope> scopes, Micros now) {
    SKERRY_ASSIGN(const Mark before, last());
    SKERRY_ASSIGN(const bool empty, queue_empty());
    if (empty) return before;
    const Mark batch{before.seq.next(), mark};
    const std::int64_t seq = to_sql(batch.seq.value);
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_batch(seq, mark, at_us) VALUES(?1, ?2, ?3)"));
    SKERRY_TRY(put.bind(1, seq).bind(2, to_sql(mark)).bind(3, std::int64_t{now.count()}).run());
    std::vector<std::int64_t> queued;
    SKERRY_ASSIGN(Statement distinct, db_.prepare("SELECT DISTINCT entity FROM skerry_queue"));
    for (;;) {
        SKERRY_ASSIGN(const bool row, distinct.step());
        if (!row) break;
        queued.push_back(distinct.integer(0));
    }
    distinct.reset();
    for (const WholeScope& whole : scopes) {
        if (std::find(queued.begin(), queued.end(), std::int64_t{whole.entity.value}) == queued.end()) continue;
        SKERRY_ASSIGN(Statement move, db_.prepare(tables_.entities[whole.entity.value].sequence));
        SKERRY_TRY(move.bind(1, std::int64_t{whole.scope.value}).bind(2, std::int64_t{whole.entity.value}).bind(3, seq).run());
    }
    SKERRY_TRY(run("DELETE FROM skerry_queue"));
    SKERRY_ASSIGN(Statement outcomes, db_.prepare("UPDATE skerry_outcome SET seq = ?1 WHERE seq IS NULL"));
    SKERRY_TRY(outcomes.bind(1, seq).run());
    return batch;
}

Result<void> SqliteWriteTxn::commit() { return txn_.commit(); }

}  // namespace skerry::server::storage
