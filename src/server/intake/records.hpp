// Conflict records: made when a change meets a deleted row, joined when its author changes the same row again
// before a person has decided.
#pragma once

#include "server/intake/judge.hpp"

namespace skerry::server::intake {

// Attribute values by name, in model order: what base, mine and theirs of a record hold. By name, so that a
// record outlives a change of the model.
using NamedValues = std::vector<std::pair<std::string, Value>>;
Bytes put_named(const NamedValues& values);
Result<NamedValues> get_named(BytesView bytes);

// Opens a record on the whole row for an update, or joins the author's open one: `mine` takes the new values,
// `base` keeps the oldest. `theirs` is the row now; none = it was deleted.
Result<storage::RecordId> record_update(const JudgeContext& context, const wire::Op& op, TxnNo no,
                                        const std::optional<model::Row>& theirs);

}  // namespace skerry::server::intake
