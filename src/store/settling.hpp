// The verdict on a transaction takes it out of the journal: into the archive, and among the drafts if it was rejected. Used by Applier only.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "store/tables.hpp"
#include "wire/transaction.hpp"

namespace skerry::store {

class Store;

class Settling {
  public:
    explicit Settling(Store& store) : store_(store) {}

    // The transaction as it was, its operations still in the journal; none when it is not ours or has settled before.
    Result<std::optional<wire::Transaction>> take(const wire::Outcome& outcome);
    // Out of the journal.
    Result<void> finish(const wire::Transaction& txn);

  private:
    Result<void> archive(const wire::Outcome& outcome, const wire::Transaction& txn);
    Result<void> keep_draft(const wire::Outcome& outcome, const wire::Transaction& txn, BytesView payload);

    Store& store_;
};

}  // namespace skerry::store
