// What shares a scope: the model's profiles, as the backend understands them.
//
// All profiles together give one list of rules; equal ones are one rule, and so share its scopes. A rule's name says all of
// it, in words that a changed model keeps (names, never positions): what stayed the same keeps its scopes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::scopes {

struct Rules {
    std::vector<storage::ScopeRule> all;  // a parent before its children
    // By profile, in the model's order (one of them for a model without), by entity: index into `all`; none: the entity is
    // not downloaded.
    std::vector<std::vector<std::optional<std::size_t>>> of_profile;
};

// expression_invalid when a profile's condition is none: a model that was checked has no such thing.
Result<Rules> rules_of(const model::Model& model);

// For people, who see it beside a row: "household, assignee_id = 7", "visit of household_id, assignee_id = 7".
std::string scope_name(const model::Model& model, const Rules& rules, const storage::ScopeKey& scope);

inline bool is_whole(wire::ScopeId scope) { return scope.value < storage::kKeyedScopesFrom; }

}  // namespace skerry::server::scopes
