#include "server/intake/records.hpp"

#include <algorithm>

namespace skerry::server::intake {

namespace {

enum class Keep { kFirst, kLast };

void put_value_of(NamedValues& values, const std::string& name, const Value& value, Keep keep) {
    const auto at = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first == name; });
    if (at == values.end()) {
        values.emplace_back(name, value);
    } else if (keep == Keep::kLast) {
        at->second = value;
    }
}

NamedValues named_row(const model::Entity& entity, const std::optional<model::Row>& row) {
    NamedValues values;
    if (!row) return values;
    for (std::size_t i = 0; i < row->size(); ++i) values.emplace_back(entity.attributes[i].name, (*row)[i]);
    return values;
}

}  // namespace

Bytes put_named(const NamedValues& values) {
    Bytes bytes;
    Writer out(bytes);
    out.varint(values.size());
    for (const auto& [name, value] : values) {
        out.bytes(name);
        model::put_value(out, value);
    }
    return bytes;
}

Result<NamedValues> get_named(BytesView bytes) {
    Reader in(bytes);
    const std::size_t n = in.count(2);
    NamedValues values;
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        std::string name(in.bytes());
        values.emplace_back(std::move(name), model::get_value(in));
    }
    if (!in.at_end()) return fail(Code::kCorruptStore, "a conflict record is damaged");
    return values;
}

Result<storage::RecordId> record_update(const JudgeContext& context, const wire::Op& op, TxnNo no,
                                        const std::optional<model::Row>& theirs) {
    const model::Entity& entity = context.model.entity(op.entity);
    const storage::KeyRef at{op.entity, op.key};
    SKERRY_ASSIGN(const auto open, context.txn.open_record(at, {}, context.principal.user));
    NamedValues base;
    NamedValues mine;
    storage::Record record;
    if (open) {
        record = *open;
        SKERRY_ASSIGN(base, get_named(record.base));
        SKERRY_ASSIGN(mine, get_named(record.mine));
    }
    for (const wire::Change& change : op.changes) {
        const std::string& name = entity.attributes[change.attribute].name;
        put_value_of(base, name, change.old_value, Keep::kFirst);
        put_value_of(mine, name, change.new_value, Keep::kLast);
    }
    record.at = at;
    record.author = context.principal.user;
    record.device = context.device;
    record.no = no;
    record.state = storage::RecordState::kOpen;
    record.base = put_named(base);
    record.mine = put_named(mine);
    record.theirs = put_named(named_row(entity, theirs));
    record.at_us = context.now_us;
    SKERRY_TRY(context.txn.put_record(record));
    return record.id;
}

}  // namespace skerry::server::intake
