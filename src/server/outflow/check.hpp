// Compares the digests of a device with what its cursor stands for (src/wire/check.hpp). Digests are computed from the rows
// when asked, never kept: a kept one would not notice a row that was falsified.
#pragma once

#include <memory>

#include "server/outflow/pull.hpp"
#include "wire/check.hpp"

namespace skerry::server::outflow {

// The body of a response to `request`: a frame for each range that differs, or one that says that the device has to pull first.
// Everything is read from one snapshot, some rows at a time. Errors at once: those of pull().
Result<std::unique_ptr<http::Body>> check(const OutflowContext& context, const wire::Check& request, PullOptions options);

}  // namespace skerry::server::outflow
