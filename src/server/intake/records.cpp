#include "server/intake/records.hpp"

#include "base/error_table.hpp"
#include "base/text.hpp"
#include "model/json.hpp"

namespace skerry::server::intake {

namespace {

namespace record = model::record;

constexpr std::int64_t kYear10000Us = 253'402'300'800'000'000;

Value text(std::string_view v) { return std::string(v); }

// A device's clock may say anything.
Value time_of(std::int64_t us) {
    if (us < 0 || us >= kYear10000Us) return Null{};
    return timestamp_text(Micros(us));
}

Value json_of(const MaybeMembers& members) {
    if (!members) return Null{};
    std::string out = "{";
    for (const auto& [name, value] : *members) {
        if (out.size() > 1) out += ',';
        model::append_json_string(out, name);
        out += ':' + value;
    }
    out += '}';
    return out;
}

Result<MaybeMembers> members_in(const Value& json) {
    const auto* object = std::get_if<std::string>(&json);
    if (object == nullptr) return MaybeMembers{};
    SKERRY_ASSIGN(auto list, model::json_members(*object));
    Members members;
    for (auto& [name, value] : list) members.emplace(std::move(name), std::move(value));
    return MaybeMembers{std::move(members)};
}

std::string_view operation_name(wire::OpKind kind) {
    switch (kind) {
        case wire::OpKind::kInsert: return "insert";
        case wire::OpKind::kUpdate: return "update";
        case wire::OpKind::kDelete: return "delete";
    }
    return "update";
}

// Of the row and attribute, by this author, and not being closed by the transaction itself.
Result<std::string> open_record_of(Work& work, const wire::Op& op, const Ask& ask) {
    if (!ask.record.empty()) return ask.record;
    SKERRY_ASSIGN(auto found, work.c.txn.open_record(work.entity(op).name, op.key, ask.attribute, work.c.principal.user));
    if (!found || work.closing.contains(*found)) return std::string{};
    return std::move(*found);
}

Result<model::Row> row_of(Work& work, const std::string& key) {
    SKERRY_ASSIGN(auto rows, work.c.txn.rows(work.c.model.conflicts(), std::vector<std::string>{key}));
    if (!rows[0]) return fail(Code::kCorruptStore, "the conflict record " + key + " is not there");
    return std::move(*rows[0]);
}

// `base` keeps what it has, `mine` takes the latest, `theirs` is the row now.
Result<void> join(Work& work, const Ask& ask, const std::string& batch, model::Row& row) {
    SKERRY_ASSIGN(auto base, members_in(row[record::kBase]));
    SKERRY_ASSIGN(auto mine, members_in(row[record::kMine]));
    if (base && ask.base) base->insert(ask.base->begin(), ask.base->end());
    if (!mine || !ask.mine || ask.operation == wire::OpKind::kInsert) {
        mine = ask.mine;
    } else {
        for (const auto& [name, value] : *ask.mine) (*mine)[name] = value;
    }
    // A change of a creation that waits is part of that creation.
    const bool still_creates = ask.operation == wire::OpKind::kUpdate && row[record::kOperation] == text("insert");
    if (!still_creates) row[record::kOperation] = text(operation_name(ask.operation));
    row[record::kBase] = json_of(base);
    row[record::kMine] = json_of(mine);
    row[record::kTheirs] = json_of(ask.theirs);
    row[record::kDevice] = hex(work.c.device_id.view());
    row[record::kTransaction] = static_cast<std::int64_t>(work.t.no.value);
    row[record::kMadeAt] = time_of(work.t.made_at_us);
    if (!batch.empty()) row[record::kBatch] = batch;
    return {};
}

model::Row new_record(const Work& work, const wire::Op& op, const Ask& ask, const std::string& batch) {
    model::Row row(model::conflict_entity().attributes.size());
    row[record::kEntity] = work.entity(op).name;
    row[record::kRow] = op.key;
    row[record::kAttribute] = ask.attribute;
    row[record::kAuthor] = work.c.principal.user;
    row[record::kDevice] = hex(work.c.device_id.view());
    row[record::kTransaction] = static_cast<std::int64_t>(work.t.no.value);
    row[record::kBatch] = batch;
    row[record::kOperation] = text(operation_name(ask.operation));
    row[record::kWhy] = text(code_name(ask.why));
    row[record::kBase] = json_of(ask.base);
    row[record::kMine] = json_of(ask.mine);
    row[record::kTheirs] = json_of(ask.theirs);
    row[record::kMadeAt] = time_of(work.t.made_at_us);
    row[record::kAt] = time_of(work.c.now_us);
    row[record::kState] = text("open");
    row[record::kChoice] = text("");
    return row;
}

}  // namespace

std::string member_json(const model::Attribute& attribute, const Value& value) {
    std::string out;
    model::append_json(out, attribute, value);
    return out;
}

Members members_of(const model::Entity& entity, const model::Row& row) {
    Members members;
    for (std::size_t i = 0; i < row.size(); ++i) members.emplace(entity.attributes[i].name, member_json(entity.attributes[i], row[i]));
    return members;
}

std::string derived_uuid(const Work& work, std::string_view entity, std::string_view key, std::string_view attribute) {
    Bytes place;
    Writer out(place);
    out.raw(work.c.device_id.view());
    out.varint(work.t.no.value);
    out.bytes(entity);
    out.bytes(key);
    out.bytes(attribute);
    const std::string digits = hex(view_of(hash128(place)));
    std::string uuid;
    for (std::size_t i = 0; i < digits.size(); ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) uuid += '-';
        uuid += digits[i];
    }
    return uuid;
}

Result<std::string> put_record(Work& work, const wire::Op& op, const Ask& ask, const std::string& batch) {
    const EntityIx records = work.c.model.conflicts();
    SKERRY_ASSIGN(std::string key, open_record_of(work, op, ask));
    if (key.empty()) {
        key = derived_uuid(work, work.entity(op).name, op.key, ask.attribute);
        const model::Row row = new_record(work, op, ask, batch);
        SKERRY_TRY(model::check_row(model::conflict_entity(), key, row));
        SKERRY_TRY(work.c.txn.insert(records, key, row));
        return key;
    }
    SKERRY_ASSIGN(model::Row row, row_of(work, key));
    SKERRY_TRY(join(work, ask, batch, row));
    SKERRY_TRY(model::check_row(model::conflict_entity(), key, row));
    std::vector<storage::Assignment> values;
    for (const std::uint32_t attribute : {record::kDevice, record::kTransaction, record::kBatch, record::kOperation, record::kBase,
                                          record::kMine, record::kTheirs, record::kMadeAt})
        values.emplace_back(attribute, &row[attribute]);
    SKERRY_TRY(work.c.txn.update(records, key, values));
    return key;
}

Result<std::string> batch_of(Work& work) {
    for (std::size_t i = 0; i < work.plans.size(); ++i) {
        for (const Ask& ask : work.plans[i].asks) {
            SKERRY_ASSIGN(const std::string key, open_record_of(work, work.t.ops[i], ask));
            if (key.empty()) continue;
            SKERRY_ASSIGN(const model::Row row, row_of(work, key));
            const auto* batch = std::get_if<std::string>(&row[record::kBatch]);
            if (batch != nullptr && !batch->empty()) return *batch;
        }
    }
    return derived_uuid(work, {}, {}, {});
}

}  // namespace skerry::server::intake
