// Membership: which rows are in which scopes, kept up rule by rule. A row that changed moves to the batch in every scope that
// it is in; one that left a scope leaves a tombstone there; nothing else moves, so that what a device is sent follows what
// changed. Rows of an entity without queued rows and without moved parents are not looked at.
#include <algorithm>

#include "server/storage/sqlite/members.hpp"
#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

using sqlite::Statement;

namespace {

constexpr std::int64_t kRowsAtOnce = 5000;  // of a new or forgotten scope: the working tables stay small

}  // namespace

// Where the rows of temp.skerry_now were and are, by one rule.
Result<void> SqliteWriteTxn::place_rows(const RuleSet& set, const RuleSql& rule) {
    const std::int64_t entity = rule.entity.value;
    const std::int64_t all = entity + 1;
    SKERRY_ASSIGN(Statement was, db_.prepare(rule.whole ? kWasWhole : kWasKeyed));
    SKERRY_TRY(was.bind(1, rule.whole ? all : rule.id).bind(2, entity).run());
    SKERRY_ASSIGN(Statement place, db_.prepare(rule.place));
    if (place.parameters() > 0) place.bind(1, set.rules[*rule.parent].id);
    SKERRY_TRY(place.run());
    if (rule.whole) {
        SKERRY_ASSIGN(Statement at, db_.prepare(kNowWhole));
        return at.bind(1, all).run();
    }
    SKERRY_ASSIGN(Statement make, db_.prepare(kNewScopes));
    SKERRY_TRY(make.bind(1, rule.id).run());
    SKERRY_ASSIGN(Statement at, db_.prepare(kNowKeyed));
    return at.bind(1, rule.id).run();
}

Result<void> SqliteWriteTxn::follow_rules(const RuleSet& set, std::span<const EntityIx> touched, Seq seq) {
    std::vector<bool> moved(set.rules.size());
    for (std::size_t i = 0; i < set.rules.size(); ++i) {
        const RuleSql& rule = set.rules[i];
        const bool written = std::find(touched.begin(), touched.end(), rule.entity) != touched.end();
        const bool follows = rule.parent && moved[*rule.parent];
        if (!written && !follows) continue;
        const std::int64_t entity = rule.entity.value;
        if (rule.whole && !rule.followed) {
            SKERRY_ASSIGN(Statement move, db_.prepare(tables_.entities[rule.entity.value].sequence));
            SKERRY_TRY(move.bind(1, entity + 1).bind(2, entity).bind(3, to_sql(seq.value)).run());
            continue;
        }
        SKERRY_TRY(run("DELETE FROM temp.skerry_now"));
        if (written) {
            SKERRY_ASSIGN(Statement fill, db_.prepare("INSERT INTO temp.skerry_now(key, queued) SELECT key, 1 FROM temp.skerry_touched WHERE entity = ?1"));
            SKERRY_TRY(fill.bind(1, entity).run());
        }
        if (follows) {
            SKERRY_ASSIGN(Statement fill, db_.prepare(rule.children));
            SKERRY_TRY(fill.bind(1, set.rules[*rule.parent].id).run());
        }
        SKERRY_TRY(place_rows(set, rule));
        for (const std::string_view sql : {kLeave, kEnter}) {
            SKERRY_ASSIGN(Statement put, db_.prepare(sql));
            SKERRY_TRY(put.bind(1, entity).bind(2, to_sql(seq.value)).run());
        }
        if (!rule.followed) continue;
        SKERRY_ASSIGN(Statement note, db_.prepare(kMoved));
        SKERRY_TRY(note.bind(1, rule.id).run());
        moved[i] = db_.changes() > 0;
    }
    SKERRY_TRY(run("DELETE FROM temp.skerry_now"));
    return run("DELETE FROM temp.skerry_moved");
}

Result<const RuleSet*> SqliteWriteTxn::rules_in_force(std::span<const ScopeRule> rules) {
    SKERRY_ASSIGN(const std::uint64_t hash, read_rules_hash(db_));
    const auto same = [](const std::string& name, const ScopeRule& rule) { return name == rule.name; };
    std::optional<RuleSet>& kept = writing_.rules;
    if (kept && kept->hash == hash && std::equal(kept->names.begin(), kept->names.end(), rules.begin(), rules.end(), same)) return &*kept;
    SKERRY_ASSIGN(kept, read_rules(db_, tables_.model, rules));
    // Another program serves the same file with another model: to go on would leave rows in scopes that they are not in.
    if (!kept) return fail(Code::kInternal, "the scopes of the server's database were made from other rules");
    return &*kept;
}

Result<void> SqliteWriteTxn::forget_rule(std::int64_t id, EntityIx entity) {
    SKERRY_ASSIGN(Statement first, db_.prepare("SELECT id FROM skerry_scope WHERE rule = ?1 LIMIT 1"));
    SKERRY_ASSIGN(Statement members, db_.prepare("DELETE FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND key IN "
                                                 "(SELECT key FROM skerry_member WHERE scope = ?1 AND entity = ?2 LIMIT ?3)"));
    SKERRY_ASSIGN(Statement itself, db_.prepare("DELETE FROM skerry_scope WHERE id = ?1"));
    for (;;) {
        SKERRY_ASSIGN(const bool there, first.bind(1, id).step());
        if (!there) break;
        const std::int64_t scope = first.integer(0);
        first.reset();
        do {
            SKERRY_TRY(members.bind(1, scope).bind(2, std::int64_t{entity.value}).bind(3, kRowsAtOnce).run());
        } while (db_.changes() == kRowsAtOnce);
        SKERRY_TRY(itself.bind(1, scope).run());
    }
    SKERRY_ASSIGN(Statement rule, db_.prepare("DELETE FROM skerry_rule WHERE id = ?1"));
    return rule.bind(1, id).run();
}

// All rows of the rule's entity, some at a time.
Result<void> SqliteWriteTxn::fill_rule(const RuleSet& set, const RuleSql& rule, Seq without_trace) {
    const std::int64_t entity = rule.entity.value;
    SKERRY_ASSIGN(Statement left, db_.prepare(kLeft));
    SKERRY_TRY(left.bind(1, entity).run());
    for (std::string last;;) {
        SKERRY_TRY(run("DELETE FROM temp.skerry_now"));
        SKERRY_ASSIGN(Statement next, db_.prepare(rule.next));
        SKERRY_TRY(next.bind_text(1, last).bind(2, kRowsAtOnce).run());
        const bool full = db_.changes() == kRowsAtOnce;
        SKERRY_TRY(place_rows(set, rule));
        SKERRY_ASSIGN(Statement fill, db_.prepare(kFill));
        SKERRY_TRY(fill.bind(1, entity).bind(2, to_sql(without_trace.value)).run());
        if (!full) break;
        SKERRY_ASSIGN(Statement highest, db_.prepare("SELECT max(key) FROM temp.skerry_now"));
        SKERRY_TRY(highest.step());
        last = highest.text(0);
        highest.reset();
    }
    SKERRY_TRY(run("DELETE FROM temp.skerry_now"));
    return run("DELETE FROM temp.skerry_left");
}

Result<void> SqliteWriteTxn::put_rules(std::span<const ScopeRule> rules) {
    SKERRY_ASSIGN(const Mark before, last());
    for (const ScopeRule& rule : rules) {
        SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_rule(name, entity) VALUES(?1, ?2) ON CONFLICT(name) DO NOTHING"));
        SKERRY_TRY(put.bind_text(1, rule.name).bind(2, std::int64_t{rule.entity.value}).run());
        if (!rule.whole || db_.changes() == 0) continue;
        // The only id that comes back after it was forgotten: who held it in its former life does not know what went meanwhile.
        SKERRY_ASSIGN(Statement scope, db_.prepare("INSERT INTO skerry_scope(id, rule, key, floor) SELECT ?1, id, '', ?3 FROM skerry_rule WHERE name = ?2"));
        SKERRY_TRY(scope.bind(1, std::int64_t{rule.entity.value} + 1).bind_text(2, rule.name).bind(3, to_sql(before.seq.value)).run());
    }
    return {};
}

// New rules are filled before old ones are forgotten: rows that change from the one to the other are known to be old.
//
//   batch   ───────── C ──────── G ───────── now      G: a rule went, with it the lines of its rows
//   row       its lines go at G,  in no scope: its    so a device at C may hold a version that no line tells to be
//             changed since C     changes unnoticed   stale; one at or after G has let go of the row
Result<void> SqliteWriteTxn::adopt_rules(std::span<const ScopeRule> rules, std::uint64_t mark, Micros now) {
    SKERRY_ASSIGN(writing_.rules, read_rules(db_, tables_.model, rules));
    if (writing_.rules) return {};
    struct Stored {
        std::string name;
        std::int64_t id;
        EntityIx entity;
    };
    std::vector<Stored> stored;
    SKERRY_ASSIGN(Statement get, db_.prepare("SELECT name, id, entity FROM skerry_rule"));
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        stored.push_back({std::string(get.text(0)), get.integer(1), EntityIx{static_cast<std::uint32_t>(get.integer(2))}});
    }
    get.reset();
    SKERRY_TRY(put_rules(rules));
    SKERRY_ASSIGN(const auto set, read_rules(db_, tables_.model, rules, Besides::kOthers));
    if (!set) return fail(Code::kInternal, "a rule of scopes was not stored");
    SKERRY_ASSIGN(const std::int64_t gone, db_.integer("SELECT ifnull((SELECT value FROM skerry_meta WHERE name = 'rule_gone'), 0)"));
    for (std::size_t i = 0; i < set->rules.size(); ++i) {
        const auto is_it = [&](const Stored& old) { return old.name == set->names[i]; };
        if (std::none_of(stored.begin(), stored.end(), is_it)) SKERRY_TRY(fill_rule(*set, set->rules[i], Seq{from_sql(gone)}));
    }
    bool forgot = false;
    for (const Stored& old : stored) {
        const auto stays = [&](const ScopeRule& rule) { return rule.name == old.name; };
        if (std::any_of(rules.begin(), rules.end(), stays)) continue;
        SKERRY_TRY(forget_rule(old.id, old.entity));
        forgot = true;
    }
    SKERRY_TRY(put_rules_hash(db_));
    SKERRY_ASSIGN(writing_.rules, read_rules(db_, tables_.model, rules));
    if (!writing_.rules) return fail(Code::kInternal, "two rules of scopes have the same name");
    if (!forgot) return {};
    SKERRY_ASSIGN(const Mark before, last());
    const Mark batch{before.seq.next(), mark};
    SKERRY_ASSIGN(Statement note, db_.prepare("INSERT INTO skerry_meta(name, value) VALUES('rule_gone', ?1) ON CONFLICT(name) DO UPDATE SET value = excluded.value"));
    SKERRY_TRY(note.bind(1, to_sql(batch.seq.value)).run());
    return put_batch(batch, now);
}

Result<void> SqliteWriteTxn::make_scopes(std::span<const ScopeKey> keys) {
    if (!writing_.rules) return fail(Code::kInternal, "no rules of scopes were adopted");
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_scope(rule, key) SELECT ?1, ?2 WHERE NOT EXISTS "
                                             "(SELECT 1 FROM skerry_scope WHERE rule = ?1 AND key = ?2)"));
    for (const ScopeKey& key : keys) {
        const RuleSql& rule = writing_.rules->rules[key.rule];
        if (!rule.whole) SKERRY_TRY(put.bind(1, rule.id).bind_text(2, key.key).run());
    }
    return {};
}

Result<void> SqliteWriteTxn::put_grant_set(std::uint64_t hash, Scopes scopes, Micros now) {
    SKERRY_ASSIGN(Statement put, db_.prepare("INSERT INTO skerry_grant_set(hash, scopes, used_us) VALUES(?1, ?2, ?3) "
                                             "ON CONFLICT(hash) DO UPDATE SET scopes = excluded.scopes, used_us = excluded.used_us"));
    const Bytes bytes = packed(scopes);
    return put.bind(1, to_sql(hash)).bind_blob(2, bytes).bind(3, std::int64_t{now.count()}).run();
}

}  // namespace skerry::server::storage
