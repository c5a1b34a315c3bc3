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
Result<void> SqliteWriteTxn::look_at_queued(EntityIx ix, Micros now) {
    const model::Entity& entity = tables_.model.entity(ix);
    SKERRY_ASSIGN(const std::int64_t quarantined, db_.integer("SELECT EXISTS(SELECT 1 FROM skerry_quarantine)"));
    if (quarantined != 0) {
        SKERRY_ASSIGN(Statement clear, db_.prepare("DELETE FROM skerry_quarantine WHERE entity = ?1 AND key IN "
                                                   "(SELECT key FROM skerry_queue WHERE entity = ?1)"));
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
    for (Looked& looked : to_do) {
        if (looked.reason.empty()) {
            std::vector<Assignment> values;
            for (const auto& [attribute, value] : looked.canonical) values.emplace_back(attribute, &value);
            const auto written = update(ix, looked.key, values);
            // A trigger of somebody's may refuse; a database that failed has ended the transaction.
            if (!written && !db_.in_transaction()) return written;
            if (!written) looked.reason = written.error().message;
        }
        if (!looked.reason.empty()) SKERRY_TRY(set_quarantined({ix, looked.key}, looked.reason, now));
    }
    return {};
}

Result<Sequenced> SqliteWriteTxn::sequence(std::uint64_t mark, std::span<const WholeScope> scopes, Micros now) {
    SKERRY_ASSIGN(const Mark before, last());
    SKERRY_ASSIGN(const bool empty, queue_empty());
    if (empty) return Sequenced{before, 0};
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
    for (const std::int64_t entity : queued)
        if (tables_.model.has(EntityIx{static_cast<std::uint32_t>(entity)}))
            SKERRY_TRY(look_at_queued(EntityIx{static_cast<std::uint32_t>(entity)}, now));
    std::uint64_t rows = 0;
    for (const WholeScope& whole : scopes) {
        if (std::find(queued.begin(), queued.end(), std::int64_t{whole.entity.value}) == queued.end()) continue;
        SKERRY_ASSIGN(Statement move, db_.prepare(tables_.entities[whole.entity.value].sequence));
        SKERRY_TRY(move.bind(1, std::int64_t{whole.scope.value}).bind(2, std::int64_t{whole.entity.value}).bind(3, seq).run());
        rows += static_cast<std::uint64_t>(db_.changes());
    }
    SKERRY_TRY(run("DELETE FROM skerry_queue"));
    SKERRY_ASSIGN(Statement outcomes, db_.prepare("UPDATE skerry_outcome SET seq = ?1 WHERE seq IS NULL"));
    SKERRY_TRY(outcomes.bind(1, seq).run());
    return Sequenced{batch, rows};
}

// The first batch that is not older; one more than the last when all are. Batches lie in order of time, and there are
// too many of them to look at each.
Result<std::int64_t> SqliteWriteTxn::first_batch_since(Micros than) {
    SKERRY_ASSIGN(std::int64_t high, db_.integer("SELECT ifnull(max(seq), 0) + 1 FROM skerry_batch"));
    std::int64_t low = 1;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT at_us FROM skerry_batch WHERE seq = ?1"));
        SKERRY_ASSIGN(const bool row, get.bind(1, middle).step());
        const bool older = !row || get.integer(0) < than.count();
        get.reset();
        if (older) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
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
    SKERRY_ASSIGN(const std::int64_t since, first_batch_since(than));
    for (const model::Entity& entity : tables_.model.entities)
        SKERRY_TRY(purge(sqlite::quote_name("skerry_gone_" + entity.name), "skerry_key", "skerry_seq + 1 < ?1", since));
    // Closed by an operator's SQL, a record may not say when.
    SKERRY_TRY(purge("skerry_conflict", "id",
                     "state = 'closed' AND ifnull(closed_at, at) < strftime('%Y-%m-%dT%H:%M:%S', ?1 / 1000000, 'unixepoch')", than_us));
    return more;
}

}  // namespace skerry::server::storage
