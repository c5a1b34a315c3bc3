// Lines of rows that stay although a scope of theirs is lost: those of scopes that the device does not hold whole yet, and so
// would have them only with a slice to come. Without them the rows would go now and come back then (pitfall 19). A device takes
// a line only for a row that it has, so too many do no harm.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::outflow {

class KeptLines {
  public:
    using ByEntity = std::map<EntityIx, std::vector<wire::ScopeId>>;

    // `arriving`: new scopes and those being downloaded, none of them whole. `after`: the device's cursor.
    KeptLines(storage::Snapshot& view, std::vector<wire::ScopeId> lost, ByEntity arriving, Seq after)
        : view_(view), lost_(std::move(lost)), arriving_(std::move(arriving)), after_(after) {}

    // Appends the next frames; false when there are none.
    Result<bool> next(Bytes& out);

  private:
    Result<void> find_entities();
    Result<bool> next_of_all(Bytes& out);

    storage::Snapshot& view_;
    std::vector<wire::ScopeId> lost_;
    ByEntity arriving_;
    Seq after_;
    bool found_ = false;
    std::map<wire::ScopeId, EntityIx> keyed_;  // of lost_: what was in them is known
    std::set<EntityIx> all_;                   // every row of these may be here
    std::string position_;                     // in the first of all_
};

}  // namespace skerry::server::outflow
