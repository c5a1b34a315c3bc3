#include "kit/oracle/oracle.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "kit/oracle/judging.hpp"
#include "model/json.hpp"

namespace skerry::kit {

bool Oracle::wrote(const Txn& txn, const RowId& row, std::optional<std::uint32_t> attribute, bool* created) {
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

void Oracle::need_creators(const RowId& row, const std::set<Label>& unsettled, Txn& txn) const {
    for (const Label label : unsettled) {
        bool created = false;
        if (wrote(txns_.at(label), row, std::nullopt, &created) && created) txn.needs.insert(label);
    }
}

// prev(attr): the author's highest unsettled transaction that wrote the attribute (an insert writes all), for value
// policies and text; prev_row: the highest that touched the row; needs: those that created a row touched or referred to.
Op Oracle::make_op(const Touched& touched, const std::set<Label>& unsettled, Txn& txn) const {
    Op op;
    op.row = touched.row;
    const model::Entity& entity = model_.entity(op.row.entity);
    const auto last_that_wrote = [&](std::optional<std::uint32_t> attribute) -> Label {
        for (auto label = unsettled.rbegin(); label != unsettled.rend(); ++label)
            if (wrote(txns_.at(*label), op.row, attribute, nullptr)) return *label;
        return 0;
    };
    const auto refers = [&](std::uint32_t attribute, const Value& value) {
        const auto& to = entity.attributes[attribute].references;
        if (to && !is_null(value)) need_creators({*to, std::get<std::string>(value)}, unsettled, txn);
        if (!model::canonical(entity, entity.attributes[attribute], value)) txn.malformed = true;
    };
    need_creators(op.row, unsettled, txn);
    op.base = touched.before;
    if (!touched.before) {
        op.kind = Kind::kInsert;
        op.values = *touched.after;
        op.prev_row = last_that_wrote(std::nullopt);
        for (std::uint32_t i = 0; i < op.values.size(); ++i) refers(i, op.values[i]);
    } else if (!touched.after) {
        op.kind = Kind::kDelete;
        op.prev_row = last_that_wrote(std::nullopt);
    } else {
        op.kind = Kind::kUpdate;
        if (entity.conflict == model::Conflict::kDetect) op.prev_row = last_that_wrote(std::nullopt);
        for (std::uint32_t i = 0; i < touched.before->size(); ++i) {
            const auto edited = txn.said.edited.find({op.row, i});
            Change change{i, (*touched.before)[i], edited == txn.said.edited.end() ? (*touched.after)[i] : edited->second, 0};
            const bool changed = change.was != change.now;
            // With `conflict: last` the whole row wins: its operations carry all attributes.
            if (!changed && entity.conflict != model::Conflict::kLast) continue;
            const model::Merge merge = entity.attributes[i].merge;
            if (merge != model::Merge::kCounter && merge != model::Merge::kSet) change.prev = last_that_wrote(i);
            if (changed) refers(i, change.now);
            if (const auto shown = txn.said.shown.find({op.row, i}); changed && shown != txn.said.shown.end()) change.was = shown->second;
            if (!model::canonical(entity, entity.attributes[i], change.was)) txn.malformed = true;
            op.changes.push_back(std::move(change));
        }
    }
    return op;
}

bool Oracle::committed(Label label, const std::string& user, const std::vector<Touched>& touched, const std::set<Label>& unsettled, const Said& said) {
    if (touched.empty() && said.redo_of.empty()) return false;
    SKERRY_ASSERT(!txns_.contains(label));
    Txn txn;
    txn.user = user;
    txn.said = said;
    // Deletes come last, whatever the app's order: only the net effect is sent.
    for (const bool deletes : {false, true})
        for (const Touched& row : touched)
            if (!row.after == deletes) txn.ops.push_back(make_op(row, unsettled, txn));
    txns_.emplace(label, std::move(txn));
    return true;
}

void Oracle::moved(const std::set<Label>& labels) {
    for (const Label label : labels) {
        Txn& txn = txns_.at(label);
        std::erase_if(txn.needs, [&](Label need) { return !labels.contains(need); });
        txn.said.redo_of.clear();  // drafts of the earlier identity, which alone may name them
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

const Prediction& Oracle::judged(Label label, Observed observed) {
    Txn& txn = txns_.at(label);
    SKERRY_ASSERT(!txn.verdict);
    state_ = Judging(model_, holds_, txns_, state_, label, next_record_, observed).run();
    if (txn.verdict->judgement != Judgement::kRejected) closed_drafts_.insert(txn.said.redo_of.begin(), txn.said.redo_of.end());
    return *txn.verdict;
}

void Oracle::server_wrote(const RowId& row, const Image& after) {
    if (model_.entity(row.entity).builtin()) return;
    if (after) {
        state_.rows[row] = *after;
    } else if (const auto found = state_.rows.find(row); found != state_.rows.end()) {
        state_.gone[row] = found->second;
        state_.rows.erase(found);
    }
}

std::string Oracle::compare_record(const Record& record, const SeenRecord& seen) const {
    constexpr std::string_view kOperations[] = {"insert", "update", "delete"};
    const auto object = [](const std::optional<std::string>& json) {
        std::map<std::string, std::string> out;
        if (!json) return out;
        if (auto members = model::json_members(*json)) out.insert(members->begin(), members->end());
        return out;
    };
    // A creation that met a row is an update of each attribute of it.
    const bool open_operation = record.joined || (!record.attribute.empty() && record.operation == Kind::kInsert);
    if (!open_operation && seen.operation != kOperations[static_cast<int>(record.operation)]) return "operation is " + seen.operation;
    bool why = false;
    std::string wanted;
    for (const Code code : record.why) {
        why = why || seen.why == code_name(code);
        wanted += " " + std::string(code_name(code));
    }
    if (!why) return "why is " + seen.why + " and not" + wanted;
    if (record.mine_gone && seen.mine) return "mine is " + *seen.mine + " and not absent";
    const auto base = object(seen.base);
    const auto mine = object(seen.mine);
    for (const auto& [wanted_object, have, name] : {std::tuple{&record.base, &base, "base"}, std::tuple{&record.mine, &mine, "mine"}}) {
        for (const auto& [attribute, value] : *wanted_object) {
            const auto found = have->find(attribute);
            if (found == have->end()) return std::string(name) + " lacks " + attribute;
            if (found->second != value) return std::string(name) + "." + attribute + " is " + found->second + " and not " + value;
        }
    }
    if (!record.attribute.empty() && (base.size() != 1 || mine.size() != 1)) return "a record on one attribute holds others";
    return {};
}

std::string Oracle::compare_records(const std::vector<SeenRecord>& seen) {
    std::set<std::uint64_t> matched;
    std::map<Label, std::string> batches;
    const auto name = [](const SeenRecord& one) { return one.entity + " '" + one.row + "' " + one.attribute + " of " + one.author; };
    for (const SeenRecord& one : seen) {
        Record* record = nullptr;
        for (Record& known : state_.records)
            if (known.id == one.id) record = &known;
        EntityIx ix;
        if (model_.find(one.entity, &ix) == nullptr) return "a record of no entity: " + one.entity;
        if (record == nullptr) {
            // New since the last look: by what it is about, oldest first.
            for (Record& known : state_.records)
                if (record == nullptr && known.id.empty() && known.row == RowId{ix, one.row} && known.attribute == one.attribute && known.author == one.author) record = &known;
            if (record == nullptr) return "nobody is in conflict over " + name(one) + " (" + one.why + ")";
            record->id = one.id;
        }
        matched.insert(record->serial);
        if (record->open != (one.state == "open")) return name(one) + " is " + one.state;
        if (!record->open && !record->choice.empty() && one.choice != record->choice) return name(one) + ": choice is " + one.choice + " and not " + record->choice;
        if (record->batch != 0 && !record->joined) {
            const auto [batch, is_new] = batches.emplace(record->batch, one.batch);
            if (one.batch.empty() || (!is_new && batch->second != one.batch)) return name(one) + ": is not in one batch with the others";
        }
        if (std::string wrong = compare_record(*record, one); !wrong.empty()) return name(one) + ": " + wrong;
    }
    for (const Record& record : state_.records)
        if (!matched.contains(record.serial)) return "no record on " + model_.entity(record.row.entity).name + " '" + record.row.key + "' " + record.attribute + " of " + record.author;
    return {};
}

void Oracle::back_to(const Past& past) {
    const auto met = state_.met;
    state_ = past.state;
    state_.met = met;
    closed_drafts_ = past.closed_drafts;
    for (auto& [label, txn] : txns_) {
        const auto then = past.txns.find(label);
        if (txn.verdict && (then == past.txns.end() || !then->second.verdict)) lost_verdicts_.insert_or_assign(label, *txn.verdict);
        txn.verdict = then == past.txns.end() ? std::nullopt : then->second.verdict;
        txn.cells = then == past.txns.end() ? decltype(txn.cells){} : then->second.cells;
        txn.rows = then == past.txns.end() ? decltype(txn.rows){} : then->second.rows;
    }
}

std::set<Label> Oracle::not_judged() const {
    std::set<Label> out;
    for (const auto& [label, txn] : txns_)
        if (!txn.verdict) out.insert(label);
    return out;
}

bool Oracle::forgot(const std::set<std::string>& kept_records, const std::set<RowId>& kept_images) {
    bool open = false;
    std::erase_if(state_.records, [&](const Record& record) {
        const bool gone = !record.id.empty() && !kept_records.contains(record.id);
        open = open || (gone && record.open);
        return gone;
    });
    std::erase_if(state_.gone, [&](const auto& image) { return !kept_images.contains(image.first); });
    return !open;
}

const Prediction* Oracle::verdict(Label label) const {
    const auto found = txns_.find(label);
    if (found == txns_.end() || !found->second.verdict) return nullptr;
    return &*found->second.verdict;
}

const Prediction* Oracle::lost_verdict(Label label) const {
    const auto found = lost_verdicts_.find(label);
    return found == lost_verdicts_.end() ? nullptr : &found->second;
}

std::set<Label> Oracle::rejected() const {
    std::set<Label> out;
    for (const auto& [label, txn] : txns_)
        if (txn.verdict && txn.verdict->judgement == Judgement::kRejected) out.insert(label);
    return out;
}

bool Oracle::draft_is_open(Label label) const { return rejected().contains(label) && !closed_drafts_.contains(label); }

std::size_t Oracle::open_records() const {
    return static_cast<std::size_t>(std::count_if(state_.records.begin(), state_.records.end(), [](const Record& record) { return record.open; }));
}

std::string Oracle::describe(Label label) const {
    const auto found = txns_.find(label);
    if (found == txns_.end()) return "transaction " + std::to_string(label) + " is unknown";
    const Txn& txn = found->second;
    std::string out = "T" + std::to_string(label) + " of " + txn.user;
    if (txn.said.strict) out += " strict";
    for (const Assertion& one : txn.said.asserts) out += " assert '" + one.row.key + "' " + one.expression;
    for (const Label draft : txn.said.redo_of) out += " redo of T" + std::to_string(draft);
    for (const Label need : txn.needs) out += " needs T" + std::to_string(need);
    for (const Op& op : txn.ops) {
        const model::Entity& entity = model_.entity(op.row.entity);
        out += " [" + entity.name + " '" + op.row.key + "' ";
        out += op.kind == Kind::kInsert ? "insert" : op.kind == Kind::kDelete ? "delete" : "update";
        if (op.prev_row != 0) out += " prev_row T" + std::to_string(op.prev_row);
        for (std::size_t i = 0; i < op.values.size(); ++i) out += (i == 0 ? " " : ", ") + entity.attributes[i].name + "=" + model::to_text(op.values[i]).substr(0, 40);
        for (const Change& change : op.changes) {
            out += " " + entity.attributes[change.attribute].name + ": " + model::to_text(change.was).substr(0, 30) + " -> " + model::to_text(change.now).substr(0, 30);
            if (change.prev != 0) out += " prev T" + std::to_string(change.prev);
        }
        out += "]";
    }
    if (txn.verdict) {
        out += " => " + std::string(judgement_name(txn.verdict->judgement));
        for (const Code code : txn.verdict->codes) out += " " + std::string(code_name(code));
        out += " (" + txn.verdict->why + ")";
    }
    return out;
}

}  // namespace skerry::kit
