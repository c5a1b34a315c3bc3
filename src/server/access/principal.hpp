// Who is this, and may they? The only place that answers either.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "model/model.hpp"
#include "server/storage/storage.hpp"

namespace skerry::server::access {

struct Principal {
    std::string user;                           // never empty
    std::map<std::string, std::string> claims;  // what the token says of the user, by name
};

enum class Action { kRead, kCreate, kUpdate, kDelete };

// `access: open`, the only rule of version 1: every signed-in user may; nobody else may.
bool may(const Principal& principal, Action action, const model::Entity& entity);

// A bearer token is "skt_" and 32 random bytes in base64url. The database holds its BLAKE2b hash only, so that
// who reads the file cannot sign in with what he finds.
struct NewToken {
    std::string user;
    std::string label;
    std::optional<std::int64_t> expires_us;
    std::map<std::string, std::string> claims;
};
// Claims are read with every request.
inline constexpr std::size_t kClaimsMax = 20;
inline constexpr std::size_t kClaimBytesMax = 200;
// Names the profile of the user's devices.
inline constexpr std::string_view kProfileClaim = "profile";

// invalid_argument for a claim that the model does not declare, profile_unknown.
Result<void> check_claims(const model::Model& model, const std::map<std::string, std::string>& claims);
Result<std::string> make_token(storage::WriteTxn& txn, const NewToken& token, Micros now, Random& random);

// A token with this label reads the server's metrics, and opens nothing else: who collects figures needs no rows.
inline constexpr std::string_view kMetricsLabel = "metrics";

// From the Authorization header's value. unauthorized for whatever is not the token of a user, without saying why.
Result<Principal> authenticate(storage::Reads& reads, std::string_view authorization, Micros now);
// The same for metrics.
Result<void> authenticate_metrics(storage::Reads& reads, std::string_view authorization, Micros now);

}  // namespace skerry::server::access
