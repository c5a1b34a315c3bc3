// From plans to rows: a strict transaction is held as a whole or not at all, then everything is written.
#include <algorithm>

#include "base/planted.hpp"
#include "server/intake/plan.hpp"
#include "server/intake/records.hpp"

namespace skerry::server::intake {

namespace {

using storage::ResultCode;
using wire::Op;

bool is_strict(const Work& work) {
    if (work.t.strict) return true;
    for (const Op& op : work.t.ops)
        if (work.entity(op).is_strict()) return true;
    return false;
}

Members old_values(const model::Entity& entity, const Op& op) {
    Members members;
    for (const wire::Change& change : op.changes) {
        const model::Attribute& attribute = entity.attributes[change.attribute];
        members.emplace(attribute.name, member_json(attribute, change.old_value));
    }
    return members;
}

Members new_values(const model::Entity& entity, const Op& op) {
    Members members;
    for (const wire::Change& change : op.changes) {
        const model::Attribute& attribute = entity.attributes[change.attribute];
        members.emplace(attribute.name, member_json(attribute, change.new_value));
    }
    return members;
}

MaybeMembers members_if(const model::Entity& entity, const MaybeRow& row) {
    return row ? MaybeMembers{members_of(entity, *row)} : MaybeMembers{};
}

// An update of a deleted row shows the whole row as it was, so that it can be made again.
Result<Members> base_of_update(Work& work, const Op& op, const MaybeRow& current) {
    const model::Entity& entity = work.entity(op);
    Members base = old_values(entity, op);
    if (current) return base;
    SKERRY_ASSIGN(const auto image, work.c.txn.gone({op.entity, op.key}));
    if (image) base.merge(members_of(entity, *image));
    return base;
}

// A deletion told the hash of the row it meant; its content is known only while the row still is that one.
Result<Members> base_of_deletion(Work& work, const Op& op, const MaybeRow& current) {
    if (!current) return Members{};
    const model::Entity& entity = work.entity(op);
    const Hash128 now = model::row_hash(entity, *current);
    bool same = !op.prev_row && now == op.base_hash;
    if (op.prev_row) {
        SKERRY_ASSIGN(const auto before, before_of(work, op.prev_row, {op.entity, op.key}, {}));
        same = before && before->row_left() == view_of(now);
    }
    return same ? members_of(entity, *current) : Members{};
}

// As a planted bug writes an update.
void null_the_rest(const model::Entity& entity, std::vector<storage::Assignment>& values) {
    static const Value kNull = Null{};
    for (std::uint32_t a = 0; a < entity.attributes.size(); ++a) {
        const bool named = std::any_of(values.begin(), values.end(), [&](const storage::Assignment& value) { return value.first == a; });
        if (!named && !entity.attributes[a].required && entity.attributes[a].merge == model::Merge::kLast) values.emplace_back(a, &kNull);
    }
}

Result<void> write_row(Work& work, const Op& op, const Plan& plan) {
    switch (plan.effect) {
        case Effect::kNone: return {};
        case Effect::kInsert: return work.c.txn.insert(op.entity, op.key, plan.row);
        case Effect::kRemove: return work.c.txn.remove(op.entity, op.key);
        case Effect::kUpdate: {
            std::vector<storage::Assignment> values;
            for (const auto& [attribute, value] : plan.writes) values.emplace_back(attribute, &value);
            if (planted(Plant::kUnnamedNulled)) null_the_rest(work.entity(op), values);
            return work.c.txn.update(op.entity, op.key, values);
        }
    }
    return {};
}

}  // namespace

Result<Ask> ask_about_row(Work& work, const Op& op, const MaybeRow& current, Code why) {
    const model::Entity& entity = work.entity(op);
    Ask ask{.why = why, .operation = op.kind};
    ask.theirs = members_if(entity, current);
    switch (op.kind) {
        case wire::OpKind::kInsert: ask.mine = members_of(entity, op.row); break;
        case wire::OpKind::kUpdate: {
            SKERRY_ASSIGN(ask.base, base_of_update(work, op, current));
            ask.mine = new_values(entity, op);
            break;
        }
        case wire::OpKind::kDelete: {
            SKERRY_ASSIGN(ask.base, base_of_deletion(work, op, current));
            break;
        }
    }
    return ask;
}

// CONFLICT    One operation of a strict transaction loses, has to be asked about or waits with an earlier one.
// RESOLUTION  Nothing of the transaction is written; each of its operations becomes a record on its whole row, and all of
//             them one batch.
// WHY         Half of a transfer is worse than none.
Result<void> hold_if_strict(Work& work) {
    bool held = false;
    for (const Plan& plan : work.plans) held = held || plan.cause;
    if (!held || !is_strict(work)) return {};
    // What it would have closed stays open, and is joined.
    work.closing.clear();
    for (std::size_t i = 0; i < work.plans.size(); ++i) {
        const Op& op = work.t.ops[i];
        const Code why = work.plans[i].cause.value_or(Code::kStrict);
        work.plans[i] = Plan{.code = ResultCode::kConflict, .cause = why};
        // The decision on a record is taken back with the rest; it is not asked about.
        if (work.entity(op).builtin()) continue;
        SKERRY_ASSIGN(Ask ask, ask_about_row(work, op, work.current[i], why));
        work.plans[i].asks.push_back(std::move(ask));
    }
    SKERRY_ASSIGN(work.batch, batch_of(work));
    return {};
}

Result<void> carry_out(Work& work) {
    for (std::size_t i = 0; i < work.plans.size(); ++i) {
        Plan& plan = work.plans[i];
        SKERRY_TRY(write_row(work, work.t.ops[i], plan));
        for (const storage::HistoryRow& row : plan.history) SKERRY_TRY(work.c.txn.put_history(row));
        for (Ask& ask : plan.asks) {
            SKERRY_ASSIGN(ask.record, put_record(work, work.t.ops[i], ask, work.batch));
        }
    }
    return {};
}

}  // namespace skerry::server::intake
