#include "cli/activity.hpp"

#include <algorithm>

#include "base/error_table.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "model/json.hpp"
#include "model/value.hpp"

namespace skerry::cli {

namespace {

constexpr std::size_t kShownMax = 400;  // a screen or so; --json and export show all

std::string cut(std::string text) {
    if (text.size() <= kShownMax) return text;
    std::size_t end = kShownMax;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    return text.substr(0, end) + "… (" + grouped(text.size()) + " bytes)";
}

const ErrorEntry* entry_of(std::string_view code) {
    for (const ErrorEntry& entry : error_table())
        if (entry.name == code) return &entry;
    return nullptr;
}

}  // namespace

Result<Shown> shown_value(Device& device, std::string_view entity, std::string_view attribute, const Value& value) {
    if (is_null(value)) return Shown{};
    SKERRY_ASSIGN(std::string text, device.value_to_text(entity, attribute, value));
    return Shown{std::move(text)};
}

Result<std::vector<ShownChange>> shown_changes(Device& device, const std::vector<RowChange>& changes) {
    std::vector<ShownChange> out;
    for (const RowChange& change : changes) {
        ShownChange& shown = out.emplace_back(ShownChange{change.entity, change.key, change.operation, {}});
        for (const RowChange::Field& field : change.fields) {
            ShownField& to = shown.fields.emplace_back(ShownField{field.attribute, {}, {}});
            if (field.was) {
                SKERRY_ASSIGN(to.was, shown_value(device, change.entity, field.attribute, *field.was));
            }
            if (field.now) {
                SKERRY_ASSIGN(to.now, shown_value(device, change.entity, field.attribute, *field.now));
            }
        }
    }
    return out;
}

Shown shown_value(const model::Model& model, std::string_view entity, std::string_view attribute, const Value& value) {
    if (is_null(value)) return {};
    const model::Entity* found = model.find(entity);
    const auto index = found == nullptr ? std::nullopt : found->attribute_named(attribute);
    if (!index) return model::to_text(value);
    std::string json;
    model::append_json(json, found->attributes[*index], value);
    const bool quoted = json.starts_with('"') && found->attributes[*index].type != model::Type::kJson;
    if (!quoted) return json;
    auto content = model::json_string_content(json);
    return content ? *content : json;
}

std::vector<ShownChange> shown_changes(const model::Model& model, const std::vector<server::RowChange>& changes) {
    std::vector<ShownChange> out;
    for (const server::RowChange& change : changes) {
        ShownChange& shown = out.emplace_back(ShownChange{change.entity, change.key, change.operation, {}});
        for (const server::FieldChange& field : change.fields) {
            ShownField& to = shown.fields.emplace_back(ShownField{field.attribute, {}, {}});
            if (field.was) to.was = shown_value(model, change.entity, field.attribute, *field.was);
            if (field.now) to.now = shown_value(model, change.entity, field.attribute, *field.now);
        }
    }
    return out;
}

std::string time_text(std::int64_t us) {
    return us == 0 ? "" : timestamp_text(Micros(us));
}

std::string shown_text(const MaybeShown& value) {
    if (!value) return "-";
    return *value ? visible(cut(**value)) : "NULL";
}

std::string changes_text(const std::vector<ShownChange>& changes) {
    const auto quoted = [](const MaybeShown& value) {
        return value && *value ? "'" + shown_text(value) + "'" : shown_text(value);
    };
    std::string out;
    for (const ShownChange& change : changes) {
        out += "  " + change.operation + " " + visible(change.entity) + " " + visible(change.key) + "\n";
        for (const ShownField& field : change.fields) {
            if (change.operation == "insert" && field.now && !*field.now) continue;  // what a new row does not have
            out += "    " + visible(field.attribute) + ": " + (field.was ? quoted(field.was) + " -> " : "") +
                   quoted(field.now) + "\n";
        }
    }
    return out;
}

std::string changes_summary(const std::vector<ShownChange>& changes) {
    std::vector<std::string> entities;
    for (const ShownChange& change : changes)
        if (std::find(entities.begin(), entities.end(), change.entity) == entities.end())
            entities.push_back(change.entity);
    std::string out = grouped(changes.size()) + (changes.size() == 1 ? " row" : " rows");
    for (std::size_t i = 0; i < entities.size(); ++i) out += (i == 0 ? ": " : ", ") + entities[i];
    return out;
}

std::string changes_json(const std::vector<ShownChange>& changes) {
    std::string out = "[";
    for (const ShownChange& change : changes) {
        JsonObject fields;
        for (const ShownField& field : change.fields)
            fields.json(field.attribute, JsonObject().shown("was", field.was).shown("now", field.now).done());
        JsonObject object;
        object.text("entity", change.entity)
            .text("key", change.key)
            .text("operation", change.operation)
            .json("fields", fields.done());
        out += (out.size() > 1 ? ", " : "") + object.done();
    }
    return out + "]";
}

JsonObject& JsonObject::json(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += ", ";
    text_ += json_text(name) + ": " + std::string(value);
    return *this;
}

JsonObject& JsonObject::text(std::string_view name, std::string_view value) {
    return json(name, json_text(value));
}
JsonObject& JsonObject::text_or_null(std::string_view name, std::string_view value) {
    return json(name, value.empty() ? "null" : json_text(value));
}
JsonObject& JsonObject::number(std::string_view name, std::uint64_t value) {
    return json(name, std::to_string(value));
}
JsonObject& JsonObject::flag(std::string_view name, bool value) {
    return json(name, value ? "true" : "false");
}
JsonObject& JsonObject::shown(std::string_view name, const MaybeShown& value) {
    return value ? json(name, *value ? json_text(**value) : "null") : *this;
}

std::string json_lines(const std::vector<std::string>& items) {
    std::string out = "[";
    for (const std::string& item : items) out += (out.size() > 1 ? ",\n " : "") + item;
    return out + "]\n";
}

std::string facts_text(const std::vector<std::pair<std::string, std::string>>& facts) {
    std::size_t width = 0;
    for (const auto& [name, value] : facts)
        if (!value.empty()) width = std::max(width, name.size());
    std::string out;
    for (const auto& [name, value] : facts)
        if (!value.empty()) out += name + std::string(width + 2 - name.size(), ' ') + visible(value) + "\n";
    return out;
}

Result<std::pair<std::string, std::string>> assignment(const std::string& text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0)
        return fail(Code::kInvalidArgument, "'" + text + "' is not attribute=value, such as status=open");
    return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

Result<std::vector<std::pair<std::string, Value>>> assignments(Device& device, std::string_view entity,
                                                               const std::vector<std::string>& texts) {
    std::vector<std::pair<std::string, Value>> out;
    for (const std::string& text : texts) {
        SKERRY_ASSIGN(auto parts, assignment(text));
        SKERRY_ASSIGN(Value value, device.value_from_text(entity, parts.first, parts.second));
        out.emplace_back(std::move(parts.first), std::move(value));
    }
    return out;
}

Result<Device> open_store(const std::string& path) {
    SKERRY_TRY(need_store(path));
    DeviceOptions options;
    options.path = path;
    return Device::open(options);
}

std::string cause_of(std::string_view code) {
    const ErrorEntry* entry = entry_of(code);
    return entry == nullptr ? "" : std::string(entry->cause);
}

std::string remedy_of(std::string_view code) {
    const ErrorEntry* entry = entry_of(code);
    return entry == nullptr ? "" : std::string(entry->remedy);
}

}  // namespace skerry::cli
