#include "store/lines.hpp"

#include <algorithm>
#include <set>

#include "store/store.hpp"

namespace skerry::store {

namespace {

// Above every reason for a mark: scopes that are being renumbered wait here, as -(number + this).
constexpr std::int64_t kRenumbering = 1LL << 40;
// With more scopes in a slice, its range is read once and sorted out here, instead of once for each of them.
constexpr std::size_t kScopesOneByOne = 16;

std::int64_t as_int(EntityIx ix) { return static_cast<std::int64_t>(ix.value); }
std::int64_t as_int(wire::ScopeId id) { return static_cast<std::int64_t>(id.value); }
std::int64_t mark_of(wire::Left why) { return -static_cast<std::int64_t>(why); }

// Where marks are looked for, "+entity" leads to the index of scopes: few lines are marks, many are of the entity.
constexpr std::string_view kMark = "UPDATE OR REPLACE skerry_scope_row SET scope = ?4 WHERE entity = ?1 AND key = ?2 AND scope = ?3";

}  // namespace

Result<void> Lines::put_scope(const wire::ScopeInfo& scope) {
    if (!store_.model().has(scope.entity)) return fail(Code::kDamagedFrame, "a scope names an unknown entity");
    known_[scope.id.value] = {scope.entity, scope.whole, true};
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare(
        "INSERT OR REPLACE INTO skerry_scope(id, name, entity, whole, complete) VALUES(?1, ?2, ?3, ?4, 0)"));
    put.bind(1, as_int(scope.id)).bind_text(2, scope.name).bind(3, as_int(scope.entity));
    return put.bind(4, std::int64_t{scope.whole ? 1 : 0}).run();
}

Result<void> Lines::grant(const std::vector<wire::ScopeInfo>& scopes) {
    for (const wire::ScopeInfo& scope : scopes) SKERRY_TRY(put_scope(scope));
    return {};
}

Result<void> Lines::replace_all(const std::vector<wire::ScopeInfo>& scopes) {
    std::map<std::string_view, const wire::ScopeInfo*> by_name;
    for (const wire::ScopeInfo& scope : scopes) by_name.emplace(scope.name, &scope);
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT id, name, entity, whole FROM skerry_scope"));
    std::vector<wire::ScopeInfo> lost;
    std::vector<std::pair<wire::ScopeId, wire::ScopeId>> renumbered;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        wire::ScopeInfo old{{static_cast<std::uint32_t>(get.integer(0))}, std::string(get.text(1)), {static_cast<std::uint32_t>(get.integer(2))}, get.integer(3) != 0};
        const auto found = by_name.find(old.name);
        if (found == by_name.end() || found->second->entity != old.entity || found->second->whole != old.whole) {
            lost.push_back(std::move(old));
        } else if (found->second->id != old.id) {
            renumbered.emplace_back(old.id, found->second->id);
        }
    }
    get.reset();
    for (const wire::ScopeInfo& scope : lost) SKERRY_TRY(mark_scope(scope.id, scope.entity, scope.whole));
    SKERRY_ASSIGN(sqlite::Statement move, store_.db().prepare("UPDATE OR REPLACE skerry_scope_row SET scope = ?2 WHERE scope = ?1"));
    for (const auto& [from, to] : renumbered) SKERRY_TRY(move.bind(1, as_int(from)).bind(2, -(as_int(to) + kRenumbering)).run());
    for (const auto& [from, to] : renumbered) SKERRY_TRY(move.bind(1, -(as_int(to) + kRenumbering)).bind(2, as_int(to)).run());
    SKERRY_TRY(store_.db().exec("DELETE FROM skerry_scope"));
    known_.clear();
    return grant(scopes);
}

Result<void> Lines::complete(wire::ScopeId scope) {
    SKERRY_ASSIGN(sqlite::Statement done, store_.db().prepare("UPDATE skerry_scope SET complete = 1 WHERE id = ?1"));
    return done.bind(1, as_int(scope)).run();
}

Result<Lines::Known> Lines::find(wire::ScopeId scope) {
    if (const auto found = known_.find(scope.value); found != known_.end()) return found->second;
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT entity, whole FROM skerry_scope WHERE id = ?1"));
    get.bind(1, as_int(scope));
    SKERRY_ASSIGN(const bool granted, get.step());
    Known known;
    if (granted) known = {{static_cast<std::uint32_t>(get.integer(0))}, get.integer(1) != 0, true};
    get.reset();
    known_[scope.value] = known;
    return known;
}

Result<bool> Lines::is_whole(wire::ScopeId scope) {
    SKERRY_ASSIGN(const Known known, find(scope));
    return known.whole;
}

// A line of a scope that was never granted would keep its row for ever: it could not be lost.
Result<void> Lines::check_line(EntityIx ix, wire::ScopeId scope) {
    SKERRY_ASSIGN(const Known known, find(scope));
    if (!known.granted || known.entity != ix) return fail(Code::kDamagedFrame, "a row names a scope that is not granted, or not its entity's");
    return {};
}

Result<void> Lines::mark_scope(wire::ScopeId scope, EntityIx entity, bool whole) {
    marks_ = true;
    if (whole && store_.model().has(entity)) {
        SKERRY_ASSIGN(sqlite::Statement all, store_.db().prepare(store_.tables().of(entity).sql().mark_all));
        SKERRY_TRY(all.bind(1, as_int(entity)).bind(2, mark_of(wire::Left::kLost)).run());
    }
    SKERRY_ASSIGN(sqlite::Statement mark, store_.db().prepare("UPDATE OR REPLACE skerry_scope_row SET scope = ?2 WHERE scope = ?1"));
    return mark.bind(1, as_int(scope)).bind(2, mark_of(wire::Left::kLost)).run();
}

Result<void> Lines::lost(wire::ScopeId scope) {
    SKERRY_ASSIGN(const Known known, find(scope));
    SKERRY_TRY(mark_scope(scope, known.entity, known.whole));
    known_.erase(scope.value);
    SKERRY_ASSIGN(sqlite::Statement forget, store_.db().prepare("DELETE FROM skerry_scope WHERE id = ?1"));
    return forget.bind(1, as_int(scope)).run();
}

Result<void> Lines::add(EntityIx ix, std::string_view key, wire::ScopeId scope) {
    SKERRY_TRY(check_line(ix, scope));
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("INSERT OR IGNORE INTO skerry_scope_row(entity, key, scope) VALUES(?1, ?2, ?3)"));
    return put.bind(1, as_int(ix)).bind_text(2, key).bind(3, as_int(scope)).run();
}

Result<void> Lines::add_if_here(EntityIx ix, const std::vector<std::string>& keys, wire::ScopeId scope) {
    SKERRY_TRY(check_line(ix, scope));
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare(store_.tables().of(ix).sql().put_line_if_known));
    for (const std::string& key : keys) SKERRY_TRY(put.bind_text(1, key).bind(2, as_int(ix)).bind(3, as_int(scope)).run());
    return {};
}

Result<void> Lines::leave(EntityIx ix, const std::vector<std::string>& keys, wire::ScopeId scope, wire::Left why) {
    marks_ = true;
    SKERRY_ASSIGN(sqlite::Statement mark, store_.db().prepare(kMark));
    for (const std::string& key : keys)
        SKERRY_TRY(mark.bind(1, as_int(ix)).bind_text(2, key).bind(3, as_int(scope)).bind(4, mark_of(why)).run());
    return {};
}

Result<std::map<std::string, std::vector<wire::ScopeId>, std::less<>>> Lines::in_range(const wire::Slice& part) {
    std::map<std::string, std::vector<wire::ScopeId>, std::less<>> lines;
    const bool one_by_one = part.scopes.size() <= kScopesOneByOne;
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(one_by_one
        ? "SELECT key, scope FROM skerry_scope_row WHERE scope = ?1 AND entity = ?2 AND key > ?3 AND (?4 IS NULL OR key <= ?4)"
        : "SELECT key, scope FROM skerry_scope_row WHERE scope > ?1 AND entity = ?2 AND key > ?3 AND (?4 IS NULL OR key <= ?4)"));
    const std::set<wire::ScopeId> wanted(part.scopes.begin(), part.scopes.end());
    for (const wire::ScopeId scope : one_by_one ? part.scopes : std::vector<wire::ScopeId>{{}}) {
        get.bind(1, as_int(scope)).bind(2, as_int(part.entity)).bind_text(3, part.after).bind_null(4);
        if (part.upto) get.bind_text(4, *part.upto);
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            const wire::ScopeId of{static_cast<std::uint32_t>(get.integer(1))};
            if (wanted.contains(of)) lines[std::string(get.text(0))].push_back(of);
        }
        get.reset();
    }
    return lines;
}

Result<void> Lines::slice(const wire::Slice& part) {
    SKERRY_ASSIGN(auto here, in_range(part));
    std::vector<std::string> one(1);
    const auto gone = [&](const std::string& key, const std::vector<wire::ScopeId>& scopes) -> Result<void> {
        one[0] = key;
        for (const wire::ScopeId scope : scopes) SKERRY_TRY(leave(part.entity, one, scope, wire::Left::kMoved));
        return {};
    };
    for (const wire::RowEntry& entry : part.rows) {
        const auto found = here.find(entry.key);
        for (const wire::ScopeId scope : entry.lines) {
            if (found != here.end() && std::erase(found->second, scope) != 0) continue;
            SKERRY_TRY(add(part.entity, entry.key, scope));
        }
        if (found == here.end()) continue;
        SKERRY_TRY(gone(entry.key, found->second));
        here.erase(found);
    }
    for (const auto& [key, scopes] : here) SKERRY_TRY(gone(key, scopes));
    return mark_strays(part);
}

// Rows of the range that nothing brought and nobody made here: written past the triggers, by a bug or by hand.
Result<void> Lines::mark_strays(const wire::Slice& part) {
    const model::Entity& entity = store_.model().entity(part.entity);
    const std::string key = "t." + sqlite::quote_name(entity.key.name);
    SKERRY_ASSIGN(sqlite::Statement mark, store_.db().prepare(
        "INSERT INTO skerry_scope_row(entity, key, scope) SELECT ?1, " + key + ", ?4 FROM " + sqlite::quote_name(entity.name) + " t WHERE " + key +
        " > ?2 AND " + key + " <= ?3 AND NOT EXISTS (SELECT 1 FROM skerry_scope_row r WHERE r.entity = ?1 AND r.key = " + key +
        ") AND NOT EXISTS (SELECT 1 FROM skerry_op o WHERE o.entity = ?1 AND o.key = " + key + ")"));
    mark.bind(1, as_int(part.entity)).bind_text(2, part.after).bind(4, -static_cast<std::int64_t>(wire::Left::kOutside));
    // A blob comes after every text.
    if (part.upto) mark.bind_text(3, *part.upto);
    else mark.bind_blob(3, "");
    SKERRY_TRY(mark.run());
    marks_ = marks_ || store_.db().changes() > 0;
    return {};
}

Result<void> Lines::drop(EntityIx ix, std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE entity = ?1 AND key = ?2"));
    return drop.bind(1, as_int(ix)).bind_text(2, key).run();
}

Result<std::vector<EntityIx>> Lines::marked_entities() {
    std::vector<EntityIx> out;
    if (!marks_) return out;
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT DISTINCT entity FROM skerry_scope_row WHERE scope < 0"));
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        out.push_back(EntityIx{static_cast<std::uint32_t>(get.integer(0))});
    }
    get.reset();
    return out;
}

Result<void> Lines::settle_marks(EntityIx ix, Keep keep) {
    if (keep == Keep::kAll) return drop_marks(ix);
    SKERRY_ASSIGN(sqlite::Statement whole, store_.db().prepare("SELECT EXISTS (SELECT 1 FROM skerry_scope WHERE entity = ?1 AND whole = 1)"));
    whole.bind(1, as_int(ix));
    SKERRY_ASSIGN(const bool row, whole.step());
    static_cast<void>(row);  // an EXISTS always gives one
    const bool all = whole.integer(0) != 0;
    whole.reset();
    if (all) return drop_marks(ix);
    SKERRY_ASSIGN(sqlite::Statement held, store_.db().prepare(
        "DELETE FROM skerry_scope_row WHERE +entity = ?1 AND scope < 0 AND EXISTS "
        "(SELECT 1 FROM skerry_scope_row o WHERE o.entity = ?1 AND o.key = skerry_scope_row.key AND o.scope > 0)"));
    return held.bind(1, as_int(ix)).run();
}

Result<std::vector<Lines::Marked>> Lines::marked(EntityIx ix, Which which) {
    const std::string condition = which == Which::kAll ? "" : " AND EXISTS (SELECT 1 FROM skerry_op o WHERE o.entity = ?1 AND o.key = r.key)";
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare(
        "SELECT key, max(scope) FROM skerry_scope_row r WHERE +entity = ?1 AND scope < 0" + condition + " GROUP BY key"));
    get.bind(1, as_int(ix));
    std::vector<Marked> out;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        out.push_back({std::string(get.text(0)), static_cast<wire::Left>(-get.integer(1))});
    }
    get.reset();
    return out;
}

Result<bool> Lines::right_lost(EntityIx ix) {
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT 1 FROM skerry_scope_row WHERE entity = ?1 AND scope IN (?2, ?3) LIMIT 1"));
    get.bind(1, as_int(ix)).bind(2, mark_of(wire::Left::kMoved)).bind(3, mark_of(wire::Left::kLost));
    SKERRY_ASSIGN(const bool some, get.step());
    get.reset();
    return some;
}

Result<void> Lines::drop_marks(EntityIx ix) {
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_scope_row WHERE +entity = ?1 AND scope < 0"));
    return drop.bind(1, as_int(ix)).run();
}

}  // namespace skerry::store
