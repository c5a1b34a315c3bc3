// What creations, changes and deletions come to.
#include "server/intake/plan.hpp"

#include <algorithm>

#include "base/planted.hpp"
#include "base/text.hpp"
#include "merge/merge.hpp"
#include "server/intake/records.hpp"

namespace skerry::server::intake {

namespace {

using storage::HistoryWhy;
using storage::KeyRef;
using storage::ResultCode;
using wire::Change;
using wire::Op;

constexpr std::size_t kRowLeft = 16;
constexpr std::size_t kAttributeLeft = 8;

struct Prior {
    merge::Prior prior = merge::Prior::kNone;
    std::optional<std::uint64_t> left;
    std::string open_record;
    bool whole_row = false;
};

// What the author's own earlier transaction did to the attribute: its own result line or, of an insert or of a change
// that was held as a whole, the row's.
Result<Prior> prior_of(Work& work, const Op& op, const Change& change) {
    // A difference is its own, whatever became of earlier ones; a record keeps those.
    const model::Merge policy = work.entity(op).attributes[change.attribute].merge;
    if (!change.prev || policy == model::Merge::kCounter || policy == model::Merge::kSet) return Prior{};
    const KeyRef at{op.entity, op.key};
    SKERRY_ASSIGN(auto own, before_of(work, change.prev, at, work.entity(op).attributes[change.attribute].name));
    const bool of_row = !own;
    if (of_row) {
        SKERRY_ASSIGN(own, before_of(work, change.prev, at, {}));
    }
    if (!own) return Prior{};
    const std::size_t offset = of_row ? kRowLeft + change.attribute * kAttributeLeft : 0;
    // A creation that was merged into a row gave this attribute nothing.
    if (of_row && !own->recorded && own->left.size() < offset + kAttributeLeft) return Prior{};
    Prior found;
    found.open_record = own->open_record;
    found.whole_row = own->whole_row;
    if (own->left.size() >= offset + kAttributeLeft) found.left = Reader(BytesView(own->left).substr(offset)).u64();
    switch (own->code) {
        case ResultCode::kApplied: found.prior = merge::Prior::kApplied; break;
        case ResultCode::kMerged: found.prior = merge::Prior::kMerged; break;
        case ResultCode::kLost: found.prior = merge::Prior::kLost; break;
        // Without a record it was another attribute of the row that is in conflict.
        case ResultCode::kConflict: found.prior = own->recorded ? merge::Prior::kDecided : merge::Prior::kApplied; break;
    }
    return found;
}

void add_history(Work& work, const Op& op, const Change& change, HistoryWhy why, const Value& value, Plan& plan) {
    plan.history.push_back(history_row(work, op, work.entity(op).attributes[change.attribute].name, why, encoded(value)));
}

Ask ask_about(const model::Attribute& attribute, const Change& change, const model::Row& current, std::string record) {
    Ask ask{.attribute = attribute.name, .record = std::move(record)};
    ask.base = Members{{attribute.name, member_json(attribute, change.old_value)}};
    ask.mine = Members{{attribute.name, member_json(attribute, change.new_value)}};
    ask.theirs = Members{{attribute.name, member_json(attribute, current[change.attribute])}};
    return ask;
}

// Goes on from a change that waits for a person: it waits with it.
void join(Work& work, const Op& op, const Change& change, const Prior& prior, const model::Row& current, Plan& plan) {
    const model::Attribute& attribute = work.entity(op).attributes[change.attribute];
    AttributeResult result{change.attribute, ResultCode::kConflict, {}};
    const auto same = std::find_if(plan.asks.begin(), plan.asks.end(), [&](const Ask& ask) { return ask.record == prior.open_record; });
    Ask ask = ask_about(attribute, change, current, prior.open_record);
    if (prior.whole_row) {
        ask.attribute.clear();
        ask.theirs = members_of(work.entity(op), current);
    }
    result.ask = static_cast<std::size_t>(same - plan.asks.begin());
    if (same == plan.asks.end()) {
        plan.asks.push_back(std::move(ask));
    } else {
        same->base->merge(*ask.base);
        same->mine->merge(*ask.mine);
    }
    plan.attributes.push_back(result);
    plan.cause = Code::kBothChanged;
}

Result<void> merge_change(Work& work, const Op& op, const Change& change, const Prior& prior, const model::Row& current, Plan& plan) {
    const model::Attribute& attribute = work.entity(op).attributes[change.attribute];
    const Value& now = current[change.attribute];
    SKERRY_ASSIGN(merge::Output out, merge::merge(attribute, {change.old_value, change.new_value, now, change.old_hash, prior.prior, prior.left}));
    AttributeResult result{change.attribute, out.merged ? ResultCode::kMerged : ResultCode::kApplied, {}};
    plan.merged = plan.merged || out.merged;
    switch (out.decision) {
        case merge::Decision::kNothing: break;
        case merge::Decision::kWrite:
            if (out.current_to_history) add_history(work, op, change, HistoryWhy::kOverwritten, now, plan);
            plan.writes.emplace_back(change.attribute, std::move(out.value));
            break;
        case merge::Decision::kLose:
            add_history(work, op, change, HistoryWhy::kLost, change.new_value, plan);
            result.code = ResultCode::kLost;
            plan.merged = true;
            plan.cause = Code::kBothChanged;
            break;
        case merge::Decision::kAsk:
            result.code = ResultCode::kConflict;
            result.ask = plan.asks.size();
            plan.asks.push_back(ask_about(attribute, change, current, {}));
            plan.cause = Code::kBothChanged;
            break;
    }
    plan.attributes.push_back(result);
    return {};
}

void code_of_row(Plan& plan) {
    plan.code = !plan.asks.empty() ? ResultCode::kConflict : plan.merged ? ResultCode::kMerged : ResultCode::kApplied;
}

Result<void> ask_whole_row(Work& work, const Op& op, const MaybeRow& current, Code why, Plan& plan) {
    SKERRY_ASSIGN(Ask ask, ask_about_row(work, op, current, why));
    plan.asks.push_back(std::move(ask));
    plan.code = ResultCode::kConflict;
    plan.cause = why;
    return {};
}

// The row is as the author knew it when he made the change: as his own earlier transaction left it, or as his base was.
Result<bool> as_its_author_knew_it(Work& work, const Op& op, const model::Row& current) {
    const Hash128 now = model::row_hash(work.entity(op), current);
    if (!op.prev_row) return now == op.base_hash;
    SKERRY_ASSIGN(const auto before, before_of(work, op.prev_row, {op.entity, op.key}, {}));
    // A forgotten predecessor cannot be compared with: better ask or keep the image than lose it.
    return before && before->row_left() == view_of(now);
}

// CONFLICT    An update arrives for a row that was deleted.
// RESOLUTION  delete_wins and ask: the row stays deleted; a record keeps base and mine for a person. update_wins: the row
//             comes back as it was when it was deleted, with the changes merged into it; without an image, a record.
// WHY         To bring a row back against somebody's decision needs a decision too, once (the model's) or each time;
//             nothing written is lost.
Result<void> change_of_deleted(Work& work, const Op& op, std::optional<Code> waits, Plan& plan) {
    const model::Entity& entity = work.entity(op);
    if (!waits && entity.update_delete == model::UpdateDelete::kUpdateWins) {
        SKERRY_ASSIGN(auto image, work.c.txn.gone({op.entity, op.key}));
        if (image) {
            SKERRY_TRY(merge_changes(work, op, op.changes, *image, plan));
            plan.effect = Effect::kInsert;
            plan.row = std::move(*image);
            for (auto& [attribute, value] : plan.writes) plan.row[attribute] = std::move(value);
            plan.writes.clear();
            plan.merged = true;
            code_of_row(plan);
            return {};
        }
    }
    return ask_whole_row(work, op, std::nullopt, waits.value_or(Code::kRowDeleted), plan);
}

}  // namespace

Result<std::optional<Code>> creation_waits(Work& work, const storage::KeyRef& at) {
    for (const TxnNo no : work.conflicting_needs) {
        SKERRY_ASSIGN(const auto before, before_of(work, no, at, {}));
        if (!before || !before->whole_row) continue;
        SKERRY_ASSIGN(const auto rows, work.c.txn.rows(work.c.model.conflicts(), std::vector<std::string>{before->open_record}));
        if (rows[0] && (*rows[0])[model::record::kOperation] == Value{std::string("insert")}) return std::optional(before->why);
    }
    return std::optional<Code>{};
}

Result<void> merge_changes(Work& work, const Op& op, const std::vector<Change>& changes, const model::Row& current, Plan& plan) {
    for (const Change& change : changes) {
        SKERRY_ASSIGN(const Prior prior, prior_of(work, op, change));
        if (!prior.open_record.empty()) {
            join(work, op, change, prior, current, plan);
        } else {
            SKERRY_TRY(merge_change(work, op, change, prior, current, plan));
        }
    }
    plan.effect = plan.writes.empty() ? Effect::kNone : Effect::kUpdate;
    code_of_row(plan);
    return {};
}

Result<void> plan_change(Work& work, const Op& op, const MaybeRow& current, Plan& plan) {
    if (!current) {
        // Why it waits with an earlier one; nobody deleted a row whose creation is held back with its transaction.
        SKERRY_ASSIGN(auto waits, creation_waits(work, {op.entity, op.key}));
        for (std::size_t i = 0; i < op.changes.size() && !waits; ++i) {
            SKERRY_ASSIGN(const Prior prior, prior_of(work, op, op.changes[i]));
            if (prior.whole_row) waits = Code::kRowDeleted;
        }
        return change_of_deleted(work, op, waits, plan);
    }
    if (work.entity(op).conflict != model::Conflict::kDetect) return merge_changes(work, op, op.changes, *current, plan);
    if (op.row_version) {
        SKERRY_ASSIGN(const bool as_seen, as_its_author_knew_it(work, op, *current));
        if (!as_seen) return ask_whole_row(work, op, current, Code::kRowChanged, plan);
        return merge_changes(work, op, op.changes, *current, plan);
    }
    // Made before the model said `detect`: what its attributes tell has to do.
    Plan merged;
    SKERRY_TRY(merge_changes(work, op, op.changes, *current, merged));
    if (merged.merged) return ask_whole_row(work, op, current, Code::kRowChanged, plan);
    plan = std::move(merged);
    return {};
}

// CONFLICT    A creation arrives for a key that has a row already.
// RESOLUTION  reject: rejected, key_taken. merge: what it gives is merged by the policies, with nothing as its old values.
//             After a deletion by the same author that lost, or that a person has decided about, it is a change of all attributes;
//             after one that still waits, it waits in its place.
// WHY         Two rows under one key cannot be; which of the two is meant only the model can say once for all.
Result<MaybeRejection> plan_creation(Work& work, const Op& op, const MaybeRow& current, Plan& plan) {
    const model::Entity& entity = work.entity(op);
    bool of_all = entity.conflict == model::Conflict::kLast;
    bool merges = entity.create_create == model::CreateCreate::kMerge;
    if (op.prev_row) {
        SKERRY_ASSIGN(const auto before, before_of(work, op.prev_row, {op.entity, op.key}, {}));
        if (before && before->whole_row) {
            SKERRY_TRY(ask_whole_row(work, op, current, before->why, plan));
            return MaybeRejection{};
        }
        if (before && (before->code == ResultCode::kLost || before->code == ResultCode::kConflict)) of_all = merges = true;
    }
    if (!current) {
        plan.effect = Effect::kInsert;
        plan.row = op.row;
        return MaybeRejection{};
    }
    if (!merges)
        return MaybeRejection{rejection(work.t.no, Code::kKeyTaken, work.t.no, "a row of " + entity.name + " with the key " + op.key + " exists already")};
    if (entity.conflict == model::Conflict::kDetect) {
        SKERRY_TRY(ask_whole_row(work, op, current, Code::kRowChanged, plan));
        return MaybeRejection{};
    }
    std::vector<Change> changes;
    for (std::uint32_t i = 0; i < op.row.size(); ++i)
        if (of_all || !is_null(op.row[i])) changes.push_back({i, Null{}, op.row[i], {}, {}});
    SKERRY_TRY(merge_changes(work, op, changes, *current, plan));
    return MaybeRejection{};
}

// CONFLICT    A delete arrives for a row that was changed since its author last saw it.
// RESOLUTION  delete_wins: the row goes, its last image goes to history. update_wins: the row stays, the delete is lost.
//             ask, and `conflict: detect` unless update_wins is said: the row stays, a person decides.
// WHY         The author decided about the row, not about one value of it; the model says which decision weighs more.
// Deleting what is gone already is as its author wished: applied; what is not there yet waits with its creation.
Result<void> plan_deletion(Work& work, const Op& op, const MaybeRow& current, Plan& plan) {
    const model::Entity& entity = work.entity(op);
    if (!current) {
        SKERRY_ASSIGN(const auto waits, creation_waits(work, {op.entity, op.key}));
        return waits ? ask_whole_row(work, op, current, *waits, plan) : Result<void>{};
    }
    SKERRY_ASSIGN(const bool as_seen, as_its_author_knew_it(work, op, *current));
    if (!as_seen && entity.update_delete == model::UpdateDelete::kUpdateWins) {
        plan.code = ResultCode::kLost;
        plan.merged = true;
        plan.cause = Code::kRowChanged;
        return {};
    }
    if (!as_seen && (entity.update_delete == model::UpdateDelete::kAsk || entity.conflict == model::Conflict::kDetect))
        return ask_whole_row(work, op, current, Code::kRowChanged, plan);
    plan.effect = Effect::kRemove;
    if (as_seen) return {};
    plan.code = ResultCode::kMerged;
    plan.merged = true;
    plan.history.push_back(history_row(work, op, {}, HistoryWhy::kDeleted, encoded(*current)));
    return {};
}

// Of a conflict record: a person has decided. The chosen values are ordinary changes beside it; this only closes it, once.
Result<MaybeRejection> plan_resolution(Work& work, const Op& op, const MaybeRow& current, Plan& plan) {
    namespace record = model::record;
    const auto refused = [&](const std::string& what) {
        return MaybeRejection{rejection(work.t.no, Code::kNotWritable, work.t.no, what)};
    };
    Value choice = std::string{};
    bool closes = false;
    for (const Change& change : op.changes) {
        const auto* given = std::get_if<std::string>(&change.new_value);
        if (change.attribute == record::kState && given != nullptr && *given == "closed") {
            closes = true;
        } else if (change.attribute == record::kChoice && given != nullptr && (given->empty() || *given == "mine" || *given == "theirs" || *given == "mix")) {
            choice = change.new_value;
        } else {
            return refused("skerry_conflict is read only: of an open record `state` may become 'closed' and `choice` mine, theirs or mix");
        }
    }
    // Decided already, by somebody else or on another device; or so long ago that it is forgotten.
    if (!current || (*current)[record::kState] != Value{std::string("open")}) return MaybeRejection{};
    if (planted(Plant::kRecordNotClosed)) return MaybeRejection{};
    plan.effect = Effect::kUpdate;
    plan.writes.emplace_back(record::kChoice, std::move(choice));
    if (!closes) return MaybeRejection{};
    plan.writes.emplace_back(record::kState, std::string("closed"));
    plan.writes.emplace_back(record::kClosedBy, work.c.principal.user);
    plan.writes.emplace_back(record::kClosedAt, timestamp_text(Micros(work.c.now_us)));
    return MaybeRejection{};
}

}  // namespace skerry::server::intake
