#include "model/yaml/attributes.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "model/json.hpp"
#include "model/value.hpp"
#include "model/yaml/type_text.hpp"
#include "model/yaml/words.hpp"

namespace skerry::model::yaml {

namespace {

constexpr std::string_view kSayType =
    "; say one of uuid, text, int, real, decimal(10, 2), bool, date, timestamp, json, blob, set, "
    "enum(a, b), or an entity's name";

std::optional<Type> type_named(std::string_view word) {
    for (int n = 1; n <= static_cast<int>(Type::kEnum); ++n)
        if (type_name(static_cast<Type>(n)) == word) return static_cast<Type>(n);
    return std::nullopt;
}

std::optional<int> small_number(std::string_view text) {
    int n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return n;
}

}  // namespace

bool read_flag(Faults& faults, const Node& node, std::string_view what) {
    if (node.kind == Kind::kScalar && node.plain && (node.text == "true" || node.text == "false"))
        return node.text == "true";
    faults.invalid(node.mark, std::string(what) + " is `true` or `false`");
    return false;
}

void AttributeReader::broken(RawAttribute& raw, Mark mark, std::string text) {
    faults_.invalid(mark, "attribute " + raw.place + ": " + text);
    raw.sound = false;
}

RawAttribute AttributeReader::read(std::string_view entity, const Node& name, const Node& value, bool is_key) {
    RawAttribute raw;
    raw.attribute.name = name.text;
    raw.place = quoted(std::string(entity) + "." + name.text);
    raw.name = &name;
    raw.is_key = is_key;
    if (!faults_.name_is_good(name, "attribute")) raw.sound = false;
    if (value.kind == Kind::kMap) {
        full_form(raw, value);
    } else {
        read_type(raw, value, nullptr);
    }
    if (is_key && raw.sound) {
        if (raw.attribute.required)
            faults_.invalid(raw.type->mark,
                            "attribute " + raw.place + " is the key, which always is required; leave the `!` out");
        if (raw.default_node != nullptr || raw.default_text)
            faults_.invalid(raw.type->mark, "attribute " + raw.place +
                                                " is the key, which is made with each row; leave the default out");
        raw.attribute.required = false;
        raw.default_node = nullptr;
        raw.default_text.reset();
    }
    return raw;
}

void AttributeReader::full_form(RawAttribute& raw, const Node& value) {
    const Node* type = nullptr;
    const Node* values = nullptr;
    const Node* required = nullptr;
    const std::string where = " of attribute " + raw.place;
    for (const auto& [word, item] : value.entries) {
        if (word.text == "type") {
            type = &item;
        } else if (word.text == "merge") {
            raw.merge = &word;
            raw.merge_value = &item;
        } else if (word.text == "required") {
            required = &item;
        } else if (word.text == "default") {
            raw.default_node = &item;
        } else if (word.text == "values") {
            values = &item;
        } else if (word.text == "check") {
            raw.check = &item;
        } else if (const NotYet* elsewhere = find(kAttributeElsewhere, word.text)) {
            faults_.invalid(
                word.mark, "`" + word.text + ":`" + where + " does not stand here; " + std::string(elsewhere->instead));
        } else if (item.kind == Kind::kNull && word.text.ends_with(')')) {
            faults_.invalid(word.mark, "unknown word " + quoted(word.text) + where +
                                           "; a type with a comma stands in quotes here, such as \"decimal(10, 2)\"");
        } else {
            faults_.unknown_word(word, where, kAttributeWords, {});
        }
    }
    if (type == nullptr) return broken(raw, value.mark, "it has no `type:`" + std::string(kSayType));
    read_type(raw, *type, values);
    if (required != nullptr && read_flag(faults_, *required, "`required:`" + where)) raw.attribute.required = true;
    if (raw.default_node != nullptr && raw.default_text)
        broken(raw, raw.default_node->mark, "it has two defaults; leave one of them out");
}

void AttributeReader::read_type(RawAttribute& raw, const Node& node, const Node* values) {
    raw.type = &node;
    if (node.kind == Kind::kList) {
        if (values != nullptr) return broken(raw, values->mark, "its values are written twice; leave `values:` out");
        raw.attribute.type = Type::kEnum;
        return read_values(raw, node);
    }
    if (node.kind != Kind::kScalar || node.text.empty())
        return broken(raw, node.mark, "it has no type" + std::string(kSayType));
    TypeText text = parse_type(node.text);
    if (!text.fault.empty()) return broken(raw, node.mark, text.fault);
    raw.attribute.required = text.required;
    raw.default_text = std::move(text.default_value);
    read_type_word(raw, node, values, text.word, text.has_arguments ? &text.arguments : nullptr);
}

void AttributeReader::read_type_word(RawAttribute& raw, const Node& node, const Node* values, std::string_view word,
                                     const std::vector<std::string>* arguments) {
    const auto type = type_named(word);
    if (values != nullptr && type != Type::kEnum) return broken(raw, values->mark, "`values:` is for the type enum");
    if (type) {
        raw.attribute.type = *type;
        if (raw.is_key && *type != Type::kUuid && *type != Type::kText) {
            raw.sound = false;
            return faults_.not_yet(node.mark, "attribute " + raw.place + ": a key of type " + std::string(word) +
                                                  " is not supported; use a uuid key and keep the " +
                                                  std::string(word) +
                                                  " beside it, with `unique: [[…]]` if no two rows may share it");
        }
        if (type == Type::kDecimal) return read_decimal(raw, node, arguments);
        if (type == Type::kEnum) {
            if (arguments != nullptr && values != nullptr)
                return broken(raw, values->mark, "its values are written twice; leave `values:` out");
            if (values != nullptr) return read_values(raw, *values);
            if (arguments != nullptr) return take_values(raw, node.mark, *arguments);
            return broken(
                raw, node.mark,
                "an enum says its values: `enum(open, closed)`, or `values: [open, closed]` beside `type: enum`");
        }
        if (arguments != nullptr)
            return broken(raw, node.mark, "the type " + std::string(word) + " takes nothing in brackets");
        return;
    }
    if (std::find(entity_names_.begin(), entity_names_.end(), word) != entity_names_.end()) {
        if (arguments != nullptr) return broken(raw, node.mark, "an association takes nothing in brackets");
        if (raw.is_key) {
            raw.sound = false;
            return faults_.not_yet(
                node.mark,
                "attribute " + raw.place +
                    ": a key that is an association is not supported; use a uuid key and an association beside it");
        }
        raw.parent = word;
        return;
    }
    if (const NotYet* n = find(kTypesNotYet, word)) {
        raw.sound = false;
        return faults_.not_yet(node.mark, "attribute " + raw.place + ": the type " + quoted(word) +
                                              " is not supported; " + std::string(n->instead));
    }
    raw.sound = false;
    std::vector<std::string_view> known(std::begin(kTypes), std::end(kTypes));
    known.insert(known.end(), entity_names_.begin(), entity_names_.end());
    faults_.wrong_word(node.mark, "attribute " + raw.place + ": unknown type " + quoted(word), word, known,
                       kTypesNotYet);
}

void AttributeReader::read_values(RawAttribute& raw, const Node& list) {
    if (list.kind != Kind::kList) return broken(raw, list.mark, "`values:` is a list, such as [open, closed]");
    std::vector<std::string> values;
    for (const Node& item : list.items) {
        if (item.kind != Kind::kScalar)
            return broken(raw, item.mark, "a value of an enum is a word; null, ~ and the like stand in quotes");
        values.push_back(item.text);
    }
    take_values(raw, list.mark, std::move(values));
}

void AttributeReader::take_values(RawAttribute& raw, Mark mark, std::vector<std::string> values) {
    if (raw.is_key) {
        raw.sound = false;
        return faults_.not_yet(mark,
                               "attribute " + raw.place + ": a key of type enum is not supported; use a text key");
    }
    if (values.empty() || values.size() > kEnumValuesMax)
        return broken(
            raw, mark,
            "an enum has 1 to " + std::to_string(kEnumValuesMax) + " values, not " + std::to_string(values.size()));
    std::set<std::string_view> seen;
    for (const std::string& value : values) {
        if (value.empty()) return broken(raw, mark, "a value of the enum is empty");
        if (value.size() > kNameLengthMax * 4)
            return broken(
                raw, mark,
                "the value " + quoted(value) + " is longer than " + std::to_string(kNameLengthMax * 4) + " bytes");
        if (!seen.insert(value).second) return broken(raw, mark, "the value " + quoted(value) + " is there twice");
    }
    raw.attribute.values = std::move(values);
}

void AttributeReader::read_decimal(RawAttribute& raw, const Node& node, const std::vector<std::string>* arguments) {
    const std::string how = "; write decimal(precision, scale): the digits in all, at most " +
                            std::to_string(kPrecisionMax) +
                            ", and those behind the point, such as decimal(10, 2) for amounts up to 99999999.99";
    if (arguments == nullptr || arguments->size() != 2)
        return broken(raw, node.mark, "a decimal says how many digits it has" + how);
    const auto precision = small_number(arguments->front());
    const auto scale = small_number(arguments->back());
    if (!precision || !scale || *precision < 1 || *precision > kPrecisionMax || *scale < 0 || *scale > *precision)
        return broken(raw, node.mark,
                      "decimal(" + arguments->front() + ", " + arguments->back() + ") is not possible" + how);
    raw.attribute.precision = static_cast<std::uint8_t>(*precision);
    raw.attribute.scale = static_cast<std::uint8_t>(*scale);
}

void AttributeReader::finish(const Entity& entity, RawAttribute& raw) {
    if (raw.merge != nullptr) read_merge(raw);
    if (raw.sound && (raw.default_node != nullptr || raw.default_text)) read_default(entity, raw);
}

void AttributeReader::read_merge(RawAttribute& raw) {
    const std::string place = "attribute " + raw.place;
    if (raw.is_key)
        return faults_.invalid(raw.merge->mark, place + " is the key, which never changes; leave `merge:` out");
    const Node& value = *raw.merge_value;
    const bool is_map = value.kind == Kind::kMap && !value.entries.empty();
    const std::string_view text = is_map ? value.entries.front().key.text : value.text;
    const std::string_view policy = trimmed(text.substr(0, text.find(':')));
    if (const NotYet* n = find(kMergeNotYet, policy))
        return faults_.not_yet(
            value.mark, place + ": `merge: " + std::string(policy) + "` is not supported; " + std::string(n->instead));
    if (value.kind == Kind::kList) return faults_.invalid(value.mark, place + ": `merge:` is one policy, not a list");
    const auto at = std::find(std::begin(kMerges), std::end(kMerges), text);
    if (value.kind != Kind::kScalar || at == std::end(kMerges))
        return faults_.wrong_word(value.mark, place + ": unknown merge policy " + quoted(text), text, kMerges,
                                  kMergeNotYet);
    raw.attribute.merge = static_cast<Merge>(at - std::begin(kMerges) + 1);
    if (!raw.sound) return;
    if (const std::string_view needs = merge_needs(raw.attribute.merge, raw.attribute.type); !needs.empty())
        faults_.invalid(value.mark, place + ": `merge: " + std::string(text) + "` is for the types " +
                                        std::string(needs) + ", not for " + std::string(type_name(raw.attribute.type)) +
                                        "; `last`, `first` and `ask` suit every type");
}

void AttributeReader::read_default(const Entity& entity, RawAttribute& raw) {
    const Mark mark = raw.default_node != nullptr ? raw.default_node->mark : raw.type->mark;
    const Attribute& attribute = raw.attribute;
    if (raw.default_node != nullptr && raw.default_node->kind == Kind::kNull)
        return broken(raw, mark, "NULL is the default when none is said; leave it out");
    Result<Value> value = Value{Null{}};
    if (raw.default_text) {
        if (raw.default_text->empty())
            return broken(raw, mark,
                          "nothing stands behind the `=`; for an empty text use `default: \"\"` of the full form");
        value = value_from_text(entity, attribute, *raw.default_text);
    } else if (raw.default_node->kind == Kind::kList && attribute.type == Type::kSet) {
        std::string json = "[";
        for (const Node& item : raw.default_node->items) {
            if (item.kind != Kind::kScalar) return broken(raw, item.mark, "a member of a set is text");
            if (json.size() > 1) json += ',';
            append_json_string(json, item.text);
        }
        value = value_from_json(entity, attribute, json + "]");
    } else if (raw.default_node->kind != Kind::kScalar) {
        return broken(raw, mark,
                      "the default of a " + std::string(type_name(attribute.type)) + " is not written like this" +
                          (attribute.type == Type::kJson ? "; write the JSON in single quotes" : ""));
    } else if (!raw.default_node->plain && (attribute.type == Type::kText || attribute.type == Type::kEnum)) {
        value = value_from_json(entity, attribute, json_string(raw.default_node->text));
    } else {
        value = value_from_text(entity, attribute, raw.default_node->text);
    }
    if (!value && attribute.type == Type::kBool) return broken(raw, mark, "its default is true or false");
    if (!value) {
        std::string_view why = value.error().message;  // "thing.n is not …": the place is said already
        const std::string begin = entity.name + "." + attribute.name + " ";
        if (why.starts_with(begin)) why.remove_prefix(begin.size());
        return broken(raw, mark, "its default " + std::string(why));
    }
    if (is_null(*value))
        return broken(raw, mark, "NULL is the default when none is said; leave it out, or put the word in quotes");
    raw.attribute.default_value = std::move(*value);
}

}  // namespace skerry::model::yaml
