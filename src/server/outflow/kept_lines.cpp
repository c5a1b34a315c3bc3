#include "server/outflow/kept_lines.hpp"

#include "server/scopes/rules.hpp"

namespace skerry::server::outflow {

namespace {

constexpr std::size_t kKeysAtOnce = 5'000;

void put_lines(Bytes& out, EntityIx entity, const std::vector<storage::Member>& members) {
    std::map<wire::ScopeId, wire::Lines> frames;
    for (const storage::Member& member : members) {
        wire::Lines& lines = frames[member.scope];
        lines.entity = entity;
        lines.scope = member.scope;
        lines.keys.push_back(member.key);
    }
    for (const auto& [scope, lines] : frames) wire::put(out, lines);
}

}  // namespace

// What was in a whole scope is every row; what was in one whose rule went nobody knows, nor of which entity it was.
Result<void> KeptLines::find_entities() {
    std::vector<wire::ScopeId> keyed;
    for (const wire::ScopeId scope : lost_) {
        if (!scopes::is_whole(scope)) {
            keyed.push_back(scope);
        } else if (const EntityIx entity{scope.value - 1}; arriving_.count(entity) != 0) {
            all_.insert(entity);
        }
    }
    SKERRY_ASSIGN(const auto entities, view_.entities_of(keyed));
    for (std::size_t i = 0; i < keyed.size(); ++i) {
        if (entities[i]) {
            if (arriving_.count(*entities[i]) != 0) keyed_.emplace(keyed[i], *entities[i]);
            continue;
        }
        for (const auto& [entity, scopes] : arriving_) all_.insert(entity);
    }
    found_ = true;
    return {};
}

Result<bool> KeptLines::next(Bytes& out) {
    if (lost_.empty() || arriving_.empty()) return false;
    if (!found_) SKERRY_TRY(find_entities());
    if (!all_.empty()) return next_of_all(out);
    while (!keyed_.empty()) {
        const auto [lost, entity] = *keyed_.begin();
        keyed_.erase(keyed_.begin());
        SKERRY_ASSIGN(const auto kept, view_.kept_by(entity, arriving_.at(entity), lost, after_));
        put_lines(out, entity, kept);
        if (!kept.empty()) return true;
    }
    return false;
}

Result<bool> KeptLines::next_of_all(Bytes& out) {
    const EntityIx entity = *all_.begin();
    SKERRY_ASSIGN(const auto members, view_.members_after(entity, arriving_.at(entity), position_, std::nullopt, kKeysAtOnce));
    if (!members.empty()) {
        put_lines(out, entity, members);
        position_ = members.back().key;
        return true;
    }
    position_.clear();
    arriving_.erase(entity);  // all its lines were told
    std::erase_if(keyed_, [&](const auto& lost) { return lost.second == entity; });
    all_.erase(entity);
    return next(out);
}

}  // namespace skerry::server::outflow
