// What becomes of each operation, decided before anything is written: so that a strict transaction can be held as a
// whole, and no operation sees what another one of its transaction wrote.
//
//   plan_creation / plan_change / plan_deletion / plan_resolution     one operation each, from the row as it was
//   hold_if_strict                                                    turns all plans into one group of records
//   carry_out                                                         writes rows, records and history
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "server/intake/judge.hpp"

namespace skerry::server::intake {

using MaybeRow = std::optional<model::Row>;

// Values by attribute name, as JSON: by name, so that a record outlives a change of the model.
using Members = std::map<std::string, std::string>;
// Empty: there is no row.
using MaybeMembers = std::optional<Members>;

// A question to a person: opens a conflict record, or joins the author's open one.
struct Ask {
    std::string attribute;  // empty: the whole row
    Code why = Code::kBothChanged;
    wire::OpKind operation = wire::OpKind::kUpdate;
    MaybeMembers base;
    MaybeMembers mine;
    MaybeMembers theirs;
    std::string record;  // its key: of one to join, or, once carried out, the one that holds it
};

enum class Effect { kNone, kInsert, kUpdate, kRemove };

struct AttributeResult {
    std::uint32_t attribute = 0;
    storage::ResultCode code = storage::ResultCode::kApplied;
    std::optional<std::size_t> ask;  // index into Plan::asks
};

struct Plan {
    Effect effect = Effect::kNone;
    model::Row row;                                         // kInsert
    std::vector<std::pair<std::uint32_t, Value>> writes;    // kUpdate
    std::vector<storage::HistoryRow> history;
    std::vector<Ask> asks;
    std::vector<AttributeResult> attributes;
    storage::ResultCode code = storage::ResultCode::kApplied;  // of the row as a whole
    bool merged = false;        // somebody else's change was met
    std::optional<Code> cause;  // a strict transaction cannot go on with it
};

// What is shared while one transaction is judged.
struct Work {
    const JudgeContext& c;
    const wire::Transaction& t;
    std::vector<MaybeRow> current;            // by operation: before the transaction
    std::vector<Plan> plans;                  // by operation
    std::set<std::string> closing;            // records that the transaction itself closes
    std::vector<TxnNo> conflicting_needs;     // of `needs`, those whose verdict was a conflict
    std::string batch;                        // of all records, when it is held as a whole

    const model::Entity& entity(const wire::Op& op) const { return c.model.entity(op.entity); }
};

using MaybeRejection = std::optional<wire::Outcome>;

Result<MaybeRejection> plan_creation(Work& work, const wire::Op& op, const MaybeRow& current, Plan& plan);
Result<void> plan_change(Work& work, const wire::Op& op, const MaybeRow& current, Plan& plan);
Result<void> plan_deletion(Work& work, const wire::Op& op, const MaybeRow& current, Plan& plan);
Result<MaybeRejection> plan_resolution(Work& work, const wire::Op& op, const MaybeRow& current, Plan& plan);

// Merges changes into the row `current` by policy.
Result<void> merge_changes(Work& work, const wire::Op& op, const std::vector<wire::Change>& changes, const model::Row& current, Plan& plan);

Result<void> hold_if_strict(Work& work);
Result<void> carry_out(Work& work);

// The question about the whole row that `op` is, whatever its kind.
Result<Ask> ask_about_row(Work& work, const wire::Op& op, const MaybeRow& current, Code why);

// That row was made by what the transaction needs, and its creation waits for a person: why.
Result<std::optional<Code>> creation_waits(Work& work, const storage::KeyRef& at);

// What an earlier, unsettled transaction of the author left at `at`; empty: unknown.
struct Before {
    storage::ResultCode code = storage::ResultCode::kApplied;
    bool recorded = false;    // a conflict record was made for it
    BytesView row_left() const { return BytesView(left).substr(0, 16); }
    Bytes left;
    std::string open_record;  // that a person has not decided yet; empty: none
    bool whole_row = false;   // the record is about the row
    Code why = Code::kInternal;  // of an open record
};
Result<std::optional<Before>> before_of(Work& work, TxnNo no, const storage::KeyRef& at, std::string_view attribute);

storage::HistoryRow history_row(const Work& work, const wire::Op& op, std::string attribute, storage::HistoryWhy why, Bytes value);
Bytes encoded(const Value& value);
Bytes encoded(const model::Row& row);
Hash128 row_hash_of(const model::Entity& entity, const MaybeRow& row);

}  // namespace skerry::server::intake
