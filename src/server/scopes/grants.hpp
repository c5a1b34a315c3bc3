// Which scopes a principal has. With `access: open` that is one whole scope per entity, for every signed-in
// user; nothing is lost or gained while the model stays the same.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::scopes {

struct Grants {
    std::vector<wire::ScopeInfo> scopes;  // by entity in reference order
    std::uint64_t hash = 0;               // of their names: what a cursor remembers of the set it was made under
};

// Scope 0 is none; the scope of an entity is its position plus one, its name "entity/<name>".
Grants grants_of(const model::Model& model, const std::string& user);

std::vector<storage::WholeScope> whole_scopes(const model::Model& model);

}  // namespace skerry::server::scopes
