#include "wire/json/transactions.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/json.hpp"

namespace skerry::wire::json {

namespace {

Result<std::vector<TxnNo>> read_numbers(Object& object, std::string_view name) {
    SKERRY_ASSIGN(const auto numbers, object.numbers_if(name));
    std::vector<TxnNo> out;
    for (const std::uint64_t n : numbers) out.push_back(TxnNo{n});
    return out;
}

Result<Value> read_value(const Object& object, const model::Entity& entity, const model::Attribute& attribute, std::string_view json) {
    // As a number it has gone through a double already, which does not keep 18 digits.
    if (attribute.type == model::Type::kDecimal && !is_null(json) && !json.starts_with('"'))
        return object.refuse(entity.name + "." + attribute.name + " is a decimal and has to be written as text");
    auto value = model::value_from_json(entity, attribute, json);
    if (!value) return object.refuse(value.error().message);
    // So has an integer: 9007199254740993.0 has become another one here.
    const auto* n = std::get_if<std::int64_t>(&*value);
    constexpr auto kMost = static_cast<std::int64_t>(kNumberMax);
    if (attribute.type == model::Type::kInt && n != nullptr && !json.starts_with('"') && (*n > kMost || *n < -kMost))
        return object.refuse(entity.name + "." + attribute.name + " is beyond 2^53 - 1 and has to be written as a string");
    return std::move(*value);
}

Result<std::uint32_t> attribute_of(const Object& object, const model::Entity& entity, std::string_view name) {
    const auto found = entity.attribute_named(name);
    if (!found) return object.refuse(entity.name + " has no attribute " + quote_name(name) + " that can be written");
    return *found;
}

Result<void> read_insert(Object& object, const model::Entity& entity, Op& op) {
    SKERRY_ASSIGN(op.prev_row.value, object.number_if("previous"));
    SKERRY_ASSIGN(const std::string json, object.raw("values"));
    SKERRY_ASSIGN(Object values, Object::read(json, object.place() + ", values"));
    for (const model::Attribute& attribute : entity.attributes) op.row.push_back(model::default_of(attribute));
    for (const auto& [name, value] : values.rest()) {
        SKERRY_ASSIGN(const std::uint32_t at, attribute_of(object, entity, name));
        SKERRY_ASSIGN(op.row[at], read_value(object, entity, entity.attributes[at], value));
    }
    return {};
}

Result<void> read_change(const Object& update, const model::Entity& entity, const std::string& name, std::string_view json, Op& op) {
    SKERRY_ASSIGN(const std::uint32_t at, attribute_of(update, entity, name));
    const model::Attribute& attribute = entity.attributes[at];
    SKERRY_ASSIGN(Object object, Object::read(json, update.place() + ", " + quote_name(name)));
    Change change;
    change.attribute = at;
    SKERRY_ASSIGN(const std::string old_json, object.raw("old"));
    SKERRY_ASSIGN(change.old_value, read_value(object, entity, attribute, old_json));
    SKERRY_ASSIGN(const std::string new_json, object.raw("new"));
    SKERRY_ASSIGN(change.new_value, read_value(object, entity, attribute, new_json));
    SKERRY_ASSIGN(change.prev.value, object.number_if("previous"));
    SKERRY_TRY(object.end());
    const auto* blob = std::get_if<Blob>(&change.old_value);
    if (blob != nullptr && blob->size() > model::kOldBlobBytesMax) {
        change.old_hash = model::value_hash(change.old_value);
        change.old_value = Null{};
    }
    op.changes.push_back(std::move(change));
    return {};
}

// True if the row's version is told.
Result<bool> read_version(Object& object, Op& op) {
    const bool told = object.has("version");
    if (told && object.has("previous")) return object.refuse("it names both a version and a previous transaction");
    if (told) {
        SKERRY_ASSIGN(const Bytes hash, object.hex("version", op.base_hash.size()));
        std::copy(hash.begin(), hash.end(), reinterpret_cast<char*>(op.base_hash.data()));
        return true;
    }
    SKERRY_ASSIGN(op.prev_row.value, object.number_if("previous"));
    return static_cast<bool>(op.prev_row);
}

Result<Op> read_op(Object& object, const model::Model& model) {
    Op op;
    SKERRY_ASSIGN(const std::string kind, object.text("operation"));
    SKERRY_ASSIGN(op.entity, read_entity(object, model));
    const model::Entity& entity = model.entity(op.entity);
    SKERRY_ASSIGN(op.key, object.text("key"));
    if (kind == "insert") {
        op.kind = OpKind::kInsert;
        SKERRY_TRY(read_insert(object, entity, op));
    } else if (kind == "update") {
        op.kind = OpKind::kUpdate;
        SKERRY_ASSIGN(op.row_version, read_version(object, op));
        SKERRY_ASSIGN(const std::string json, object.raw("changes"));
        SKERRY_ASSIGN(Object changes, Object::read(json, object.place() + ", changes"));
        for (const auto& [name, change] : changes.rest()) SKERRY_TRY(read_change(object, entity, name, change, op));
        std::sort(op.changes.begin(), op.changes.end(), [](const Change& a, const Change& b) { return a.attribute < b.attribute; });
    } else if (kind == "delete") {
        op.kind = OpKind::kDelete;
        SKERRY_ASSIGN(const bool told, read_version(object, op));
        if (!told) return object.refuse("a deletion names the version of the row, or the previous transaction on it");
    } else {
        return object.refuse("there is no operation " + quote_name(kind));
    }
    SKERRY_TRY(object.end());
    return op;
}

Result<std::vector<Assert>> read_asserts(Object& line, const model::Model& model) {
    SKERRY_ASSIGN(const auto list, line.list_if("asserts"));
    if (list.size() > kAssertsMax)
        return fail(Code::kLimitExceeded, line.place() + ": a transaction has at most " + std::to_string(kAssertsMax) + " asserts");
    std::vector<Assert> asserts;
    for (const std::string& json : list) {
        SKERRY_ASSIGN(Object object, Object::read(json, line.place() + ", assert " + std::to_string(asserts.size() + 1)));
        Assert& one = asserts.emplace_back();
        SKERRY_ASSIGN(one.entity, read_entity(object, model));
        SKERRY_ASSIGN(one.key, object.text("key"));
        SKERRY_ASSIGN(one.expression, object.text("expression"));
        SKERRY_TRY(object.end());
    }
    return asserts;
}

}  // namespace

Result<EntityIx> read_entity(Object& object, const model::Model& model) {
    SKERRY_ASSIGN(const std::string name, object.text("entity"));
    EntityIx ix;
    if (model.find(name, &ix) == nullptr) return object.refuse("the model has no entity " + quote_name(name));
    return ix;
}

Result<Transaction> read_transaction(Object& line, const model::Model& model) {
    Transaction txn;
    SKERRY_ASSIGN(txn.no.value, line.number("number"));
    if (!txn.no) return line.refuse("transactions are numbered from 1");
    SKERRY_ASSIGN(const Bytes id, line.hex("id", 16));
    txn.id = TxnId::from(id);
    SKERRY_ASSIGN(const std::uint64_t made_at, line.number_if("made_at_us"));
    txn.made_at_us = static_cast<std::int64_t>(made_at);
    SKERRY_ASSIGN(txn.strict, line.flag_if("strict"));
    SKERRY_ASSIGN(txn.needs, read_numbers(line, "needs"));
    SKERRY_ASSIGN(txn.asserts, read_asserts(line, model));
    SKERRY_ASSIGN(txn.redo_of, read_numbers(line, "redo_of"));
    SKERRY_ASSIGN(const auto list, line.list_if("operations"));
    if (list.size() > kTxnRowsMax)
        return fail(Code::kLimitExceeded, line.place() + ": a transaction changes at most " + std::to_string(kTxnRowsMax) + " rows");
    std::size_t bytes = 0;
    for (const std::string& json : list) {
        SKERRY_ASSIGN(Object object, Object::read(json, line.place() + ", operation " + std::to_string(txn.ops.size() + 1)));
        SKERRY_ASSIGN(Op op, read_op(object, model));
        Bytes encoded;
        Writer w(encoded);
        put_op_body(w, op);
        bytes += encoded.size() + op.key.size();
        if (bytes > kTxnBytesMax)
            return fail(Code::kLimitExceeded, line.place() + ": a transaction has at most " + with_commas(kTxnBytesMax) + " bytes");
        txn.ops.push_back(std::move(op));
    }
    sort_ops(txn.ops);
    return txn;
}

}  // namespace skerry::wire::json
