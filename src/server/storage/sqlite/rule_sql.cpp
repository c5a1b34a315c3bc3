#include "server/storage/sqlite/rule_sql.hpp"

#include <map>

#include "base/hash.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::quote_name;
using sqlite::Statement;

std::string name_of(const model::Entity& entity, std::uint32_t attribute) {
    return quote_name(attribute == model::kKeyAttribute ? entity.key.name : entity.attributes[attribute].name);
}

RuleSql sql_of(const model::Model& model, std::span<const ScopeRule> rules, std::size_t at, std::int64_t id) {
    const ScopeRule& rule = rules[at];
    const model::Entity& entity = model.entity(rule.entity);
    const std::string table = quote_name(entity.name);
    const std::string key = quote_name(entity.key.name);
    RuleSql sql{.id = id, .entity = rule.entity, .whole = rule.whole, .parent = rule.parent};
    for (const ScopeRule& other : rules) sql.followed = sql.followed || other.parent == at;
    std::string value = "''";
    std::string from = table + " r";
    if (rule.key) value = "CAST(r." + name_of(entity, *rule.key) + " AS TEXT)";
    if (rule.parent) {
        const ScopeRule& parent = rules[*rule.parent];
        const std::string association = "r." + name_of(entity, rule.association);
        const std::string of = "m.entity = " + std::to_string(parent.entity.value) + " AND m.key = " + association + " AND m.live = 1";
        if (parent.whole) {
            from += " CROSS JOIN skerry_member m ON m.scope = " + std::to_string(parent.entity.value + 1) + " AND " + of;
        } else {
            value = "s.key";
            // The rule's id is bound: it is not known to the text, so that the text stays the same.
            from += " CROSS JOIN skerry_member m INDEXED BY skerry_member_by_key ON " + of + " AND m.scope >= 65536" +
                    " CROSS JOIN skerry_scope s ON s.id = m.scope AND s.rule = ?1";
        }
        sql.children = "INSERT INTO temp.skerry_now(key, queued) SELECT r." + key + ", 0 FROM temp.skerry_moved p CROSS JOIN " + table + " r ON " +
                       association + " = p.key WHERE p.rule = ?1 ON CONFLICT(key) DO NOTHING";
    }
    sql.place = "UPDATE temp.skerry_now SET place = (SELECT " + value + " FROM " + from + " WHERE r." + key + " = skerry_now.key" +
                (rule.where.empty() ? "" : " AND (" + rule.where + ")") + ")";
    sql.next = "INSERT INTO temp.skerry_now(key, queued) SELECT r." + key + ", 1 FROM " + table + " r WHERE r." + key + " > ?1 ORDER BY r." + key + " LIMIT ?2";
    return sql;
}

Result<std::map<std::string, std::int64_t>> stored_rules(sqlite::Database& db) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT name, id FROM skerry_rule"));
    std::map<std::string, std::int64_t> found;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        found.emplace(get.text(0), get.integer(1));
    }
    get.reset();
    return found;
}

}  // namespace

Result<void> make_working_tables(sqlite::Database& db) {
    return db.exec("CREATE TEMP TABLE skerry_touched(entity INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY(entity, key)) WITHOUT ROWID;"
                   "CREATE TEMP TABLE skerry_now(key TEXT PRIMARY KEY, queued INTEGER NOT NULL, was INTEGER, place TEXT, now INTEGER) WITHOUT ROWID;"
                   "CREATE TEMP TABLE skerry_moved(rule INTEGER NOT NULL, key TEXT NOT NULL, PRIMARY KEY(rule, key)) WITHOUT ROWID;"
                   "CREATE TEMP TABLE skerry_left(key TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID");
}

Result<std::uint64_t> read_rules_hash(sqlite::Database& db) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT value FROM skerry_meta WHERE name = 'rules'"));
    SKERRY_ASSIGN(const bool row, get.step());
    const auto hash = row ? static_cast<std::uint64_t>(get.integer(0)) : 0;
    get.reset();
    return hash;
}

Result<std::optional<RuleSet>> read_rules(sqlite::Database& db, const model::Model& model, std::span<const ScopeRule> rules, Besides besides) {
    SKERRY_ASSIGN(const auto stored, stored_rules(db));
    RuleSet set;
    SKERRY_ASSIGN(set.hash, read_rules_hash(db));
    if (besides == Besides::kNone && stored.size() != rules.size()) return std::nullopt;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto found = stored.find(rules[i].name);
        if (found == stored.end()) return std::nullopt;
        set.names.push_back(rules[i].name);
        set.rules.push_back(sql_of(model, rules, i, found->second));
    }
    return set;
}

Result<void> put_rules_hash(sqlite::Database& db) {
    SKERRY_ASSIGN(const auto stored, stored_rules(db));
    Bytes bytes;
    Writer out(bytes);
    for (const auto& [name, id] : stored) {
        out.bytes(name);
        out.u64(static_cast<std::uint64_t>(id));
    }
    SKERRY_ASSIGN(Statement put, db.prepare("INSERT INTO skerry_meta(name, value) VALUES('rules', ?1) ON CONFLICT(name) DO UPDATE SET value = excluded.value"));
    return put.bind(1, static_cast<std::int64_t>(hash64(bytes))).run();
}

}  // namespace skerry::server::storage
