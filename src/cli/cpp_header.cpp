#include "cli/cpp_header.hpp"

#include <map>
#include <set>

#include "cli/print.hpp"
#include "model/value.hpp"

namespace skerry::cli {

namespace {

// The same for every model: how values become members and back, and what is done with rows.
constexpr std::string_view kBegin = R"cpp(#pragma once

#include <cstdint>
#include <optional>
#include <skerry/device.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>
)cpp";

constexpr std::string_view kDetail =
    R"cpp(namespace detail {

          template <class T>
          struct is_optional : std::false_type {};
          template <class T>
          struct is_optional<std::optional<T>> : std::true_type {};

          inline skerry::Value to_value(std::int64_t value) {
              return value;
          }
          inline skerry::Value to_value(double value) {
              return value;
          }
          inline skerry::Value to_value(bool value) {
              return std::int64_t{value ? 1 : 0};
          }
          inline skerry::Value to_value(const std::string& value) {
              return value;
          }
          inline skerry::Value to_value(const skerry::Blob& value) {
              return value;
          }
          template <class T>
          requires std::is_enum_v<T> skerry::Value to_value(T value) {
              return std::string(to_text(value));
          }
          template <class T>
          skerry::Value to_value(const std::optional<T>& value) {
              return value ? to_value(*value) : skerry::Value{skerry::Null{}};
          }

          // False if the value is of another type, or NULL where there must be one: the store has a newer model.
          template <class T>
          bool from_value(const skerry::Value& value, T& out) {
              if constexpr (is_optional<T>::value) {
                  out.reset();
                  return skerry::is_null(value) || from_value(value, out.emplace());
              } else if constexpr (std::is_same_v<T, bool>) {
                  const auto* number = std::get_if<std::int64_t>(&value);
                  if (number != nullptr) out = *number != 0;
                  return number != nullptr;
              } else if constexpr (std::is_enum_v<T>) {
                  const auto* text = std::get_if<std::string>(&value);
                  return text != nullptr && from_text(*text, out);
              } else {
                  const auto* held = std::get_if<T>(&value);
                  if (held != nullptr) out = *held;
                  return held != nullptr;
              }
          }

          template <class T, class... Members>
          skerry::Result<T> read(const std::vector<skerry::Value>& row, T object, Members... members) {
              std::size_t at = 0;
              bool good = row.size() == sizeof...(members);
              ((good = good && from_value(row[at++], object.*members)), ...);
              if (!good)
                  return skerry::fail(
                      skerry::Code::kValueInvalid,
                      "a row of " + std::string(T::kEntity) + " is not of the model that this header was made from");
              return object;
          }

          }  // namespace detail
)cpp";

constexpr std::string_view kFunctions =
    R"cpp(// Rows by a query: `select<T>(device, "WHERE name = ?1 ORDER BY name", {name})`. Errors: those of
          // Device::sql, and
          // value_invalid for a row that does not fit this header.
          template <class T>
          skerry::Result<std::vector<T>> select(skerry::Device& device, std::string_view rest = "",
                                                const std::vector<skerry::Value>& parameters = {}) {
              auto table = device.sql(
                  "SELECT " + std::string(T::kColumns) + " FROM " + std::string(T::kTable) + " " + std::string(rest),
                  parameters);
              if (!table) return skerry::fail(std::move(table.error()));
              std::vector<T> out;
              for (const auto& row : table->rows) {
                  auto object = T::from_row(row);
                  if (!object) return skerry::fail(std::move(object.error()));
                  out.push_back(std::move(*object));
              }
              return out;
          }

          // The row of that key, or nothing.
          template <class T>
          skerry::Result<std::optional<T>> find(skerry::Device& device, const std::string& key) {
              auto rows = select<T>(device, "WHERE " + std::string(T::kKey) + " = ?1", {key});
              if (!rows) return skerry::fail(std::move(rows.error()));
              return rows->empty() ? std::optional<T>{} : std::optional<T>{std::move(rows->front())};
          }

          // With an empty uuid key: make one with device.new_uuid() first.
          template <class T>
          skerry::Result<void> insert(skerry::Device& device, const T& object) {
              auto done = device.sql("INSERT INTO " + std::string(T::kTable) + "(" + std::string(T::kColumns) +
                                         ") VALUES(" + std::string(T::kMarks) + ")",
                                     object.values());
              if (!done) return skerry::fail(std::move(done.error()));
              return {};
          }

          // Writes what differs between what a form showed and what its user made of it (Device::update). Inside
          // device.transaction(). The keys must be equal.
          template <class T>
          skerry::Result<void> update(skerry::Device& device, const T& shown, const T& edited) {
              const std::vector<skerry::Value> before = shown.values();
              const std::vector<skerry::Value> after = edited.values();
              if (before.front() != after.front())
                  return skerry::fail(skerry::Code::kKeyUpdate, "a key cannot change; remove the row and insert it "
                                                                "anew");
              std::vector<std::pair<std::string, skerry::Value>> was;
              std::vector<std::pair<std::string, skerry::Value>> now;
              for (std::size_t i = 1; i < before.size(); ++i) {
                  was.emplace_back(T::kAttributes[i], before[i]);
                  now.emplace_back(T::kAttributes[i], after[i]);
              }
              return device.update(T::kEntity, std::get<std::string>(before.front()), was, now);
          }

          template <class T>
          skerry::Result<void> remove(skerry::Device& device, const T& object) {
              auto done =
                  device.sql("DELETE FROM " + std::string(T::kTable) + " WHERE " + std::string(T::kKey) + " = ?1",
                             {object.values().front()});
              if (!done) return skerry::fail(std::move(done.error()));
              return {};
          }
)cpp";

// A name that was not given before: with a number behind it where it was.
std::string distinct(std::string name, std::set<std::string>& given) {
    std::string out = name;
    for (int n = 2; !given.insert(out).second; ++n) out = name + "_" + std::to_string(n);
    return out;
}

struct Member {
    const model::Attribute* attribute;
    bool required;
    std::string name;
    std::string type;
    std::string note;
};

class EntityWriter {
  public:
    // `given`: the names of types so far.
    EntityWriter(const model::Model& model, const model::Entity& entity, std::set<std::string>& given)
        : model_(model), entity_(entity), given_(given), type_(distinct(cpp_type_name(entity.name), given)) {
        add(entity.key, true);
        for (const model::Attribute& attribute : entity.attributes) add(attribute, attribute.required);
    }

    std::string enums() const { return enums_; }

    std::string text() const {
        std::string out = "struct " + type_ + " {\n";
        const auto constant = [&](std::string_view name, const std::string& value) {
            out += "    static constexpr std::string_view " + std::string(name) + " = " + cpp_text(value) + ";\n";
        };
        int number = 0;
        std::string columns;
        std::string marks;
        std::string attributes;
        std::string values;
        std::string members;
        for (const Member& member : members_) {
            const std::string comma = columns.empty() ? "" : ", ";
            columns += comma + "\"" + member.attribute->name + "\"";
            marks += comma + "?" + std::to_string(++number);
            attributes += comma + "\"" + member.attribute->name + "\"";
            values += comma + "detail::to_value(" + member.name + ")";
            members += ", &" + type_ + "::" + member.name;
        }
        constant("kEntity", entity_.name);
        constant("kTable", "\"" + entity_.name + "\"");
        constant("kKey", "\"" + entity_.key.name + "\"");
        constant("kColumns", columns);
        constant("kMarks", marks);
        out += "    static constexpr const char* kAttributes[] = {" + attributes + "};\n\n";
        for (const Member& member : members_) {
            const std::string type = member.required ? member.type : "std::optional<" + member.type + ">";
            out += "    " + type + " " + member.name + initial(member) + ";" +
                   (member.note.empty() ? "" : "  // " + member.note) + "\n";
        }
        out += "\n    // A row of kColumns.\n";
        out += "    static skerry::Result<" + type_ +
               "> from_row(const std::vector<skerry::Value>& row) {\n        return detail::read(row, " + type_ + "{}" +
               members + ");\n    }\n";
        out += "    // The inverse.\n    std::vector<skerry::Value> values() const { return {" + values + "}; }\n";
        out += "    friend bool operator==(const " + type_ + "&, const " + type_ + "&) = default;\n};\n\n";
        return out;
    }

  private:
    void add(const model::Attribute& attribute, bool required) {
        Member member{&attribute, required, distinct(cpp_member(attribute.name), names_), "std::string", ""};
        switch (attribute.type) {
            case model::Type::kInt:
                member.type = "std::int64_t";
                break;
            case model::Type::kReal:
                member.type = "double";
                break;
            case model::Type::kBool:
                member.type = "bool";
                break;
            case model::Type::kBlob:
                member.type = "skerry::Blob";
                break;
            case model::Type::kDecimal:
                member.type = "std::int64_t";
                member.note = "decimal(" + std::to_string(attribute.precision) + ", " +
                              std::to_string(attribute.scale) + "): 1234 is " + model::decimal_text(attribute, 1234);
                break;
            case model::Type::kEnum:
                member.type = distinct(type_ + cpp_type_name(attribute.name), given_);
                write_enum(attribute, member.type);
                break;
            case model::Type::kDate:
                member.note = "such as 2026-11-21";
                break;
            case model::Type::kTimestamp:
                member.note = "such as 2026-11-21T10:30:00.000000Z";
                break;
            case model::Type::kJson:
                member.note = "JSON";
                break;
            case model::Type::kSet:
                member.note = "a set: a JSON array of texts";
                break;
            case model::Type::kUuid:
                member.note = "a uuid";
                break;
            case model::Type::kText:
                break;
        }
        if (attribute.references) member.note = "the key of a " + model_.entity(*attribute.references).name;
        members_.push_back(std::move(member));
    }

    void write_enum(const model::Attribute& attribute, const std::string& type) {
        std::set<std::string> given;
        std::string constants;
        std::string texts;
        std::string reads;
        for (const std::string& value : attribute.values) {
            const std::string word = cpp_type_name(value);
            const std::string constant = distinct("k" + (word.empty() ? "Value" : word), given);
            constants += (constants.empty() ? "" : ", ") + constant;
            texts += "        case " + type + "::" + constant + ": return " + cpp_text(value) + ";\n";
            reads += "    if (text == " + cpp_text(value) + ") return out = " + type + "::" + constant + ", true;\n";
            if (attribute.default_value == Value{value}) default_constants_[&attribute] = type + "::" + constant;
        }
        enums_ += "enum class " + type + " { " + constants + " };\n";
        enums_ += "inline std::string_view to_text(" + type + " value) {\n    switch (value) {\n" + texts +
                  "    }\n    return \"\";\n}\n";
        enums_ +=
            "inline bool from_text(std::string_view text, " + type + "& out) {\n" + reads + "    return false;\n}\n\n";
    }

    // " = value", where the type alone would leave a member without one, or where the model has a default.
    std::string initial(const Member& member) const {
        const model::Attribute& attribute = *member.attribute;
        if (!attribute.default_value) {
            if (!member.required) return "";
            if (attribute.type == model::Type::kReal) return " = 0";
            if (attribute.type == model::Type::kBool) return " = false";
            if (attribute.type == model::Type::kInt || attribute.type == model::Type::kDecimal) return " = 0";
            return attribute.type == model::Type::kEnum ? " = {}" : "";
        }
        const Value& value = *attribute.default_value;
        if (attribute.type == model::Type::kEnum) return " = " + default_constants_.at(&attribute);
        if (attribute.type == model::Type::kBool) return value == Value{std::int64_t{1}} ? " = true" : " = false";
        if (const auto* number = std::get_if<std::int64_t>(&value))
            return *number == INT64_MIN ? " = INT64_MIN" : " = " + std::to_string(*number);
        if (const auto* real = std::get_if<double>(&value)) return " = " + real_text(*real);
        if (const auto* text = std::get_if<std::string>(&value)) return " = " + cpp_text(*text);
        std::string bytes;
        for (const std::uint8_t byte : std::get<Blob>(value))
            bytes += (bytes.empty() ? "" : ", ") + std::to_string(byte);
        return " = skerry::Blob{" + bytes + "}";
    }

    const model::Model& model_;
    const model::Entity& entity_;
    std::set<std::string>& given_;
    const std::string type_;
    std::set<std::string> names_;
    std::vector<Member> members_;
    std::string enums_;
    std::map<const model::Attribute*, std::string> default_constants_;
};

}  // namespace

std::string cpp_header(const model::Model& model, std::string_view source, std::string_view name_space) {
    std::string out = "// Made by `skerry types` from " + visible(source) + ": app '" + model.app + "', version " +
                      std::to_string(model.version) +
                      ".\n// Make it anew when the model changes; what is written into it by hand is lost.\n";
    out += kBegin;
    out += "namespace " + std::string(name_space) + " {\n\n";
    std::set<std::string> given;
    std::vector<EntityWriter> entities;
    for (const model::Entity& entity : model.entities)
        if (!entity.builtin()) entities.emplace_back(model, entity, given);
    for (const EntityWriter& entity : entities) out += entity.enums();
    out += kDetail;
    for (const EntityWriter& entity : entities) out += entity.text();
    out += kFunctions;
    out += "}  // namespace " + std::string(name_space) + "\n";
    return out;
}

}  // namespace skerry::cli
