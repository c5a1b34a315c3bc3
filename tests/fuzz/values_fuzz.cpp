// Values as frames, files and people write them, for every type of attribute: what is taken has one canonical form.
#include "fuzz.hpp"
#include "model/value.hpp"

namespace {

using namespace skerry;

const model::Entity& entity() {
    using model::Type;
    static const model::Entity e{
        .name = "e",
        .key = {.name = "id", .type = Type::kUuid},
        .attributes = {{.name = "text"}, {.name = "uuid", .type = Type::kUuid}, {.name = "int", .type = Type::kInt},
                       {.name = "real", .type = Type::kReal}, {.name = "bool", .type = Type::kBool}, {.name = "date", .type = Type::kDate},
                       {.name = "timestamp", .type = Type::kTimestamp}, {.name = "blob", .type = Type::kBlob}, {.name = "json", .type = Type::kJson},
                       {.name = "set", .type = Type::kSet}, {.name = "enum", .type = Type::kEnum, .values = {"open", "it's", "null"}},
                       {.name = "decimal", .type = Type::kDecimal, .precision = 18, .scale = 0},
                       {.name = "money", .type = Type::kDecimal, .precision = 10, .scale = 2},
                       {.name = "small", .type = Type::kDecimal, .default_value = Value{std::int64_t{5}}, .precision = 3, .scale = 3}}};
    return e;
}

// A value that is in order goes through every form and comes back.
void check_forms(const model::Attribute& attribute, const Value& value) {
    SKERRY_ASSERT(model::check_value(entity(), attribute, value));
    const auto canonical = model::canonical(entity(), attribute, value);
    SKERRY_ASSERT(canonical && *canonical == value);
    Bytes bytes;
    Writer out(bytes);
    model::put_value(out, value);
    Reader in(bytes);
    SKERRY_ASSERT(model::get_value(in) == value && in.at_end());
    std::string json;
    model::append_json(json, attribute, value);
    const auto back = model::value_from_json(entity(), attribute, json);
    SKERRY_ASSERT(back && *back == value);
    static_cast<void>(model::to_text(value));
    if (attribute.type != model::Type::kDecimal || is_null(value)) return;
    const auto scaled = std::get<std::int64_t>(value);
    const auto decimal = model::decimal_from_text(entity(), attribute, model::decimal_text(attribute, scaled));
    SKERRY_ASSERT(decimal && *decimal == scaled);
}

void check_taken(const model::Attribute& attribute, Value value) {
    const bool in_order = model::check_value(entity(), attribute, value).has_value();
    const auto canonical = model::canonical(entity(), attribute, value);
    if (in_order) SKERRY_ASSERT(canonical && *canonical == value);
    if (canonical) check_forms(attribute, *canonical);
}

void check_row(BytesView bytes) {
    Reader in(bytes);
    const model::Row row = model::get_counted_row(in, entity());
    if (!in.ok() || !model::check_row(entity(), "00000000-0000-4000-8000-000000000000", row)) return;
    Bytes written;
    Writer out(written);
    model::put_counted_row(out, row);
    Reader again(written);
    SKERRY_ASSERT(model::get_counted_row(again, entity()) == row && again.at_end());
    static_cast<void>(model::row_hash(entity(), row));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const model::Attribute& attribute = entity().attributes[data[0] % entity().attributes.size()];
    const BytesView input = fuzz::view(data + 1, size - 1);
    if (const auto typed = model::value_from_text(entity(), attribute, input)) check_taken(attribute, *typed);
    if (const auto json = model::value_from_json(entity(), attribute, input)) check_taken(attribute, *json);
    Reader in(input);
    const Value value = model::get_value(in);
    if (in.ok()) check_taken(attribute, value);
    check_taken(attribute, std::string(input));
    check_taken(attribute, Blob(input.begin(), input.end()));
    check_row(input);
    static_cast<void>(model::check_key(entity(), input));
    return 0;
}
