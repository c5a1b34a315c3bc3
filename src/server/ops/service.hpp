// The routes for those who run the server, and the measuring of all routes: stands between the host and the
// routes of devices.
//
//   GET /healthz    no token                          200 "ok": the process lives
//   GET /readyz     no token                          200 "ready", or 503 and one line that says why not
//   GET /metrics    token with the label "metrics"    figures; 404 unless they are switched on
//
// Everything else goes to the inner handler. /readyz asks the database at most once a second, whoever asks how often:
// nobody without a token can make the server work.
#pragma once

#include <memory>
#include <optional>

#include "base/log.hpp"
#include "server/http/handler.hpp"
#include "server/ops/metrics.hpp"
#include "server/scopes/sequencer.hpp"

namespace skerry::server::ops {

enum class Metrics { kOff, kOn };

// All of it outlives the handler and every body that it gave.
struct ServiceContext {
    http::Handler& inner;
    storage::Backend& backend;
    scopes::Sequencer& sequencer;
    const Clock& clock;
    Log& log;
    const Tally& tally;
    Metrics metrics = Metrics::kOff;
};

std::unique_ptr<http::Handler> make_service(const ServiceContext& context);

}  // namespace skerry::server::ops
