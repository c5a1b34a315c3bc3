// Sequencing: what was queued, by whomever, becomes canonical, then one batch. And forgetting what is old.
#include <algorithm>

#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

using sqlite::Statement;

namespace {

// Attributes of the row that have another spelling than the canonical one; an Error when one has none.
Result<std::vector<std::pair<std::uint32_t, Value>>> spelled_otherwise(const model::Entity& entity, const model::Row& row) {
    std::vector<std::pair<std::uint32_t, Value>> found;
    for (std::uint32_t i = 0; i < row.size(); ++i) {
        const model::Type type = entity.attributes[i].type;
        if (type != model::Type::kJson && type != model::Type::kSet) continue;
        SKERRY_ASSIGN(Value made, model::canonical(entity, entity.attributes[i], row[i]));
        if (made != row[i]) found.emplace_back(i, std::move(made));
    }
    return found;
}

struct Looked {
    std::string key;
    std::vector<std::pair<std::uint32_t, Value>> canonical;
    std::string reason;  // why no device would accept the row; empty: they do
};

Looked look_at(const model::Entity& entity, std::string key, model::Row row) {
    Looked looked{std::move(key), {}, {}};
    auto found = spelled_otherwise(entity, row);
    if (!found) {
        looked.reason = found.error().message;
        return looked;
    }
    looked.canonical = std::move(*found);
    for (auto& [attribute, value] : looked.canonical) row[attribute] = value;
    if (const auto good = model::check_row(entity, looked.key, row); !good) looked.reason = good.error().message;
    return looked;
}

}  // namespace

Result<void> SqliteWriteTxn::set_quarantined(const KeyRef& at, const std::string& reason, Micros now) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_quarantine(entity, key, reason, at_us) VALUES(?1, ?2, ?3, ?4) "
                                             "ON CONFLICT(entity, key) DO UPDATE SET reason = excluded.reason, at_us = excluded.at_us"));
    return put.bind(1, std::int64_t{at.entity.value}).bind_text(2, at.key).bind_text(3, reason).bind(4, std::int64_t{now.count()}).run();
}

// Any SQL program may have written the rows: with any spelling of JSON, and with what no device would accept.
Result<bool> SqliteWriteTxn::look_at_queued(EntityIx ix, Micros now) {
    const model::Entity& entity = tables_.model.entity(ix);
    SKERRY_ASSIGN(const std::int64_t quarantined, db_.integer("SELECT EXISTS(SELECT 1 FROM skerry_quarantine)"));
    if (quarantined != 0) {
        SKERRY_ASSIGN(Statement clear, db_.prepare("DELETE FROM skerry_quarantine WHERE entity = ?1 AND key IN "
                                                   "(SELECT key FROM temp.skerry_touched WHERE entity = ?1)"));
        SKERRY_TRY(clear.bind(1, std::int64_t{ix.value}).run());
    }
    SKERRY_ASSIGN(Statement get, db_.prepare(tables_.entities[ix.value].queued));
    get.bind(1, std::int64_t{ix.value});
    std::vector<Looked> to_do;
    for (;;) {
        SKERRY_ASSIGN(const bool there, get.step());
        if (!there) break;
        model::Row row;
        row.reserve(entity.attributes.size());
        for (std::size_t i = 0; i < entity.attributes.size(); ++i) row.push_back(get.value(static_cast<int>(i) + 1));
        Looked looked = look_at(entity, std::string(get.text(0)), std::move(row));
        if (!looked.reason.empty() || !looked.canonical.empty()) to_do.push_back(std::move(looked));
    }
    get.reset();
    bool wrote = false;
    for (Looked& looked : to_do) {
        if (looked.reason.empty()) {
            std::vector<Assignment> values;
            for (const auto& [attribute, value] : looked.canonical) values.emplace_back(attribute, &value);
            const auto written = update(ix, looked.key, values);
            wrote = true;
            // A trigger of somebody's may refuse; a database that failed has ended the transaction.
            if (!written && !db_.in_transaction()) return fail(written.error());
            if (!written) looked.reason = written.error().message;
        }
        if (!looked.reason.empty()) SKERRY_TRY(set_quarantined({ix, looked.key}, looked.reason, now));
    }
    return wrote;
}

Result<void> SqliteWriteTxn::put_batch(const Mark& batch, Micros now) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_batch(seq, mark, at_us) VALUES(?1, ?2, ?3)"));
    return put.bind(1, to_sql(batch.seq.value)).bind(2, to_sql(batch.mark)).bind(3, std::int64_t{now.count()}).run();
}

// Each row that is queued goes once into temp.skerry_touched, canonical. Gives their entities.
Result<std::vector<EntityIx>> SqliteWriteTxn::touch(Micros now) {
    constexpr std::string_view kTouch = "INSERT INTO temp.skerry_touched(entity, key) SELECT entity, key FROM skerry_queue WHERE true ON CONFLICT(entity, key) DO NOTHING";
    SKERRY_TRY(run(kTouch));
    const auto entities = [this]() -> Result<std::vector<EntityIx>> {
        SKERRY_ASSIGN(Statement distinct, db_.prepare("SELECT DISTINCT entity FROM temp.skerry_touched"));
        std::vector<EntityIx> found;
        for (;;) {
            SKERRY_ASSIGN(const bool row, distinct.step());
            if (!row) break;
            const EntityIx entity{static_cast<std::uint32_t>(distinct.integer(0))};
            if (tables_.model.has(entity)) found.push_back(entity);
        }
        distinct.reset();
        return found;
    };
    SKERRY_ASSIGN(auto touched, entities());
    bool wrote = false;
    for (const EntityIx entity : touched) {
        SKERRY_ASSIGN(const bool wrote_here, look_at_queued(entity, now));
        wrote = wrote || wrote_here;
    }
    if (!wrote) return touched;
    // A trigger of somebody's may have answered with writes to other rows.
    SKERRY_TRY(run(kTouch));
    return entities();
}

// Gives how many rows the batch was about.
Result<std::uint64_t> SqliteWriteTxn::finish_batch(Seq seq) {
    SKERRY_ASSIGN(const std::int64_t rows, db_.integer("SELECT count(*) FROM temp.skerry_touched"));
    SKERRY_TRY(run("DELETE FROM temp.skerry_touched"));
    SKERRY_TRY(run("DELETE FROM skerry_queue"));
    SKERRY_ASSIGN(Statement outcomes, db_.prepare("UPDATE skerry_outcome SET seq = ?1 WHERE seq IS NULL"));
    SKERRY_TRY(outcomes.bind(1, to_sql(seq.value)).run());
    return from_sql(rows);
}

Result<Sequenced> SqliteWriteTxn::sequence(std::uint64_t mark, std::span<const ScopeRule> rules, Micros now) {
    SKERRY_ASSIGN(const Mark before, last());
    SKERRY_ASSIGN(const bool empty, queue_empty());
    if (empty) return Sequenced{before, 0};
    SKERRY_ASSIGN(const RuleSet* set, rules_in_force(rules));
    const Mark batch{before.seq.next(), mark};
    SKERRY_TRY(put_batch(batch, now));
    SKERRY_ASSIGN(const auto touched, touch(now));
    SKERRY_TRY(follow_rules(*set, touched, batch.seq));
    SKERRY_ASSIGN(const std::uint64_t rows, finish_batch(batch.seq));
    return Sequenced{batch, rows};
}

// Oldest first, in steps: no statement holds the lock for long. Images of deleted rows are as old as the last batch before
// the deletion.
Result<bool> SqliteWriteTxn::purge_older(Micros than, std::size_t limit) {
    bool more = false;
    const auto purge = [&](const std::string& table, const std::string& row, const std::string& old, std::int64_t than_that) -> Result<void> {
        SKERRY_ASSIGN(Statement forget, db_.prepare("DELETE FROM " + table + " WHERE " + row + " IN (SELECT " + row + " FROM " + table +
                                                    " WHERE " + old + " LIMIT ?2)"));
        SKERRY_TRY(forget.bind(1, than_that).bind(2, static_cast<std::int64_t>(limit)).run());
        more = more || db_.changes() >= static_cast<std::int64_t>(limit);
        return {};
    };
    const std::int64_t than_us = than.count();
    SKERRY_TRY(purge("skerry_history", "id", "id < (SELECT ifnull(min(id), 9223372036854775807) FROM skerry_history WHERE at_us >= ?1)", than_us));
    SKERRY_TRY(purge("skerry_log", "id", "id < (SELECT ifnull(min(id), 9223372036854775807) FROM skerry_log WHERE at_us >= ?1)", than_us));
    SKERRY_TRY(run("DELETE FROM skerry_log_row WHERE log < (SELECT ifnull(min(id), 9223372036854775807) FROM skerry_log)"));
    SKERRY_TRY(purge("skerry_draft", "rowid", "state <> 1 AND at_us < ?1", than_us));
    // A row may have been deleted long after the last batch before it: the batch that it went into tells.
    SKERRY_ASSIGN(const std::int64_t since, read_first_batch_since(db_, than));
    for (const model::Entity& entity : tables_.model.entities)
        SKERRY_TRY(purge(sqlite::quote_name("skerry_gone_" + entity.name), "skerry_key", "skerry_seq + 1 < ?1", since));
    // Closed by an operator's SQL, a record may not say when.
    SKERRY_TRY(purge("skerry_conflict", "id",
                     "state = 'closed' AND ifnull(closed_at, at) < strftime('%Y-%m-%dT%H:%M:%S', ?1 / 1000000, 'unixepoch')", than_us));
    return more;
}

}  // namespace skerry::server::storage
