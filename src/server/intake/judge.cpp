#include "server/intake/judge.hpp"

#include <algorithm>

#include "base/error_table.hpp"
#include "server/intake/plan.hpp"

namespace skerry::server::intake {

namespace {

using storage::KeyRef;
using storage::ResultCode;
using storage::ResultRow;
using wire::Op;
using wire::OpKind;
using wire::Outcome;
using wire::Verdict;

Bytes left_of(const Value& value) {
    Bytes bytes;
    Writer(bytes).u64(model::value_hash(value));
    return bytes;
}

// `with_values`: what goes on from any attribute goes on from this.
Bytes row_left(const model::Entity& entity, const MaybeRow& row, bool with_values) {
    Bytes bytes{view_of(row_hash_of(entity, row))};
    if (with_values && row)
        for (const Value& value : *row) bytes += left_of(value);
    return bytes;
}

// What needs, or goes on from, a rejected transaction goes into its draft group, and does so as a whole.
Result<MaybeRejection> depends_on_rejected(Work& work) {
    const wire::Transaction& t = work.t;
    std::set<TxnNo> named(t.needs.begin(), t.needs.end());
    for (const Op& op : t.ops) {
        if (op.prev_row) named.insert(op.prev_row);
        for (const wire::Change& change : op.changes)
            if (change.prev) named.insert(change.prev);
    }
    for (const TxnNo no : named) {
        if (no >= t.no) return MaybeRejection{rejection(t.no, Code::kMalformedTxn, t.no, "a transaction builds on a later one")};
        // Unknown: forgotten because it settled, or of an earlier identity of the device. Counts as none.
        SKERRY_ASSIGN(const auto outcome, work.c.txn.outcome(work.c.device, no));
        if (!outcome) continue;
        if (outcome->verdict == Verdict::kRejected)
            return MaybeRejection{rejection(t.no, Code::kDependency, outcome->root,
                                            "it builds on transaction " + std::to_string(no.value) + ", which was rejected")};
        if (outcome->verdict == Verdict::kConflict && std::binary_search(t.needs.begin(), t.needs.end(), no)) work.conflicting_needs.push_back(no);
    }
    return MaybeRejection{};
}

// The rows as they were before this transaction: what its own writes and the app's triggers on them change
// meanwhile is nobody else's change. Ops lie in order of entity, so each run of one entity is one read.
Result<void> read_rows(Work& work, std::vector<MaybeRow>& rows) {
    const std::vector<Op>& ops = work.t.ops;
    rows.clear();
    for (std::size_t from = 0; from < ops.size();) {
        std::vector<std::string> keys;
        std::size_t to = from;
        while (to < ops.size() && ops[to].entity == ops[from].entity) keys.push_back(ops[to++].key);
        SKERRY_ASSIGN(auto found, work.c.txn.rows(ops[from].entity, keys));
        std::move(found.begin(), found.end(), std::back_inserter(rows));
        from = to;
    }
    return {};
}

Result<MaybeRejection> check_asserts(Work& work) {
    for (const wire::Assert& one : work.t.asserts) {
        const model::Entity& entity = work.c.model.entity(one.entity);
        SKERRY_ASSIGN(const bool holds, work.c.txn.holds({one.entity, one.key}, one.expression));
        if (!holds)
            return MaybeRejection{rejection(work.t.no, Code::kAssertFailed, work.t.no,
                                            entity.name + " " + one.key + " was to meet: " + one.expression)};
    }
    return MaybeRejection{};
}

access::Action action_of(OpKind kind) {
    switch (kind) {
        case OpKind::kInsert: return access::Action::kCreate;
        case OpKind::kUpdate: return access::Action::kUpdate;
        case OpKind::kDelete: return access::Action::kDelete;
    }
    return access::Action::kUpdate;
}

Result<MaybeRejection> plan_op(Work& work, const Op& op, const MaybeRow& current, Plan& plan) {
    const model::Entity& entity = work.entity(op);
    if (!access::may(work.c.principal, action_of(op.kind), entity))
        return MaybeRejection{rejection(work.t.no, Code::kUnauthorized, work.t.no, "not allowed on " + entity.name)};
    if (work.c.model.in_profile(work.c.profile, op.entity).upload == model::Upload::kReject)
        return MaybeRejection{rejection(work.t.no, Code::kUploadRejected, work.t.no,
                                        "the profile " + work.c.profile + " takes no changes of " + entity.name)};
    if (entity.builtin()) return plan_resolution(work, op, current, plan);
    switch (op.kind) {
        case OpKind::kInsert: return plan_creation(work, op, current, plan);
        case OpKind::kUpdate: SKERRY_TRY(plan_change(work, op, current, plan)); break;
        case OpKind::kDelete: SKERRY_TRY(plan_deletion(work, op, current, plan)); break;
    }
    return MaybeRejection{};
}

// Records that the transaction closes are closed for its other operations: what they meet now is a new question.
Result<MaybeRejection> plan_all(Work& work) {
    const std::vector<Op>& ops = work.t.ops;
    for (const Op& op : ops)
        if (work.entity(op).builtin()) work.closing.insert(op.key);
    work.plans.resize(ops.size());
    for (std::size_t i = 0; i < ops.size(); ++i) {
        SKERRY_ASSIGN(auto refused, plan_op(work, ops[i], work.current[i], work.plans[i]));
        if (refused) return refused;
    }
    return MaybeRejection{};
}

// References, uniques and what goes with deleted rows are judged when all is written.
Result<MaybeRejection> check_as_a_whole(Work& work) {
    SKERRY_ASSIGN(const auto went, work.c.txn.follow_deletes(work.c.begin));
    for (const KeyRef& ref : went) {
        SKERRY_ASSIGN(const auto image, work.c.txn.gone(ref));
        if (image)
            SKERRY_TRY(work.c.txn.put_history({ref, {}, storage::HistoryWhy::kImage, work.c.device, work.t.no, work.c.principal.user,
                                               encoded(*image), work.c.now_us}));
    }
    SKERRY_ASSIGN(const auto breach, work.c.txn.breach(work.c.begin));
    if (!breach) return MaybeRejection{};
    if (breach->code == Code::kReferenceMissing) {
        SKERRY_ASSIGN(const auto waits, creation_waits(work, breach->parent));
        if (waits)
            return MaybeRejection{rejection(work.t.no, Code::kDependency, work.t.no, breach->message + ": its creation waits for a person to decide")};
    }
    return MaybeRejection{rejection(work.t.no, breach->code, work.t.no, breach->message)};
}

// What the transaction left, after the app's triggers had their say: the next one in the chain compares with
// this, not with what the device believes, or its author would be in conflict with himself (pitfall 12).
Result<void> put_results(Work& work) {
    std::vector<MaybeRow> after;
    SKERRY_TRY(read_rows(work, after));
    for (std::size_t i = 0; i < work.plans.size(); ++i) {
        const Op& op = work.t.ops[i];
        const Plan& plan = work.plans[i];
        const model::Entity& entity = work.entity(op);
        const KeyRef at{op.entity, op.key};
        std::string of_row;
        for (const Ask& ask : plan.asks)
            if (ask.attribute.empty()) of_row = ask.record;
        for (const AttributeResult& one : plan.attributes) {
            const model::Attribute& attribute = entity.attributes[one.attribute];
            // Differences compare with nothing: no later transaction names this one for them.
            if (attribute.merge == model::Merge::kCounter || attribute.merge == model::Merge::kSet) continue;
            const Value left = after[i] ? (*after[i])[one.attribute] : Value{Null{}};
            SKERRY_TRY(work.c.txn.put_result(work.c.device, {work.t.no, at, attribute.name, one.code, left_of(left),
                                                             one.ask ? plan.asks[*one.ask].record : std::string{}}));
        }
        // CONFLICT    A creation was merged into somebody else's row; its author, who has not seen that, then changes what it did not give.
        // RESOLUTION  He goes on from nothing, as his creation did, not from the other's value, which happens to be what it left.
        // WHY         Given with the creation the value would have met the other's by policy; said one transaction later it must, too.
        const bool gave_all = op.kind == OpKind::kInsert && (plan.effect == Effect::kInsert || !of_row.empty());
        SKERRY_TRY(work.c.txn.put_result(work.c.device, {work.t.no, at, {}, plan.code, row_left(entity, after[i], gave_all), std::move(of_row)}));
    }
    return {};
}

std::string_view message_of(Code why) {
    switch (why) {
        case Code::kRowDeleted: return "a row that it changes was deleted by somebody else; the change is kept for a person to decide";
        case Code::kRowChanged: return "a row was changed by somebody else; what was done to it is kept for a person to decide";
        default: return "somebody else changed the same; both are kept for a person to decide";
    }
}

Outcome verdict(const Work& work) {
    Outcome outcome;
    outcome.no = work.t.no;
    const Ask* asked = nullptr;
    for (const Plan& plan : work.plans) {
        if (plan.merged) outcome.verdict = Verdict::kMerged;
        for (const Ask& ask : plan.asks)
            if (asked == nullptr || (asked->why == Code::kStrict && ask.why != Code::kStrict)) asked = &ask;
    }
    if (asked == nullptr) return outcome;
    outcome.verdict = Verdict::kConflict;
    outcome.code = asked->why;
    outcome.message = message_of(asked->why);
    return outcome;
}

}  // namespace

Result<std::optional<Before>> before_of(Work& work, TxnNo no, const KeyRef& at, std::string_view attribute) {
    SKERRY_ASSIGN(auto result, work.c.txn.result(work.c.device, no, at, attribute));
    if (!result) return std::optional<Before>{};
    Before before{.code = result->code, .recorded = !result->record.empty(), .left = std::move(result->left)};
    if (before.code != ResultCode::kConflict || !before.recorded || work.closing.contains(result->record)) return before;
    SKERRY_ASSIGN(const auto rows, work.c.txn.rows(work.c.model.conflicts(), std::vector<std::string>{result->record}));
    if (!rows[0] || (*rows[0])[model::record::kState] != Value{std::string("open")}) return before;
    before.whole_row = (*rows[0])[model::record::kAttribute] == Value{std::string{}};
    before.open_record = std::move(result->record);
    for (const ErrorEntry& entry : error_table())
        if ((*rows[0])[model::record::kWhy] == Value{std::string(entry.name)}) before.why = entry.code;
    return before;
}

storage::HistoryRow history_row(const Work& work, const Op& op, std::string attribute, storage::HistoryWhy why, Bytes value) {
    return {{op.entity, op.key}, std::move(attribute), why, work.c.device, work.t.no, work.c.principal.user, std::move(value), work.c.now_us};
}

Bytes encoded(const Value& value) {
    Bytes bytes;
    Writer out(bytes);
    model::put_value(out, value);
    return bytes;
}

Bytes encoded(const model::Row& row) {
    Bytes bytes;
    Writer out(bytes);
    model::put_counted_row(out, row);
    return bytes;
}

Hash128 row_hash_of(const model::Entity& entity, const MaybeRow& row) { return row ? model::row_hash(entity, *row) : Hash128{}; }

Result<Outcome> judge(const JudgeContext& context, const wire::Transaction& transaction) {
    Work work{context, transaction, {}, {}, {}, {}, {}};
    using Step = Result<MaybeRejection> (*)(Work&);
    const Step before_rows[] = {depends_on_rejected, check_asserts};
    for (const Step step : before_rows) {
        SKERRY_ASSIGN(auto refused, step(work));
        if (refused) return std::move(*refused);
    }
    SKERRY_TRY(read_rows(work, work.current));
    SKERRY_ASSIGN(auto refused, plan_all(work));
    if (refused) return std::move(*refused);
    SKERRY_TRY(hold_if_strict(work));
    SKERRY_TRY(carry_out(work));
    SKERRY_ASSIGN(refused, check_as_a_whole(work));
    if (refused) return std::move(*refused);
    SKERRY_TRY(put_results(work));
    const storage::DraftState replaced = transaction.ops.empty() ? storage::DraftState::kDiscarded : storage::DraftState::kRedone;
    SKERRY_TRY(context.txn.close_drafts(context.device, transaction.redo_of, replaced));
    return verdict(work);
}

bool is_refusal(const Error& error) {
    switch (error.code) {
        case Code::kConstraint:
        case Code::kValueInvalid:
        case Code::kKeyMissing:
        case Code::kKeyUpdate:
        case Code::kRowTooBig:
        case Code::kRequired:
        case Code::kCheckFailed:
        case Code::kReferenceMissing:
        case Code::kStillReferenced:
        case Code::kNotUnique:
        case Code::kExpressionInvalid: return true;
        // An app's trigger may fail with any SQL error while it runs. One that already fails to prepare says that
        // the tables are not as they should be: no transaction is to be rejected for that.
        case Code::kSql: return error.context.empty();
        default: return false;
    }
}

Outcome rejection(TxnNo no, Code code, TxnNo root, std::string message) {
    return Outcome{no, Verdict::kRejected, code, root, std::move(message)};
}

}  // namespace skerry::server::intake
