// What changed, frame by frame: rows by entity in reference order and by key, then leaves in the reverse order of
// entities, so that no child stands without its parent at any moment of applying.
#pragma once

#include <functional>
#include <memory>

#include "server/outflow/row_reader.hpp"

namespace skerry::server::outflow {

class Delta {
  public:
    // Gives the keys of an entity; null = none.
    using Keys = std::function<Result<std::unique_ptr<storage::KeyCursor>>(const storage::WholeScope&)>;

    // `view` outlives it. `gone` may be empty: then nothing leaves, and rows that are not there are left out.
    Delta(storage::Snapshot& view, const model::Model& model, std::vector<storage::WholeScope> scopes, Keys live,
          Keys gone, Log& log);

    // Appends the next frame; false when there is none.
    Result<bool> next(Bytes& out);

  private:
    Result<bool> next_rows(Bytes& out);
    Result<bool> next_leaves(Bytes& out);
    Result<void> fill_rows(wire::Rows& frame);

    storage::Snapshot& view_;
    const model::Model& model_;
    std::vector<storage::WholeScope> scopes_;
    Keys live_;
    Keys gone_;
    Log& log_;

    std::size_t scope_ = 0;  // rows: index of the scope at work; leaves: how many are done
    bool leaving_ = false;
    std::unique_ptr<storage::KeyCursor> cursor_;
    std::unique_ptr<RowReader> reader_;
    std::vector<std::string> keys_;
    std::size_t at_ = 0;
    std::vector<RowReader::Found> found_;
    std::size_t found_at_ = 0;
    std::vector<std::vector<std::string>> held_back_;  // by scope: live by the log, not to be sent
};

// The keys of `refs` that belong to one entity, as a cursor.
Delta::Keys keys_of(std::vector<storage::KeyRef> refs);

}  // namespace skerry::server::outflow
