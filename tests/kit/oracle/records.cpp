// Conflict records: what opens one, what joins it, what it holds.
#include "base/assert.hpp"
#include "kit/oracle/judging.hpp"

namespace skerry::kit {

Record* State::record(std::uint64_t serial) {
    for (Record& one : records)
        if (one.serial == serial) return &one;
    return nullptr;
}
Record* State::open_record(const RowId& row, const std::string& attribute, const std::string& author) {
    for (Record& one : records)
        if (one.open && one.row == row && one.attribute == attribute && one.author == author) return &one;
    return nullptr;
}

Record& Judging::open_or_join(const RowId& row, const std::string& attribute, Kind operation, Code why) {
    if (Record* open = state_.open_record(row, attribute, txn_.user)) {
        open->joined = true;
        meet("record joined");
        open->why.insert(why);
        return *open;
    }
    Record record;
    record.serial = ++next_record_;
    record.opened_by = label_;
    record.row = row;
    record.attribute = attribute;
    record.author = txn_.user;
    record.operation = operation;
    record.why = {why};
    state_.records.push_back(std::move(record));
    return state_.records.back();
}

void Judging::put(Record& record, const RowId& row, std::uint32_t index, const Value& was, const Value& now) {
    const model::Attribute& attribute = entity(row).attributes[index];
    std::string base, mine;
    model::append_json(base, attribute, was);
    model::append_json(mine, attribute, now);
    // Of a large blob only a hash travels as the old value: it is compared, never shown.
    const auto* blob = std::get_if<Blob>(&was);
    const bool shown = blob == nullptr || blob->size() <= model::kOldBlobBytesMax;
    // Joining keeps the base as it is.
    if (shown && record.opened_by == label_ && record.operation != Kind::kInsert) record.base.emplace(attribute.name, base);
    record.mine[attribute.name] = mine;
    record.mine_gone = false;
}

void Judging::record_cell(const Op& op, const Change& change, Code why) {
    Record& record = open_or_join(op.row, entity(op.row).attributes[change.attribute].name, op.kind, why);
    put(record, op.row, change.attribute, change.was, change.now);
    asked_.insert(record.why.begin(), record.why.end());
    causes_[op.row] = why;
    txn_.cells[{op.row, change.attribute}] = {Part::kConflict, {}, record.serial};
    txn_.rows[op.row].code = Part::kConflict;
}

void Judging::record_row(const Op& op, Code why) {
    meet("record on a row, " + std::string(code_name(why)));
    Record& record = open_or_join(op.row, {}, op.kind, why);
    causes_[op.row] = why;
    into(record, op);
}

void Judging::into(Record& record, const Op& op) {
    record.joined = record.joined || record.operation != op.kind;
    asked_.insert(record.why.begin(), record.why.end());
    auto& result = txn_.rows[op.row];
    result.code = Part::kConflict;
    result.record = record.serial;
    if (op.kind == Kind::kDelete) {
        record.mine.clear();
        record.mine_gone = true;
        return;
    }
    if (op.kind == Kind::kInsert) {
        for (std::uint32_t i = 0; i < op.values.size(); ++i) {
            put(record, op.row, i, Null{}, op.values[i]);
            txn_.cells[{op.row, i}] = {Part::kConflict, {}, record.serial};
        }
    }
    for (const Change& change : op.changes) {
        txn_.cells[{op.row, change.attribute}] = {Part::kConflict, {}, record.serial};
        // With `conflict: last` a row is a unit: the latest one as a whole, not a mixture of two.
        if (change.was != change.now || entity(op.row).conflict == model::Conflict::kLast) put(record, op.row, change.attribute, change.was, change.now);
    }
}

// Nothing is written; every operation gets a record on its whole row, and all share one batch.
void Judging::strict_conflict() {
    state_ = before_;
    txn_.cells.clear();
    txn_.rows.clear();
    const auto causes = causes_;
    asked_.clear();
    merged_ = lost_ = false;
    for (const Op& op : txn_.ops) {
        if (is_record(op.row)) {
            txn_.rows[op.row] = {};
            continue;
        }
        const auto cause = causes.find(op.row);
        Record& record = open_or_join(op.row, {}, op.kind, cause == causes.end() ? Code::kStrict : cause->second);
        record.batch = label_;
        into(record, op);
    }
}

}  // namespace skerry::kit
