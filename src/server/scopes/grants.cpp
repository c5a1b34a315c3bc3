#include "server/scopes/grants.hpp"

#include "base/hash.hpp"

namespace skerry::server::scopes {

std::vector<storage::WholeScope> whole_scopes(const model::Model& model) {
    std::vector<storage::WholeScope> scopes;
    for (std::uint32_t i = 0; i < model.entities.size(); ++i)
        scopes.push_back({wire::ScopeId{i + 1}, EntityIx{i}});
    return scopes;
}

Grants grants_of(const model::Model& model, const std::string& user) {
    Grants grants;
    if (user.empty()) return grants;  // nobody signed in: nothing
    Bytes names;
    Writer out(names);
    for (const storage::WholeScope& whole : whole_scopes(model)) {
        wire::ScopeInfo info{whole.scope, "entity/" + model.entity(whole.entity).name, whole.entity, true};
        out.bytes(info.name);
        grants.scopes.push_back(std::move(info));
    }
    grants.hash = hash64(names);
    return grants;
}

}  // namespace skerry::server::scopes
