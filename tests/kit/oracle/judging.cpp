#include "kit/oracle/judging.hpp"

#include "base/assert.hpp"

namespace skerry::kit {

namespace {

bool mergeable(model::Merge merge) { return merge != model::Merge::kCounter && merge != model::Merge::kSet; }

}  // namespace

void Judging::reject(Code code, Label root, const std::string& why) {
    rejected_.insert(code);
    roots_.insert(root);
    why_ += " " + why + ";";
}

State Judging::run() {
    State after = judge();
    after.met = before_.met;
    for (const auto& [what, n] : met_) after.met[what] += n;
    return after;
}

State Judging::judge() {
    if (txn_.malformed) reject(Code::kValueInvalid, label_, "a value has no canonical form");
    depends();
    asserts();
    // A reference to a row that waits for a person is one reason among those that the rows themselves may give: any may be told.
    if (rejected_.empty() || (only_refers_ && rejected_.size() == 1)) {
        // A record that the transaction closes is closed when its other operations are judged.
        for (const Op& op : txn_.ops)
            if (is_record(op.row)) close(op);
        for (const Op& op : txn_.ops)
            if (!is_record(op.row)) apply(op);
        children();
        references();
        uniques();
    }
    bool strict = txn_.said.strict;
    for (const Op& op : txn_.ops) strict = strict || entity(op.row).is_strict();
    const bool whole = strict && (lost_ || !asked_.empty());
    if (!rejected_.empty() && !(whole && observed_.judgement == Judgement::kConflict)) {
        for (const Code code : rejected_) meet("rejected " + std::string(code_name(code)));
        txn_.verdict = Prediction{Judgement::kRejected, rejected_, roots_, false, why_};
        return before_;
    }
    if (whole) {
        meet("held as a whole");
        strict_conflict();
    }
    if (!txn_.said.redo_of.empty()) meet(txn_.ops.empty() ? "draft discarded" : "draft redone");
    finish();
    return std::move(state_);
}

// What needs, or goes on from, a rejected transaction goes into the draft group of that one.
void Judging::depends() {
    std::set<Label> named = txn_.needs;
    for (const Op& op : txn_.ops) {
        named.insert(op.prev_row);
        for (const Change& change : op.changes) named.insert(change.prev);
    }
    for (const Label on : named) {
        if (on == 0) continue;
        const auto& verdict = txns_.at(on).verdict;
        if (!verdict || verdict->judgement != Judgement::kRejected) continue;
        rejected_.insert(Code::kDependency);
        roots_.insert(verdict->roots.begin(), verdict->roots.end());
        why_ += " depends on T" + std::to_string(on) + ";";
    }
    const bool refused_before = !rejected_.empty();
    for (const Op& op : txn_.ops) refer_to_waiting(op);
    only_refers_ = !refused_before && !rejected_.empty();
}

void Judging::refer_to_waiting(const Op& op) {
    if (waiting_creation(op.row) != nullptr) return;  // it waits too, whatever it refers to, itself included
    const auto look = [&](std::uint32_t attribute, const Value& value) {
        const auto& to = entity(op.row).attributes[attribute].references;
        if (!to || is_null(value)) return;
        const RowId parent{*to, std::get<std::string>(value)};
        if (waiting_creation(parent) == nullptr) return;
        for (const Label need : txn_.needs)
            if (txns_.at(need).rows.contains(parent)) reject(Code::kDependency, need, "refers to a creation in conflict");
        roots_.insert(label_);
    };
    if (op.kind == Kind::kInsert)
        for (std::uint32_t i = 0; i < op.values.size(); ++i) look(i, op.values[i]);
    for (const Change& change : op.changes)
        if (change.was != change.now) look(change.attribute, change.now);
}

void Judging::asserts() {
    for (const Assertion& one : txn_.said.asserts) {
        const auto row = before_.rows.find(one.row);
        if (row == before_.rows.end() || holds_(entity(one.row), one.row.key, row->second, one.expression) != std::optional(true))
            reject(Code::kAssertFailed, label_, "asserts " + one.expression);
    }
}

void Judging::apply(const Op& op) {
    switch (op.kind) {
        case Kind::kInsert: return insert(op);
        case Kind::kUpdate: return update(op);
        case Kind::kDelete: return erase(op);
    }
}

// Only an open record is closed; a second closing changes nothing.
void Judging::close(const Op& op) {
    for (Record& record : state_.records) {
        if (record.id != op.row.key) continue;
        meet(record.open ? "record closed" : "record closed again");
        if (!record.open) continue;
        for (const Change& change : op.changes) {
            if (change.attribute == model::record::kState) record.open = false;
            if (change.attribute == model::record::kChoice && !is_null(change.now)) record.choice = std::get<std::string>(change.now);
        }
    }
    txn_.rows[op.row] = {};
}

// required and checks are looked at on the row as it is after the merge.
void Judging::write(const RowId& row, model::Row values) {
    const model::Entity& of = entity(row);
    for (std::size_t i = 0; i < values.size(); ++i)
        if (of.attributes[i].required && is_null(values[i])) reject(Code::kRequired, label_, of.attributes[i].name + " is required");
    for (const model::Check& check : of.checks)
        if (holds_(of, row.key, values, check.expression) == std::optional(false)) reject(Code::kCheckFailed, label_, check.expression);
    state_.rows[row] = std::move(values);
    touched_.insert(row);
}

void Judging::remove(const RowId& row) {
    const auto found = state_.rows.find(row);
    if (found == state_.rows.end()) return;
    state_.gone[row] = found->second;
    state_.rows.erase(found);
    removed_.insert(row);
}

Record* Judging::waiting_creation(const RowId& row) {
    if (state_.rows.contains(row)) return nullptr;  // somebody else made it: then it is a row like any other
    for (const Label need : txn_.needs) {
        const Txn& creator = txns_.at(need);
        const auto result = creator.rows.find(row);
        if (result == creator.rows.end() || result->second.code != Part::kConflict) continue;
        Record* record = state_.record(result->second.record);
        if (record != nullptr && record->open && record->operation == Kind::kInsert && record->attribute.empty()) return record;
    }
    return nullptr;
}

// What one of the changes goes on from is held by an open question about the whole row.
bool Judging::earlier_change_waits(const Op& op) {
    for (const Change& one : op.changes) {
        if (one.prev == 0 || !mergeable(entity(op.row).attributes[one.attribute].merge)) continue;
        const auto& cells = txns_.at(one.prev).cells;
        const auto own = cells.find({op.row, one.attribute});
        if (own == cells.end() || own->second.code != Part::kConflict) continue;
        const Record* record = state_.record(own->second.record);
        if (record != nullptr && record->open && record->attribute.empty()) return true;
    }
    return false;
}

// By the hash of the base, or by what the author's own last one left.
bool Judging::differs_from_known(const Op& op, const model::Row& current) {
    if (op.lost_prev_row) {
        open_verdict_ = true;
        const model::Entity& of = entity(op.row);
        const bool asks = of.conflict == model::Conflict::kDetect || of.update_delete == model::UpdateDelete::kAsk;
        return observed_.judgement == Judgement::kConflict || (observed_.judgement == Judgement::kMerged && !asks);
    }
    Image known = op.base;
    if (op.prev_row != 0) {
        const auto& rows = txns_.at(op.prev_row).rows;
        const auto left = rows.find(op.row);
        known = left == rows.end() ? Image{} : left->second.left;
    }
    return known != Image{current};
}

void Judging::insert(const Op& op) {
    if (Record* waiting = waiting_creation(op.row)) {
        meet("waits with its creation");
        return into(*waiting, op);
    }
    bool own_delete_stayed_out = false;
    if (op.prev_row != 0) {
        const auto& rows = txns_.at(op.prev_row).rows;
        const auto result = rows.find(op.row);
        own_delete_stayed_out = result != rows.end() && result->second.code >= Part::kLost;
        Record* record = own_delete_stayed_out ? state_.record(result->second.record) : nullptr;
        if (record != nullptr && record->open && record->attribute.empty()) {
            meet("created after a deletion that waits");
            return into(*record, op);
        }
    }
    if (!state_.rows.contains(op.row)) {
        txn_.rows[op.row] = {};
        return write(op.row, op.values);
    }
    if (!own_delete_stayed_out && entity(op.row).create_create == model::CreateCreate::kReject)
        return reject(Code::kKeyTaken, label_, "key '" + op.row.key + "' is taken");
    if (entity(op.row).conflict == model::Conflict::kDetect) return record_row(op, Code::kRowChanged);
    merge_insert(op);
}

// Create against create, or a creation after an own deletion that did not land: an update whose old values are absent.
void Judging::merge_insert(const Op& op) {
    model::Row row = state_.rows.at(op.row);
    txn_.rows.try_emplace(op.row);  // also where it gives nothing
    gave_a_part_.insert(op.row);
    meet(op.prev_row != 0 ? "created after a deletion that stayed out" : "created twice, merged");
    for (std::uint32_t i = 0; i < op.values.size(); ++i) {
        const bool whole = op.prev_row != 0 || entity(op.row).conflict == model::Conflict::kLast;
        if (is_null(op.values[i]) && !whole) continue;
        change(op, {i, Null{}, op.values[i], 0}, row, false);
    }
    if (row != state_.rows.at(op.row)) write(op.row, std::move(row));
    touched_.insert(op.row);
}

void Judging::update(const Op& op) {
    if (Record* waiting = waiting_creation(op.row)) {
        meet("waits with its creation");
        return into(*waiting, op);
    }
    const model::Entity& of = entity(op.row);
    auto found = state_.rows.find(op.row);
    bool came_back = false;
    if (found == state_.rows.end()) {
        if (earlier_change_waits(op)) {
            meet("waits with an earlier change of its row");
            return record_row(op, Code::kRowDeleted);
        }
        const auto image = state_.gone.find(op.row);
        if (of.update_delete != model::UpdateDelete::kUpdateWins || image == state_.gone.end()) return record_row(op, Code::kRowDeleted);
        came_back = true;
        merged_ = true;
        meet("row came back");
        txn_.rows[op.row].code = Part::kMerged;
    }
    model::Row row = came_back ? state_.gone.at(op.row) : found->second;
    if (of.conflict == model::Conflict::kDetect && !came_back && differs_from_known(op, row)) return record_row(op, Code::kRowChanged);
    txn_.rows.try_emplace(op.row);
    const model::Row was = row;
    for (const Change& one : op.changes) change(op, one, row, came_back);
    if (came_back || row != was) write(op.row, std::move(row));
    touched_.insert(op.row);
}

void Judging::change(const Op& op, const Change& one, model::Row& row, bool came_back) {
    const model::Attribute& attribute = entity(op.row).attributes[one.attribute];
    Meeting meeting{one.was, one.now, row[one.attribute], Earlier::kNone, Null{}};
    const Cell cell{op.row, one.attribute};
    if (one.prev != 0 && mergeable(attribute.merge)) {
        const auto& cells = txns_.at(one.prev).cells;
        if (const auto own = cells.find(cell); own != cells.end()) {
            Record* record = own->second.code == Part::kConflict ? state_.record(own->second.record) : nullptr;
            if (record != nullptr && record->open) {
                put(*record, op.row, one.attribute, one.was, one.now);
                record->joined = true;
                meet("record joined");
                // The code may be that of the record or of the meeting.
                asked_.insert(record->why.begin(), record->why.end());
                asked_.insert(Code::kBothChanged);
                causes_[op.row] = Code::kBothChanged;
                txn_.cells[cell] = {Part::kConflict, {}, record->serial};
                txn_.rows[op.row].code = Part::kConflict;
                return;
            }
            constexpr Earlier kBy[] = {Earlier::kApplied, Earlier::kMerged, Earlier::kLost, Earlier::kDecided};
            meeting.earlier = kBy[static_cast<int>(own->second.code)];
            meeting.left = own->second.left;
        }
    }
    const Result3 result = resolve(attribute, meeting);
    constexpr std::string_view kEffects[] = {"same already", "written", "lost", "asked", "invalid"};
    meet(std::string(model::merge_name(attribute.merge)) + " " + (result.effect == Effect::kWrite && result.merged ? "merged" : std::string(kEffects[static_cast<int>(result.effect)])));
    if (meeting.earlier != Earlier::kNone) meet("chain " + std::to_string(static_cast<int>(meeting.earlier)));
    auto& of_row = txn_.rows[op.row].code;
    PartResult part;
    switch (result.effect) {
        case Effect::kInvalid: reject(Code::kValueInvalid, label_, "a sum does not fit"); break;
        case Effect::kNothing: break;
        case Effect::kAsk: record_cell(op, one, Code::kBothChanged); return;
        case Effect::kLose:
            lost_ = true;
            merged_ = true;
            causes_.emplace(op.row, Code::kBothChanged);
            part.code = Part::kLost;
            break;
        case Effect::kWrite:
            row[one.attribute] = result.value;
            // What comes back from its last image is merged as a whole anyway.
            if (result.merged && !came_back) {
                if (!result.open) merged_ = true;
                open_verdict_ = open_verdict_ || result.open;
                part.code = Part::kMerged;
            }
            break;
    }
    of_row = std::max(of_row, part.code);
    txn_.cells[cell] = part;
}

void Judging::erase(const Op& op) {
    if (Record* waiting = waiting_creation(op.row)) {
        meet("waits with its creation");
        return into(*waiting, op);
    }
    auto& result = txn_.rows[op.row];
    const auto found = state_.rows.find(op.row);
    if (found == state_.rows.end()) return;  // deleting what is gone is as its author wished
    const model::Entity& of = entity(op.row);
    if (differs_from_known(op, found->second)) {
        meet("deletes what was changed, " + of.name);
        if (of.conflict == model::Conflict::kDetect || of.update_delete == model::UpdateDelete::kAsk) return record_row(op, Code::kRowChanged);
        merged_ = merged_ || !op.lost_prev_row;
        if (of.update_delete == model::UpdateDelete::kUpdateWins) {
            lost_ = true;
            result.code = Part::kLost;
            causes_.emplace(op.row, Code::kRowChanged);
            return;
        }
        result.code = Part::kMerged;
    }
    remove(op.row);
}

// What each row and attribute is after the transaction, for what continues it.
void Judging::finish() {
    for (auto& [row, result] : txn_.rows) {
        const auto found = state_.rows.find(row);
        result.left = found == state_.rows.end() ? Image{} : Image{found->second};
    }
    for (const Op& op : txn_.ops) {
        if (is_record(op.row) || op.kind == Kind::kDelete) continue;
        const auto found = state_.rows.find(op.row);
        const auto& result = txn_.rows.at(op.row);
        for (std::uint32_t i = 0; i < entity(op.row).attributes.size(); ++i) {
            // An insert wrote all of them, one that was merged what it gave.
            if (op.kind == Kind::kInsert && !gave_a_part_.contains(op.row)) txn_.cells.try_emplace({op.row, i}, PartResult{result.code == Part::kConflict && result.record == 0 ? Part::kApplied : result.code, {}, result.record});
            const auto cell = txn_.cells.find({op.row, i});
            if (cell != txn_.cells.end()) cell->second.left = found == state_.rows.end() ? Value{Null{}} : found->second[i];
        }
    }
    verdict_.why = why_;
    verdict_.merged_or_applied = open_verdict_;
    if (!asked_.empty()) {
        verdict_.judgement = Judgement::kConflict;
        verdict_.codes = asked_;
    } else if (merged_) {
        verdict_.judgement = Judgement::kMerged;
    }
    txn_.verdict = verdict_;
}

}  // namespace skerry::kit
