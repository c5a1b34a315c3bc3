// The rules of scopes as statements, made once for a list of rules. Everything goes through one working table, for
// one rule and the rows in question at a time, so that most statements are the same for every rule:
//
//   temp.skerry_touched entity, key: rows that the batch is about
//   temp.skerry_now     key | queued (the row itself changed) | was (scope) | place (value that it shares) | now (scope)
//   temp.skerry_moved   rule, key: rows that entered, left or changed their scope of a rule that others follow
//   temp.skerry_left    key, seq: when rows of an entity last left a scope, while a new rule of it is filled
//
// All live in memory on the writing connection and are empty between batches.
#pragma once

#include <string>
#include <vector>

#include "server/storage/storage.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

// ---- for every rule alike ----

inline constexpr std::string_view kWasKeyed =
    "UPDATE temp.skerry_now SET was = (SELECT m.scope FROM skerry_member m INDEXED BY skerry_member_by_key "
    "CROSS JOIN skerry_scope s ON s.id = m.scope AND s.rule = ?1 "
    "WHERE m.entity = ?2 AND m.key = skerry_now.key AND m.live = 1 AND m.scope >= 65536)";
inline constexpr std::string_view kWasWhole =
    "UPDATE temp.skerry_now SET was = (SELECT m.scope FROM skerry_member m "
    "WHERE m.scope = ?1 AND m.entity = ?2 AND m.key = skerry_now.key AND m.live = 1)";
inline constexpr std::string_view kNewScopes =
    "INSERT INTO skerry_scope(rule, key) SELECT DISTINCT ?1, n.place FROM temp.skerry_now n WHERE n.place IS NOT NULL "
    "AND NOT EXISTS (SELECT 1 FROM skerry_scope s WHERE s.rule = ?1 AND s.key = n.place)";
inline constexpr std::string_view kNowKeyed =
    "UPDATE temp.skerry_now SET now = (SELECT s.id FROM skerry_scope s WHERE s.rule = ?1 AND s.key = place) WHERE place IS NOT NULL";
inline constexpr std::string_view kNowWhole = "UPDATE temp.skerry_now SET now = ?1 WHERE place IS NOT NULL";
inline constexpr std::string_view kLeave =
    "INSERT INTO skerry_member(scope, entity, key, seq, live) SELECT was, ?1, key, ?2, 0 FROM temp.skerry_now "
    "WHERE was IS NOT NULL AND was IS NOT now ON CONFLICT(scope, entity, key) DO UPDATE SET seq = excluded.seq, live = 0";
inline constexpr std::string_view kEnter =
    "INSERT INTO skerry_member(scope, entity, key, seq, live) SELECT now, ?1, key, ?2, 1 FROM temp.skerry_now "
    "WHERE now IS NOT NULL AND (queued = 1 OR was IS NOT now) ON CONFLICT(scope, entity, key) DO UPDATE SET seq = excluded.seq, live = 1";
// Into scopes of a rule that is new. A row that is in a scope already has there when it last changed or moved, and what has not
// changed since a device's cursor is no news to it: it gets the new scope by slices, as one that was newly granted. ?2: of rows in
// no scope, whose changes left no trace, the last batch of which a device may have them by a rule that went.
inline constexpr std::string_view kFill =
    "INSERT INTO skerry_member(scope, entity, key, seq, live) SELECT n.now, ?1, n.key, max(ifnull(nullif(max("
    "ifnull((SELECT max(m.seq) FROM skerry_member m INDEXED BY skerry_member_by_key WHERE m.entity = ?1 AND m.key = n.key AND m.live = 1 AND m.scope >= 65536), -1), "
    "ifnull((SELECT w.seq FROM skerry_member w WHERE w.scope = ?1 + 1 AND w.entity = ?1 AND w.key = n.key AND w.live = 1), -1)), -1), ?2), "
    "ifnull((SELECT l.seq FROM temp.skerry_left l WHERE l.key = n.key), 0)), 1 FROM temp.skerry_now n WHERE n.now IS NOT NULL";
inline constexpr std::string_view kLeft =
    "INSERT INTO temp.skerry_left(key, seq) SELECT key, max(seq) FROM skerry_member INDEXED BY skerry_member_gone WHERE live = 0 AND entity = ?1 GROUP BY key";
inline constexpr std::string_view kMoved =
    "INSERT INTO temp.skerry_moved(rule, key) SELECT ?1, key FROM temp.skerry_now WHERE was IS NOT now";

// ---- a rule's own ----

struct RuleSql {
    std::int64_t id = 0;  // in skerry_rule
    EntityIx entity;
    bool whole = false;
    std::optional<std::size_t> parent;
    bool followed = false;     // it is another rule's parent
    std::string children;      // rows of moved parents into skerry_now; ?1 the parent rule's id; empty without a parent
    std::string place;         // sets skerry_now.place
    std::string next;          // keys after ?1 into skerry_now, ?2 at most
};

// The rules that the file's scopes were made from, in the order of the list.
struct RuleSet {
    std::uint64_t hash = 0;  // of names and ids: that of skerry_meta, as long as nobody adopts others
    std::vector<std::string> names;
    std::vector<RuleSql> rules;
};

Result<void> make_working_tables(sqlite::Database& db);

// 0 before any were adopted.
Result<std::uint64_t> read_rules_hash(sqlite::Database& db);
enum class Besides { kNone, kOthers };  // what the file may have beside these rules
// Empty when the file's are others.
Result<std::optional<RuleSet>> read_rules(sqlite::Database& db, const model::Model& model, std::span<const ScopeRule> rules, Besides besides = Besides::kNone);
// Stores what read_rules_hash() gives.
Result<void> put_rules_hash(sqlite::Database& db);

}  // namespace skerry::server::storage
