#include "kit/oracle/oracle.hpp"

#include "base/assert.hpp"

namespace skerry::kit {

namespace {

// The worse of two: a transaction is what its worst operation is.
void worsen(Prediction& verdict, Judgement judgement, Code code, std::string why) {
    if (judgement <= verdict.judgement) return;
    verdict.judgement = judgement;
    verdict.code = code;
    verdict.why = std::move(why);
}

}  // namespace

std::string_view judgement_name(Judgement judgement) {
    switch (judgement) {
        case Judgement::kApplied: return "applied";
        case Judgement::kMerged: return "merged";
        case Judgement::kConflict: return "conflict";
        case Judgement::kRejected: return "rejected";
    }
    return "?";
}

bool agrees(const Prediction& predicted, Judgement judgement, Code code) {
    if (predicted.merged_or_applied && predicted.judgement <= Judgement::kMerged) return judgement <= Judgement::kMerged;
    return judgement == predicted.judgement && (judgement < Judgement::kConflict || code == predicted.code);
}

std::vector<Touched> difference(const Images& before, const Images& after) {
    std::vector<Touched> out;
    for (const auto& [row, image] : before) {
        const auto now = after.find(row);
        if (now == after.end()) {
            out.push_back({row, image, std::nullopt});
        } else if (now->second != image) {
            out.push_back({row, image, now->second});
        }
    }
    for (const auto& [row, image] : after)
        if (!before.contains(row)) out.push_back({row, std::nullopt, image});
    return out;
}

bool Oracle::wrote(const Txn& txn, const RowId& row, std::optional<std::uint32_t> attribute, bool* created) const {
    for (const Op& op : txn.ops) {
        if (op.row != row) continue;
        if (created != nullptr) *created = op.kind == Kind::kInsert;
        if (!attribute || op.kind != Kind::kUpdate) return true;
        for (const Change& change : op.changes)
            if (change.attribute == *attribute) return true;
        return false;
    }
    return false;
}

// prev(attr): the author's highest unsettled transaction that wrote the attribute (an insert writes all);
// prev_row: the highest that touched the row; needs: those that created a row touched here.
Oracle::Op Oracle::make_op(const Touched& touched, const std::set<Label>& unsettled, Txn& txn) const {
    Op op;
    op.row = touched.row;
    const auto last_that_wrote = [&](std::optional<std::uint32_t> attribute) -> Label {
        for (auto label = unsettled.rbegin(); label != unsettled.rend(); ++label)
            if (wrote(txns_.at(*label), op.row, attribute, nullptr)) return *label;
        return 0;
    };
    for (const Label label : unsettled) {
        bool created = false;
        if (wrote(txns_.at(label), op.row, std::nullopt, &created) && created) txn.needs.insert(label);
    }
    if (!touched.before) {
        op.kind = Kind::kInsert;
        op.values = *touched.after;
        op.prev_row = last_that_wrote(std::nullopt);
    } else if (!touched.after) {
        op.kind = Kind::kDelete;
        op.base = touched.before;
        op.prev_row = last_that_wrote(std::nullopt);
    } else {
        op.kind = Kind::kUpdate;
        for (std::uint32_t i = 0; i < touched.before->size(); ++i) {
            if ((*touched.before)[i] == (*touched.after)[i]) continue;
            op.changes.push_back({i, (*touched.before)[i], (*touched.after)[i], last_that_wrote(i)});
        }
    }
    return op;
}

bool Oracle::committed(Label label, const std::string& user, const std::vector<Touched>& touched, const std::set<Label>& unsettled) {
    if (touched.empty()) return false;
    SKERRY_ASSERT(!txns_.contains(label));
    Txn txn;
    txn.user = user;
    for (const Touched& row : touched) txn.ops.push_back(make_op(row, unsettled, txn));
    txns_.emplace(label, std::move(txn));
    return true;
}

void Oracle::moved(const std::set<Label>& labels) {
    for (const Label label : labels) {
        Txn& txn = txns_.at(label);
        std::erase_if(txn.needs, [&](Label need) { return !labels.contains(need); });
        for (Op& op : txn.ops) {
            if (op.prev_row != 0 && !labels.contains(op.prev_row)) {
                op.prev_row = 0;
                op.lost_prev_row = true;
            }
            for (Change& change : op.changes)
                if (!labels.contains(change.prev)) change.prev = 0;
        }
    }
}

bool Oracle::is_rejected(Label label) const {
    if (label == 0) return false;
    const auto& verdict = txns_.at(label).verdict;
    return verdict && verdict->judgement == Judgement::kRejected;
}

Prediction Oracle::reject(Code code, Label root, std::string why) const {
    return {Judgement::kRejected, code, root, false, std::move(why)};
}

// What makes the server refuse the transaction whole.
std::optional<Prediction> Oracle::refused(Label label, const Txn& txn) const {
    // What needs, or goes on from, a rejected transaction joins the draft group of the oldest such. A delete, or an
    // insert after one, goes on from whatever the author last did to the row.
    std::set<Label> named = txn.needs;
    for (const Op& op : txn.ops) {
        named.insert(op.prev_row);
        for (const Change& change : op.changes) named.insert(change.prev);
    }
    for (const Label on : named)
        if (is_rejected(on)) return reject(Code::kDependency, txns_.at(on).verdict->root, "depends on T" + std::to_string(on));
    for (const Op& op : txn.ops)
        if (op.kind == Kind::kInsert && rows_.contains(op.row))
            return reject(Code::kKeyTaken, label, "key '" + op.row.key + "' is taken");
    return std::nullopt;
}

void Oracle::apply_update(const Op& op, Txn& txn, Prediction& verdict) {
    const auto found = rows_.find(op.row);
    for (const Change& change : op.changes) {
        const RecordId record{op.row, change.attribute, txn.user};
        const bool joins = change.prev != 0 && txns_.at(change.prev).in_conflict.contains({op.row, change.attribute}) && records_.contains(record);
        if (found == rows_.end() || joins) {
            // delete-wins: the change goes into a record; what continues it joins the record.
            records_.insert(record);
            txn.in_conflict.insert({op.row, change.attribute});
            worsen(verdict, Judgement::kConflict, Code::kRowDeleted, "row '" + op.row.key + "' is deleted");
            continue;
        }
        Value& current = found->second[change.attribute];
        if (current == change.now) continue;
        Value expected = change.was;
        if (change.prev != 0) {
            const auto& left = txns_.at(change.prev).left;
            const auto image = left.find(op.row);
            // What the predecessor left; a predecessor in conflict left nothing of its own.
            if (image != left.end() && image->second) expected = (*image->second)[change.attribute];
        }
        if (current != expected)
            worsen(verdict, Judgement::kMerged, Code::kInternal, "overwrites " + model::to_text(current) + " in '" + op.row.key + "'");
        current = change.now;
    }
}

void Oracle::apply_delete(const Op& op, const Txn& txn, Prediction& verdict) {
    static_cast<void>(txn);
    const auto found = rows_.find(op.row);
    verdict.merged_or_applied = verdict.merged_or_applied || op.lost_prev_row;
    if (found == rows_.end()) return;  // deleting what is gone is written
    Image expected = op.base;
    if (op.prev_row != 0) {
        const auto& left = txns_.at(op.prev_row).left;
        const auto image = left.find(op.row);
        expected = image == left.end() ? Image{} : image->second;
    }
    if (expected != found->second)
        worsen(verdict, Judgement::kMerged, Code::kInternal, "deletes '" + op.row.key + "' that others changed");
    rows_.erase(found);
}

const Prediction& Oracle::judged(Label label) {
    Txn& txn = txns_.at(label);
    SKERRY_ASSERT(!txn.verdict);
    if (auto refusal = refused(label, txn)) {
        txn.verdict = std::move(*refusal);
        return *txn.verdict;
    }
    Prediction verdict;
    for (const Op& op : txn.ops) {
        switch (op.kind) {
            case Kind::kInsert: rows_[op.row] = op.values; break;
            case Kind::kUpdate: apply_update(op, txn, verdict); break;
            case Kind::kDelete: apply_delete(op, txn, verdict); break;
        }
    }
    for (const Op& op : txn.ops) {
        const auto row = rows_.find(op.row);
        txn.left[op.row] = row == rows_.end() ? Image{} : Image{row->second};
    }
    txn.verdict = std::move(verdict);
    return *txn.verdict;
}

void Oracle::server_wrote(const RowId& row, const Image& after) {
    if (after) {
        rows_[row] = *after;
    } else {
        rows_.erase(row);
    }
}

const Prediction* Oracle::verdict(Label label) const {
    const auto found = txns_.find(label);
    if (found == txns_.end() || !found->second.verdict) return nullptr;
    return &*found->second.verdict;
}

std::set<Label> Oracle::rejected() const {
    std::set<Label> out;
    for (const auto& [label, txn] : txns_)
        if (is_rejected(label)) out.insert(label);
    return out;
}

std::string Oracle::describe(Label label) const {
    const auto found = txns_.find(label);
    if (found == txns_.end()) return "transaction " + std::to_string(label) + " is unknown";
    std::string out = "T" + std::to_string(label) + " of " + found->second.user;
    for (const Label need : found->second.needs) out += " needs T" + std::to_string(need);
    for (const Op& op : found->second.ops) {
        out += " [" + model_.entity(op.row.entity).name + " '" + op.row.key + "' ";
        out += op.kind == Kind::kInsert ? "insert" : op.kind == Kind::kDelete ? "delete" : "update";
        if (op.prev_row != 0) out += " prev_row T" + std::to_string(op.prev_row);
        for (const Change& change : op.changes) {
            out += " " + model_.entity(op.row.entity).attributes[change.attribute].name + ": " + model::to_text(change.was).substr(0, 30) + " -> " + model::to_text(change.now).substr(0, 30);
            if (change.prev != 0) out += " prev T" + std::to_string(change.prev);
        }
        out += "]";
    }
    if (found->second.verdict) {
        out += " => " + std::string(judgement_name(found->second.verdict->judgement));
        if (found->second.verdict->judgement >= Judgement::kConflict) out += " " + std::string(code_name(found->second.verdict->code));
        out += " (" + found->second.verdict->why + ")";
    }
    return out;
}

}  // namespace skerry::kit
