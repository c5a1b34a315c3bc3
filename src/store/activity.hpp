// What happened here: transactions as people see them, the log, the state of a row, the quarantine. Reads only.
// Thread rule: that of its Store.
#pragma once

#include <skerry/activity.hpp>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"
#include "wire/transaction.hpp"

namespace skerry::store {

std::vector<RowChange> changes_of(const model::Model& model, const wire::Transaction& txn);

// Values by attribute, as update() takes them.
using Values = std::vector<std::pair<std::string, Value>>;

Result<std::vector<LogEntry>> log(Store& store, const LogFilter& filter);
Result<RowState> row_state(Store& store, std::string_view entity, std::string_view key);
Result<std::vector<QuarantinedRow>> quarantine(Store& store);

}  // namespace skerry::store
