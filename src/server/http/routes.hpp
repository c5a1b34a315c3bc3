// The routes: who may call what, how large a body may be, and which status an error has.
//
//   POST /v1/enroll   POST /v1/push   POST /v1/pull   POST /v1/check    bearer token, frames in and out
//
// Anything else is 404, whatever the method; a path matches exactly or not at all. Every refusal is a body of
// one kError frame. What went wrong inside the server is logged and told as "server_failed", never more.
#pragma once

#include <memory>

#include "base/log.hpp"
#include "base/random.hpp"
#include "server/http/handler.hpp"
#include "server/scopes/sequencer.hpp"
#include "server/scopes/token.hpp"
#include "server/storage/storage.hpp"
#include "server/tally/tally.hpp"
#include "server/transit/file.hpp"

namespace skerry::server::http {

// What the routes work with. All of it outlives the Handler and every Body that it gave.
struct RoutesContext {
    storage::Backend& backend;
    scopes::Sequencer& sequencer;
    const scopes::Sealer& sealer;
    const Clock& clock;
    Random& random;
    Log& log;
    Tally& tally;
    Micros retention;  // how long what is not a row is kept
    transit::File& transit;
};

std::unique_ptr<Handler> make_routes(const RoutesContext& context);

// The HTTP status that goes with an error's code.
int status_of(Code code);

}  // namespace skerry::server::http
