#include "server/storage/sqlite/members.hpp"

#include <algorithm>

namespace skerry::server::storage {

namespace {

using sqlite::Statement;

// From so many scopes on, keys are looked for in the index of keys first: to look at one of its entries costs about this much less than to
// look for the next key of one scope.
constexpr std::size_t kManyScopes = 16;
constexpr std::size_t kLooksForOneScope = 4;

std::string json_of(Scopes scopes) {
    std::string json = "[";
    for (const wire::ScopeId scope : scopes) {
        if (json.size() > 1) json += ',';
        json += std::to_string(scope.value);
    }
    return json + "]";
}

wire::ScopeId scope_at(const Statement& row, int column) { return wire::ScopeId{static_cast<std::uint32_t>(row.integer(column))}; }

bool holds(Scopes scopes, wire::ScopeId scope) { return std::binary_search(scopes.begin(), scopes.end(), scope); }

class ChangedCursor final : public MemberCursor {
  public:
    ChangedCursor(sqlite::OwnedStatement statement, std::unique_ptr<std::string> scopes)
        : scopes_(std::move(scopes)), statement_(std::move(statement)) {}
    Result<void> next(std::size_t limit, std::vector<Member>& members) override {
        for (std::size_t i = 0; i < limit && !done_; ++i) {
            SKERRY_ASSIGN(const bool row, statement_->step());
            if (row) members.push_back({std::string(statement_->text(0)), scope_at(*statement_, 1)});
            done_ = !row;
        }
        return {};
    }

  private:
    std::unique_ptr<std::string> scopes_;  // bound without a copy; before the statement, so that it goes after it
    sqlite::OwnedStatement statement_;
    bool done_ = false;
};

Result<std::uint64_t> counted(Statement& get) {
    SKERRY_ASSIGN(const bool row, get.step());
    const std::uint64_t n = row ? from_sql(get.integer(0)) : 0;
    get.reset();
    return n;
}

// The live members of one scope, some at a time: none of many scopes is read further than it is needed.
class Stretch {
  public:
    Stretch(sqlite::Database& db, EntityIx entity, wire::ScopeId scope, const KeyBounds& bounds)
        : db_(&db), entity_(entity), scope_(scope), after_(bounds.after), upto_(&bounds.upto) {}

    wire::ScopeId scope() const { return scope_; }
    bool empty() const { return at_ == keys_.size(); }
    const std::string& key() const { return keys_[at_]; }
    std::string take() { return std::move(keys_[at_++]); }

    // Precondition: empty(). Stays empty at the end.
    Result<void> fill(std::size_t limit) {
        keys_.clear();
        at_ = 0;
        if (done_) return {};
        SKERRY_ASSIGN(Statement get, db_->prepare(*upto_ ? "SELECT key FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND key > ?3 AND live = 1 "
                                                           "AND key <= ?5 ORDER BY key LIMIT ?4"
                                                         : "SELECT key FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND key > ?3 AND live = 1 "
                                                           "ORDER BY key LIMIT ?4"));
        get.bind(1, std::int64_t{scope_.value}).bind(2, std::int64_t{entity_.value}).bind_text(3, after_);
        get.bind(4, static_cast<std::int64_t>(limit));
        if (*upto_) get.bind_text(5, **upto_);
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            keys_.emplace_back(get.text(0));
        }
        get.reset();
        done_ = keys_.size() < limit;
        if (!keys_.empty()) after_ = keys_.back();
        return {};
    }

  private:
    sqlite::Database* db_;
    EntityIx entity_;
    wire::ScopeId scope_;
    std::string after_;
    const std::optional<std::string>* upto_;
    std::vector<std::string> keys_;
    std::size_t at_ = 0;
    bool done_ = false;
};

}  // namespace

Result<std::unique_ptr<MemberCursor>> read_changed(sqlite::Database& db, EntityIx entity, Scopes scopes, Seq after, Seq upto, Live live) {
    auto json = std::make_unique<std::string>(json_of(scopes));
    SKERRY_ASSIGN(auto get, db.prepare_once("SELECT m.key, m.scope FROM json_each(?1) j CROSS JOIN skerry_member m INDEXED BY skerry_member_by_seq "
                                            "WHERE m.scope = j.value AND m.seq > ?2 AND m.seq <= ?3 AND m.live = ?4 AND m.entity = ?5 "
                                            "ORDER BY m.key, m.scope"));
    get->bind_text(1, *json).bind(2, to_sql(after.value)).bind(3, to_sql(upto.value));
    get->bind(4, std::int64_t{live == Live::kYes ? 1 : 0}).bind(5, std::int64_t{entity.value});
    return std::unique_ptr<MemberCursor>(std::make_unique<ChangedCursor>(std::move(get), std::move(json)));
}

Result<Changed> read_changed_in(sqlite::Database& db, Scopes scopes, Seq after, Seq upto, std::uint64_t limit) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT m.scope FROM json_each(?1) j CROSS JOIN skerry_member m INDEXED BY skerry_member_by_seq "
                                            "WHERE m.scope = j.value AND m.seq > ?2 AND m.seq <= ?3 LIMIT ?4"));
    const std::string json = json_of(scopes);
    get.bind_text(1, json).bind(2, to_sql(after.value)).bind(3, to_sql(upto.value)).bind(4, to_sql(limit));
    Changed changed;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        ++changed.members;
        const wire::ScopeId scope = scope_at(get, 0);
        if (changed.scopes.empty() || changed.scopes.back() != scope) changed.scopes.push_back(scope);
    }
    get.reset();
    if (changed.members == limit) changed.scopes.assign(scopes.begin(), scopes.end());
    return changed;
}

Result<std::uint64_t> count_members(sqlite::Database& db, EntityIx entity, Scopes scopes) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT count(*) FROM json_each(?1) j CROSS JOIN skerry_member m "
                                            "WHERE m.scope = j.value AND m.entity = ?2 AND m.live = 1"));
    const std::string json = json_of(scopes);
    get.bind_text(1, json).bind(2, std::int64_t{entity.value});
    return counted(get);
}

namespace {

// Reads the index of keys for members of the scopes, as long as that is cheaper than a look at each scope. `after` moves to the last key
// of which it knows all; false: the rest is to be found otherwise.
Result<bool> read_by_key(sqlite::Database& db, EntityIx entity, Scopes scopes, const KeyBounds& keys, std::size_t limit, std::vector<Member>& members,
                         std::string& after) {
    SKERRY_ASSIGN(Statement get, db.prepare(keys.upto ? "SELECT key, scope FROM skerry_member INDEXED BY skerry_member_by_key WHERE entity = ?1 AND key > ?2 "
                                                        "AND live = 1 AND scope >= 65536 AND key <= ?3 ORDER BY key, scope"
                                                      : "SELECT key, scope FROM skerry_member INDEXED BY skerry_member_by_key WHERE entity = ?1 AND key > ?2 "
                                                        "AND live = 1 AND scope >= 65536 ORDER BY key, scope"));
    get.bind(1, std::int64_t{entity.value}).bind_text(2, keys.after);
    if (keys.upto) get.bind_text(3, *keys.upto);
    const std::size_t looks_max = scopes.size() * kLooksForOneScope;
    std::string key;
    std::size_t distinct = 0;
    for (std::size_t looks = 0;; ++looks) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        if (get.text(0) != key) {
            if (looks >= looks_max) {
                after = key;
                get.reset();
                return false;
            }
            key = get.text(0);
        }
        const wire::ScopeId scope = scope_at(get, 1);
        if (!holds(scopes, scope)) continue;
        if (members.empty() || members.back().key != key) {
            if (distinct == limit) break;
            ++distinct;
        }
        members.push_back({key, scope});
    }
    get.reset();
    return true;
}

// Each scope is asked for about its share of what is wanted, and for more when that is used up.
Result<void> read_by_scope(sqlite::Database& db, EntityIx entity, Scopes scopes, const KeyBounds& keys, std::size_t limit, std::vector<Member>& members) {
    const std::size_t share = std::min(limit, std::max<std::size_t>(2, 2 * limit / scopes.size()));
    std::vector<Stretch> stretches;
    stretches.reserve(scopes.size());
    for (const wire::ScopeId scope : scopes) {
        Stretch stretch(db, entity, scope, keys);
        SKERRY_TRY(stretch.fill(share));
        if (!stretch.empty()) stretches.push_back(std::move(stretch));
    }
    // A heap with the lowest key, then the lowest scope, on top.
    const auto behind = [&](std::size_t a, std::size_t b) {
        const int order = stretches[a].key().compare(stretches[b].key());
        return order != 0 ? order > 0 : stretches[a].scope() > stretches[b].scope();
    };
    std::vector<std::size_t> heap(stretches.size());
    for (std::size_t i = 0; i < heap.size(); ++i) heap[i] = i;
    std::make_heap(heap.begin(), heap.end(), behind);
    const std::size_t begin = members.size();
    std::size_t distinct = 0;
    while (!heap.empty()) {
        std::pop_heap(heap.begin(), heap.end(), behind);
        Stretch& lowest = stretches[heap.back()];
        if (members.size() == begin || members.back().key != lowest.key()) {
            if (distinct == limit) break;
            ++distinct;
        }
        members.push_back({lowest.take(), lowest.scope()});
        if (lowest.empty()) SKERRY_TRY(lowest.fill(share));
        if (lowest.empty()) {
            heap.pop_back();
        } else {
            std::push_heap(heap.begin(), heap.end(), behind);
        }
    }
    return {};
}

}  // namespace

Result<std::vector<Member>> read_members(sqlite::Database& db, EntityIx entity, Scopes scopes, const KeyBounds& keys, std::size_t limit) {
    std::vector<Member> members;
    if (scopes.empty() || limit == 0) return members;
    std::string after = keys.after;
    if (scopes.size() >= kManyScopes && scopes.front().value >= kKeyedScopesFrom) {
        SKERRY_ASSIGN(const bool done, read_by_key(db, entity, scopes, keys, limit, members, after));
        if (done) return members;
    }
    std::size_t found = 0;
    for (std::size_t i = 0; i < members.size(); ++i)
        if (i == 0 || members[i].key != members[i - 1].key) ++found;
    if (found == limit) return members;
    SKERRY_TRY(read_by_scope(db, entity, scopes, {after, keys.upto}, limit - found, members));
    return members;
}

Result<std::vector<Member>> read_memberships(sqlite::Database& db, EntityIx entity, Scopes scopes, std::span<const std::string> keys) {
    SKERRY_ASSIGN(Statement keyed, db.prepare("SELECT scope FROM skerry_member INDEXED BY skerry_member_by_key "
                                              "WHERE entity = ?1 AND key = ?2 AND live = 1 AND scope >= 65536 ORDER BY scope"));
    SKERRY_ASSIGN(Statement whole, db.prepare("SELECT 1 FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND key = ?3 AND live = 1"));
    const wire::ScopeId all{entity.value + 1};
    const bool asks_whole = holds(scopes, all);
    const bool asks_keyed = !scopes.empty() && scopes.back().value >= kKeyedScopesFrom;
    std::vector<Member> members;
    for (const std::string& key : keys) {
        if (asks_whole) {
            whole.bind(1, std::int64_t{all.value}).bind(2, std::int64_t{entity.value}).bind_text(3, key);
            SKERRY_ASSIGN(const bool there, whole.step());
            whole.reset();
            if (there) members.push_back({key, all});
        }
        if (!asks_keyed) continue;
        keyed.bind(1, std::int64_t{entity.value}).bind_text(2, key);
        for (;;) {
            SKERRY_ASSIGN(const bool row, keyed.step());
            if (!row) break;
            const wire::ScopeId scope = scope_at(keyed, 0);
            if (holds(scopes, scope)) members.push_back({key, scope});
        }
        keyed.reset();
    }
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return std::tie(a.key, a.scope) < std::tie(b.key, b.scope); });
    return members;
}

Result<std::vector<Member>> read_kept_by(sqlite::Database& db, EntityIx entity, Scopes in, wire::ScopeId lost, Seq after) {
    constexpr std::size_t kKeysAtOnce = 1000;
    SKERRY_ASSIGN(auto get, db.prepare_once("SELECT key FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND (live = 1 OR seq > ?3) ORDER BY key"));
    get->bind(1, std::int64_t{lost.value}).bind(2, std::int64_t{entity.value}).bind(3, to_sql(after.value));
    std::vector<Member> kept;
    for (bool more = !in.empty(); more;) {
        std::vector<std::string> keys;
        while (more && keys.size() < kKeysAtOnce) {
            SKERRY_ASSIGN(more, get->step());
            if (more) keys.emplace_back(get->text(0));
        }
        SKERRY_ASSIGN(auto found, read_memberships(db, entity, in, keys));
        std::move(found.begin(), found.end(), std::back_inserter(kept));
    }
    return kept;
}

Result<std::vector<std::optional<EntityIx>>> read_entities_of(sqlite::Database& db, Scopes scopes) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT r.entity FROM skerry_scope s CROSS JOIN skerry_rule r ON r.id = s.rule WHERE s.id = ?1"));
    std::vector<std::optional<EntityIx>> entities;
    for (const wire::ScopeId scope : scopes) {
        SKERRY_ASSIGN(const bool row, get.bind(1, std::int64_t{scope.value}).step());
        entities.push_back(row ? std::optional(EntityIx{static_cast<std::uint32_t>(get.integer(0))}) : std::nullopt);
        get.reset();
    }
    return entities;
}

Result<Seq> read_floor(sqlite::Database& db, Scopes scopes) {
    SKERRY_ASSIGN(Statement get, db.prepare("SELECT ifnull(max(s.floor), 0) FROM json_each(?1) j CROSS JOIN skerry_scope s ON s.id = j.value"));
    const std::string json = json_of(scopes);
    get.bind_text(1, json);
    SKERRY_ASSIGN(const std::uint64_t floor, counted(get));
    return Seq{floor};
}

Bytes packed(Scopes scopes) {
    Bytes bytes;
    Writer out(bytes);
    out.varint(scopes.size());
    std::uint32_t before = 0;
    for (const wire::ScopeId scope : scopes) {
        out.varint(scope.value - before);
        before = scope.value;
    }
    return bytes;
}

Result<std::vector<wire::ScopeId>> unpacked(BytesView bytes) {
    Reader in(bytes);
    std::vector<wire::ScopeId> scopes;
    const std::size_t n = in.count(1);
    std::uint32_t at = 0;
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        at += static_cast<std::uint32_t>(in.varint());
        scopes.push_back(wire::ScopeId{at});
    }
    if (!in.at_end()) return fail(Code::kCorruptStore, "a stored set of scopes is damaged");
    return scopes;
}

}  // namespace skerry::server::storage
