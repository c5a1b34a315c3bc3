// A piece of an entity: rows of some scopes in key order, read in the checkpoint's own snapshot.
#pragma once

#include <optional>

#include "base/log.hpp"
#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

// Keys after `after`, up to and with `upto`, or to the end of the entity.
struct SliceRange {
    EntityIx entity;
    std::vector<wire::ScopeId> scopes;
    std::string after;
    std::optional<std::string> upto;
};

// About so much; one row at least.
struct SliceSize {
    std::size_t rows = 0;
    std::size_t bytes = 0;
};

struct NextSlice {
    wire::Slice slice;
    std::size_t rows = 0;   // places of the range that it tells, of rows that are held back too
    std::size_t bytes = 0;
    bool complete = false;  // it reaches the end of the range
};

// From the beginning of the range.
Result<NextSlice> next_slice(storage::Snapshot& view, const model::Model& model, const SliceRange& range, SliceSize size, Log& log);

}  // namespace skerry::server::outflow
