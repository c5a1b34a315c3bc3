#include "cli/rows.hpp"

#include <algorithm>
#include <charconv>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/csv_rows.hpp"
#include "cli/json_rows.hpp"
#include "model/json.hpp"
#include "model/value.hpp"

namespace skerry::cli {

namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

std::string lower_case(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return text;
}

std::string shortened(std::string_view text) {
    if (text.size() <= 40) return std::string(text);
    std::size_t end = 40;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return std::string(text.substr(0, end)) + "…";
}

}  // namespace

Result<FileFormat> format_of_name(std::string_view file_name) {
    if (file_name.ends_with(".csv")) return FileFormat::kCsv;
    if (file_name.ends_with(".json")) return FileFormat::kJson;
    if (file_name.ends_with(".ndjson") || file_name.ends_with(".jsonl")) return FileFormat::kNdjson;
    return fail(Code::kInvalidArgument, "'" + std::string(file_name) +
                                            "' does not say what it holds (.csv, .json, .ndjson, .jsonl); say --format");
}

Result<std::unique_ptr<RowReader>> open_rows(const std::string& file_name, FileFormat format, char delimiter) {
    SKERRY_ASSIGN(Input input, Input::open(file_name));
    if (format == FileFormat::kCsv) return open_csv(std::move(input), delimiter);
    return open_json(std::move(input), format);
}

Result<Value> to_value(const Cell& cell, const model::Entity& entity, const model::Attribute& attribute, FileFormat format) {
    if (cell.kind == CellKind::kNull) return Value{Null{}};
    const auto refuse = [&](const std::string& why) {
        return fail(Code::kValueInvalid, entity.name + "." + attribute.name + ": " + (cell.kind == CellKind::kJson ? "" : "'" + shortened(cell.text) + "' ") + why);
    };
    const auto json = [&](const std::string& text) {
        auto value = model::value_from_json(entity, attribute, text);
        if (!value && cell.kind != CellKind::kJson) value.error().message += ": '" + shortened(cell.text) + "'";
        return value;
    };
    const bool boolean = cell.kind == CellKind::kTrue || cell.kind == CellKind::kFalse;
    const std::string word = boolean ? (cell.kind == CellKind::kTrue ? "true" : "false") : cell.text;
    const bool is_string = cell.kind == CellKind::kText;
    switch (attribute.type) {
        case model::Type::kJson: return json(is_string && format != FileFormat::kCsv ? model::json_string(word) : word);
        case model::Type::kSet: return json(word);
        default: break;
    }
    if (cell.kind == CellKind::kJson) return refuse("a list or an object is no " + std::string(model::type_name(attribute.type)));
    switch (attribute.type) {
        case model::Type::kInt:
            if (boolean) return Value{std::int64_t{cell.kind == CellKind::kTrue ? 1 : 0}};
            if (const auto number = whole_number(cell.text)) return Value{*number};
            return refuse("is not a whole number of 64 bits");
        case model::Type::kBool: return json(lower_case(word));
        case model::Type::kReal: return json(word);
        case model::Type::kDecimal: return boolean ? refuse("true and false are no decimals") : json(model::json_string(word));
        default: break;
    }
    if (boolean) return fail(Code::kValueInvalid, entity.name + "." + attribute.name + ": true and false are not " + std::string(model::type_name(attribute.type)));
    return json(model::json_string(attribute.type == model::Type::kUuid ? lower_case(word) : word));
}

std::string derived_uuid(std::string_view entity, const std::vector<Cell>& cells) {
    // Lengths before contents: ("a", "bc") and ("ab", "c") must differ. A number and its text are the same, so
    // that CSV and JSON give the same keys. This form is stored in keys: do not change it.
    Bytes name;
    Writer out(name);
    out.bytes("skerry import 1");
    out.bytes(entity);
    for (const Cell& cell : cells) {
        out.u8(cell.kind == CellKind::kNull ? 0 : 1);
        out.bytes(cell.kind == CellKind::kTrue ? "true" : cell.kind == CellKind::kFalse ? "false" : cell.text);
    }
    Hash128 bytes = hash128(name);
    if (cells.size() == 1) {
        const auto number = whole_number(cells[0].text);
        if (number && *number >= 0 && *number < (std::int64_t{1} << 48))
            for (unsigned i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(*number >> (8 * (5 - i)));
    }
    bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x80);  // version 8: RFC 9562 leaves the rest to us
    bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant
    std::string text = hex(view_of(bytes));
    for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, "-");
    return text;
}

}  // namespace skerry::cli
