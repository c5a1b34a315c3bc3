// A pull: checkpoint after checkpoint until everything is sent, and, when it is live, for as long as it stays open.
//
//   kPlanning ──> kWriting ──checkpoint written──> kPlanning   downloads are left, or something is newer (live)
//       ^             │ nothing more
//       │             v
//       └─ wake ── kIdle ──> kEnded    not live, or an error
#pragma once

#include <functional>
#include <memory>

#include "server/http/handler.hpp"
#include "server/outflow/checkpoint.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

struct PullOptions {
    std::string authorization;  // checked again for every checkpoint
    // What an Error is told as: the routes decide how much.
    std::function<wire::Failure(const Error&)> failure_of;
};

// The body of a response to `request`. What `context` names outlives it. The first checkpoint is planned here, so
// that what refuses the pull refuses it with a status: unauthorized, not_enrolled, device_of_other_user,
// model_mismatch, ….
//
// A one-off pull reaches what was sequenced when it began, and every download; what is written while it runs and
// comes after its last checkpoint is the next pull's, or constant writers would keep it from ending.
Result<std::unique_ptr<http::Body>> pull(const OutflowContext& context, const wire::Pull& request, PullOptions options);

}  // namespace skerry::server::outflow
