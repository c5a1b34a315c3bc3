#include "model/value.hpp"

#include <bit>

#include "base/text.hpp"

namespace skerry::model {

namespace {

// On disk and on the wire: do not change a number.
enum class Tag : std::uint8_t { kNull = 0, kInt = 1, kReal = 2, kText = 3, kBlob = 4 };

std::string place(const Entity& entity, const Attribute& attribute) {
    return entity.name + "." + attribute.name;
}

}  // namespace

Result<void> check_value(const Entity& entity, const Attribute& attribute, const Value& value) {
    if (is_null(value)) return {};
    if (attribute.type == Type::kInt) {
        if (std::holds_alternative<std::int64_t>(value)) return {};
        return fail(Code::kValueInvalid, place(entity, attribute) + " is not an integer");
    }
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) return fail(Code::kValueInvalid, place(entity, attribute) + " is not text");
    if (attribute.type == Type::kUuid && !is_canonical_uuid(*text))
        return fail(Code::kValueInvalid,
                    place(entity, attribute) + " is not a uuid in lower case with hyphens");
    if (text->size() > kValueBytesMax)
        return fail(Code::kRowTooBig, place(entity, attribute) + " has " + with_commas(text->size()) +
                                          " bytes; the limit is " + with_commas(kValueBytesMax));
    if (!is_clean_text(*text))
        return fail(Code::kValueInvalid, place(entity, attribute) + " is not UTF-8 text without NUL");
    return {};
}

Result<void> check_key(const Entity& entity, std::string_view key) {
    if (key.empty()) return fail(Code::kValueInvalid, place(entity, entity.key) + " is an empty key");
    if (key.size() > kKeyBytesMax)
        return fail(Code::kRowTooBig, place(entity, entity.key) + " is a key of " + with_commas(key.size()) +
                                          " bytes; the limit is " + with_commas(kKeyBytesMax));
    const bool good = entity.key.type == Type::kUuid ? is_canonical_uuid(key) : is_clean_text(key);
    if (!good)
        return fail(Code::kValueInvalid,
                    place(entity, entity.key) + (entity.key.type == Type::kUuid
                                                     ? " is not a uuid in lower case with hyphens"
                                                     : " is not UTF-8 text without NUL"));
    return {};
}

Result<void> check_row(const Entity& entity, std::string_view key, const Row& row) {
    SKERRY_TRY(check_key(entity, key));
    if (row.size() != entity.attributes.size())
        return fail(Code::kMalformedTxn, "a row of " + entity.name + " has " + std::to_string(row.size()) + " values, not " + std::to_string(entity.attributes.size()));
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
        SKERRY_TRY(check_value(entity, entity.attributes[i], row[i]));
        if (const auto* text = std::get_if<std::string>(&row[i])) bytes += text->size();
    }
    if (bytes > kRowBytesMax)
        return fail(Code::kRowTooBig, "a row of " + entity.name + " has " + with_commas(bytes) +
                                          " bytes; the limit is " + with_commas(kRowBytesMax));
    return {};
}

void put_value(Writer& out, const Value& value) {
    switch (value.index()) {
        case 0: out.u8(static_cast<std::uint8_t>(Tag::kNull)); break;
        case 1:
            out.u8(static_cast<std::uint8_t>(Tag::kInt));
            out.zigzag(std::get<std::int64_t>(value));
            break;
        case 2:
            out.u8(static_cast<std::uint8_t>(Tag::kReal));
            out.u64(std::bit_cast<std::uint64_t>(std::get<double>(value)));
            break;
        case 3:
            out.u8(static_cast<std::uint8_t>(Tag::kText));
            out.bytes(std::get<std::string>(value));
            break;
        default:
            out.u8(static_cast<std::uint8_t>(Tag::kBlob));
            out.bytes(view_of(std::get<Blob>(value)));
            break;
    }
}

Value get_value(Reader& in) {
    switch (static_cast<Tag>(in.u8())) {
        case Tag::kNull: return Null{};
        case Tag::kInt: return in.zigzag();
        case Tag::kReal: return std::bit_cast<double>(in.u64());
        case Tag::kText: return std::string(in.bytes());
        case Tag::kBlob: {
            const BytesView v = in.bytes();
            return Blob(v.begin(), v.end());
        }
    }
    in.fail();
    return Null{};
}

void put_row(Writer& out, const Row& row) {
    for (const Value& value : row) put_value(out, value);
}

Row get_row(Reader& in, const Entity& entity) {
    Row row;
    row.reserve(entity.attributes.size());
    for (std::size_t i = 0; i < entity.attributes.size() && in.ok(); ++i) row.push_back(get_value(in));
    return row;
}

Hash128 row_hash(const Row& row) {
    Bytes bytes;
    Writer out(bytes);
    put_row(out, row);
    return hash128(bytes);
}

std::string to_text(const Value& value) {
    switch (value.index()) {
        case 0: return "NULL";
        case 1: return std::to_string(std::get<std::int64_t>(value));
        case 2: return std::to_string(std::get<double>(value));
        case 3: return "'" + std::get<std::string>(value) + "'";
        default: return "x'" + hex(view_of(std::get<Blob>(value))) + "'";
    }
}

}  // namespace skerry::model
