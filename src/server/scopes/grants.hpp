// Which scopes a principal has: his profile's rules, each with the values that the principal's sets give it. Read in the
// snapshot of the checkpoint that is sent under them (pitfall 37), and anew for the next one.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "server/access/principal.hpp"
#include "server/scopes/rules.hpp"
#include "wire/messages.hpp"

namespace skerry::server::scopes {

// A device names all of them in one token, and holds a line for each row of each.
inline constexpr std::size_t kScopesMax = 10'000;
// A longer value equals nothing: keys of scopes are copied into an index and told to devices.
inline constexpr std::size_t kScopeKeyBytesMax = 512;

struct Who {
    const access::Principal& principal;
    std::span<const wire::Chosen> chosen;
};

struct Grants {
    std::string profile;                      // "" for a model without
    std::vector<wire::ScopeInfo> scopes;      // by id
    std::uint64_t hash = 0;                   // names the set
    std::vector<storage::ScopeKey> without_id;  // not empty: `scopes` and `hash` are not made yet, for these have to be
};

// The profile that the claim names, else the first. profile_unknown.
Result<std::string> profile_of(const model::Model& model, const access::Principal& principal);

// principal_failed, profile_unknown, too_many_scopes.
Result<Grants> grants_of(const model::Model& model, const Rules& rules, storage::Snapshot& view, const Who& who);

// Gives ids to scopes that have none, else writes down the set, so that cursors can name it.
Result<void> keep(storage::Backend& backend, const Grants& grants, Micros now);

std::vector<wire::ScopeId> ids_of(const std::vector<wire::ScopeInfo>& scopes);

}  // namespace skerry::server::scopes
