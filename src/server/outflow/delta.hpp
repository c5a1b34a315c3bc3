// What changed, frame by frame: rows by entity in reference order and by key, then leaves in the reverse order of
// entities, so that no child stands without its parent at any moment of applying.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "server/outflow/row_reader.hpp"

namespace skerry::server::outflow {

class Delta {
  public:
    // Gives the members of an entity; null = none.
    using Members = std::function<Result<std::unique_ptr<storage::MemberCursor>>(EntityIx)>;

    // `view` outlives it. `gone` may be empty: then nothing leaves, and rows that are not there are left out.
    Delta(storage::Snapshot& view, const model::Model& model, std::vector<EntityIx> entities, Members live, Members gone, Log& log);

    // Appends the next frame, or a few; false when there is none.
    Result<bool> next(Bytes& out);

  private:
    Result<bool> next_rows(Bytes& out);
    Result<bool> next_leaves(Bytes& out);
    Result<void> fill_rows(wire::Rows& frame);

    storage::Snapshot& view_;
    const model::Model& model_;
    std::vector<EntityIx> entities_;
    Members live_;
    Members gone_;
    Log& log_;

    std::size_t at_entity_ = 0;  // rows: index of the entity at work; leaves: how many are done
    bool leaving_ = false;
    std::unique_ptr<KeyLinesReader> lines_;
    std::unique_ptr<RowReader> reader_;
    std::vector<KeyLines> keys_;
    std::size_t at_ = 0;
    std::vector<RowReader::Found> found_;
    std::size_t found_at_ = 0;
    std::vector<std::vector<KeyLines>> held_back_;  // by entity: live by the log, not to be sent
};

// Members that were read already.
Delta::Members listed(std::map<EntityIx, std::vector<storage::Member>> members);

}  // namespace skerry::server::outflow
