// What is forgotten, a few lines at a time: tombstones that nobody needs, scopes that are empty, marks of old batches, sets of grants.
//
//   seq     0 ──── floor of a scope ──────────────── last
//   cursor         below: it may have missed a        at or above: the delta says all
//                  tombstone; verify mode
#include <map>

#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

using sqlite::Statement;

// The first batch that is not older; one more than the last when all are. Batches lie in order of time, and there are
// too many of them to look at each.
Result<std::int64_t> read_first_batch_since(sqlite::Database& db, Micros than) {
    SKERRY_ASSIGN(std::int64_t high, db.integer("SELECT ifnull(max(seq), 0) + 1 FROM skerry_batch"));
    std::int64_t low = 1;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        SKERRY_ASSIGN(Statement get, db.prepare("SELECT at_us FROM skerry_batch WHERE seq = ?1"));
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

Result<std::vector<DeviceRow>> read_devices(sqlite::Database& db) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT " + std::string(kDeviceColumns) + " FROM skerry_device ORDER BY name, id"));
    std::vector<DeviceRow> devices;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        devices.push_back(device_from(get));
    }
    get.reset();
    return devices;
}

Result<std::vector<Holding>> read_holdings(sqlite::Database& db, Micros heard_since) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT held, min(acked) FROM skerry_device WHERE heard_us >= ?1 AND forgotten = 0 GROUP BY held ORDER BY held"));
    get.bind(1, std::int64_t{heard_since.count()});
    std::vector<Holding> holdings;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        holdings.push_back({from_sql(get.integer(0)), Seq{from_sql(get.integer(1))}});
    }
    get.reset();
    return holdings;
}

Result<std::vector<std::uint64_t>> read_grant_sets_since(sqlite::Database& db, Micros made) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT hash FROM skerry_grant_set WHERE used_us >= ?1"));
    get.bind(1, std::int64_t{made.count()});
    std::vector<std::uint64_t> hashes;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        hashes.push_back(from_sql(get.integer(0)));
    }
    get.reset();
    return hashes;
}

// The order is that of skerry_member_gone, which ends with the table's key.
Result<Forgotten> SqliteWriteTxn::forget_tombstones(const std::function<Seq(wire::ScopeId)>& needless, const TombstoneAt& after, Seq upto,
                                                    std::size_t limit) {
    SKERRY_ASSIGN(Statement next, db_.prepare("SELECT seq, scope, entity, key FROM skerry_member WHERE live = 0 AND seq >= ?1 AND seq <= ?5 AND "
                                              "(seq, scope, entity, key) > (?1, ?2, ?3, ?4) ORDER BY seq, scope, entity, key LIMIT ?6"));
    next.bind(1, to_sql(after.seq.value)).bind(2, std::int64_t{after.scope.value}).bind(3, std::int64_t{after.entity.value});
    next.bind_text(4, after.key).bind(5, to_sql(upto.value)).bind(6, static_cast<std::int64_t>(limit));
    std::vector<TombstoneAt> found;
    for (;;) {
        SKERRY_ASSIGN(const bool row, next.step());
        if (!row) break;
        found.push_back({Seq{from_sql(next.integer(0))}, wire::ScopeId{static_cast<std::uint32_t>(next.integer(1))},
                         EntityIx{static_cast<std::uint32_t>(next.integer(2))}, std::string(next.text(3))});
    }
    next.reset();
    Forgotten done;
    done.upto = found.empty() ? after : found.back();
    done.looked = found.size();
    std::map<wire::ScopeId, Seq> floors;
    SKERRY_ASSIGN(Statement remove, db_.prepare("DELETE FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND key = ?3 AND live = 0"));
    for (const TombstoneAt& at : found) {
        if (at.seq > needless(at.scope)) continue;
        SKERRY_TRY(remove.bind(1, std::int64_t{at.scope.value}).bind(2, std::int64_t{at.entity.value}).bind_text(3, at.key).run());
        Seq& floor = floors[at.scope];
        floor = std::max(floor, at.seq);
        ++done.removed;
    }
    SKERRY_ASSIGN(Statement raise, db_.prepare("UPDATE skerry_scope SET floor = ?2 WHERE id = ?1 AND floor < ?2"));
    for (const auto& [scope, floor] : floors) SKERRY_TRY(raise.bind(1, std::int64_t{scope.value}).bind(2, to_sql(floor.value)).run());
    return done;
}

// Its key may get a scope again, with another id: whoever comes with the old one loses that and is given the new one.
Result<ForgottenScopes> SqliteWriteTxn::forget_scopes(const std::function<bool(wire::ScopeId)>& wanted, wire::ScopeId after, std::size_t limit) {
    SKERRY_ASSIGN(Statement next, db_.prepare("SELECT id, EXISTS (SELECT 1 FROM skerry_member m WHERE m.scope = s.id) FROM skerry_scope s "
                                              "WHERE id > ?1 ORDER BY id LIMIT ?2"));
    next.bind(1, std::max<std::int64_t>(after.value, kKeyedScopesFrom - 1)).bind(2, static_cast<std::int64_t>(limit));
    ForgottenScopes done{.upto = after};
    std::vector<wire::ScopeId> empty;
    for (;;) {
        SKERRY_ASSIGN(const bool row, next.step());
        if (!row) break;
        ++done.looked;
        done.upto = wire::ScopeId{static_cast<std::uint32_t>(next.integer(0))};
        if (next.integer(1) == 0 && !wanted(done.upto)) empty.push_back(done.upto);
    }
    next.reset();
    SKERRY_ASSIGN(Statement remove, db_.prepare("DELETE FROM skerry_scope WHERE id = ?1"));
    for (const wire::ScopeId scope : empty) SKERRY_TRY(remove.bind(1, std::int64_t{scope.value}).run());
    done.removed = empty.size();
    return done;
}

Result<bool> SqliteWriteTxn::forget_marks(Seq old, std::size_t limit) {
    SKERRY_ASSIGN(Statement forget, db_.prepare("DELETE FROM skerry_batch WHERE seq IN (SELECT seq FROM skerry_batch WHERE seq < ?1 AND "
                                                "seq NOT IN (SELECT acked FROM skerry_device) LIMIT ?2)"));
    SKERRY_TRY(forget.bind(1, to_sql(old.value)).bind(2, static_cast<std::int64_t>(limit)).run());
    return db_.changes() >= static_cast<std::int64_t>(limit);
}

Result<bool> SqliteWriteTxn::forget_grant_sets(Micros made_before, std::size_t limit) {
    SKERRY_ASSIGN(Statement forget, db_.prepare("DELETE FROM skerry_grant_set WHERE hash IN (SELECT hash FROM skerry_grant_set WHERE used_us < ?1 AND "
                                                "hash NOT IN (SELECT held FROM skerry_device) LIMIT ?2)"));
    SKERRY_TRY(forget.bind(1, std::int64_t{made_before.count()}).bind(2, static_cast<std::int64_t>(limit)).run());
    return db_.changes() >= static_cast<std::int64_t>(limit);
}

}  // namespace skerry::server::storage
