// The queries of a model's `principal:`. They come from the model's author, not from a user, yet they run at every sync: on
// the snapshot's own connection, which writes nothing, with an authorizer that lets them read the app's tables only, for a
// limited time and a limited number of rows.
#pragma once

#include <chrono>

#include "server/storage/storage.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

// What stands between a query and the connection that it runs on.
struct Guarded {
    bool on = false;  // such a query is at work
    bool late = false;
    std::chrono::steady_clock::time_point deadline{};
};

// Once per connection, for good: an authorizer that comes and goes would have all kept statements prepared anew. `guarded`
// must live as long as the connection, at the same place.
void guard(sqlite::Database& db, Guarded& guarded);

struct PrincipalQuery {
    const std::string& name;
    const std::string& text;
    const Parameters& parameters;
    Micros time = kPrincipalQueryTime;
};

// principal_failed naming the query; never what a row holds.
Result<std::vector<std::string>> read_principal_values(sqlite::Database& db, Guarded& guarded, const PrincipalQuery& query);

}  // namespace skerry::server::storage
