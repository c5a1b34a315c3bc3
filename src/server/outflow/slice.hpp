// The next piece of a download: rows of one entity in key order, read in the checkpoint's own snapshot.
#pragma once

#include <optional>

#include "base/log.hpp"
#include "server/scopes/token.hpp"
#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

struct NextSlice {
    wire::Slice slice;
    bool complete = false;  // it reaches the end of the entity
};

// After `download.after`, at most `rows` of them and about kSlicePayloadTarget bytes. Moves `download` on.
Result<NextSlice> next_slice(storage::Snapshot& view, const model::Model& model, scopes::Download& download,
                             std::uint32_t rows, Log& log);

}  // namespace skerry::server::outflow
