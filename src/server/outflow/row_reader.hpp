// Reads bodies for keys in groups whose size follows the size of the rows, so that many small rows cost one
// question and a few huge ones do not fill the memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "server/outflow/key_lines.hpp"
#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

// An upper bound of what the row takes in a frame.
std::size_t payload_bytes(const wire::RowEntry& entry);

class RowReader {
  public:
    RowReader(storage::Snapshot& view, EntityIx entity, Log& log) : view_(view), entity_(entity), log_(log) {}

    // A key whose row is absent, or holds what no device would accept, gives an entry without `row`: whoever sends
    // must not send it (quarantine), for one such row must not stop everyone.
    struct Found {
        KeyLines at;
        std::optional<model::Row> row;
        wire::RowEntry entry() &&;  // precondition: there is a row
    };
    // Takes the next few of `keys` from `at` on, at least one, and moves `at`.
    Result<std::vector<Found>> next(std::vector<KeyLines>& keys, std::size_t& at, const model::Model& model);

  private:
    storage::Snapshot& view_;
    EntityIx entity_;
    Log& log_;
    std::size_t group_ = 16;
};

}  // namespace skerry::server::outflow
