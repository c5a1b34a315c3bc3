#include "server/outflow/key_lines.hpp"

#include <algorithm>

#include "server/scopes/rules.hpp"

namespace skerry::server::outflow {

namespace {
constexpr std::size_t kMembersAtOnce = 512;
}

std::vector<KeyLines> by_key(std::vector<storage::Member> members) {
    std::vector<KeyLines> found;
    for (storage::Member& member : members) {
        if (found.empty() || found.back().key != member.key) found.push_back({std::move(member.key), {}});
        found.back().scopes.push_back(member.scope);
    }
    return found;
}

std::vector<wire::ScopeId> lines_of(const std::vector<wire::ScopeId>& scopes) {
    std::vector<wire::ScopeId> lines;
    std::copy_if(scopes.begin(), scopes.end(), std::back_inserter(lines), [](wire::ScopeId scope) { return !scopes::is_whole(scope); });
    return lines;
}

Result<std::vector<KeyLines>> KeyLinesReader::next() {
    std::vector<storage::Member> members = std::move(rest_);
    rest_.clear();
    while (cursor_ != nullptr) {
        const std::size_t before = members.size();
        SKERRY_TRY(cursor_->next(kMembersAtOnce, members));
        if (members.size() == before) {
            cursor_.reset();
            break;
        }
        // The last key's scopes may go on in the next piece.
        const auto last = std::find_if(members.rbegin(), members.rend(), [&](const auto& m) { return m.key != members.back().key; }).base();
        if (last == members.begin()) continue;
        rest_.assign(std::make_move_iterator(last), std::make_move_iterator(members.end()));
        members.erase(last, members.end());
        break;
    }
    return by_key(std::move(members));
}

}  // namespace skerry::server::outflow
