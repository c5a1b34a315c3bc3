#include "model/yaml/entities.hpp"

#include <algorithm>

#include "model/yaml/words.hpp"

namespace skerry::model::yaml {

std::vector<Entity> EntityReader::read(const Node& entities) {
    std::vector<std::string_view> names;
    for (const auto& [name, body] : entities.entries) names.push_back(name.text);
    if (names.size() > kEntitiesMax) {
        faults_.invalid(entities.mark, std::to_string(names.size()) + " entities; at most " +
                                           std::to_string(kEntitiesMax) + " are allowed");
        return {};
    }
    AttributeReader attributes(faults_, std::move(names));
    for (const auto& [name, body] : entities.entries) read_entity(name, body, attributes);
    resolve_associations();
    for (Raw& raw : raw_) finish(raw, attributes);
    if (!faults_.list.empty()) return {};
    find_cascade_ring();
    return in_reference_order();
}

void EntityReader::read_entity(const Node& name, const Node& body, AttributeReader& reader) {
    Raw& raw = raw_.emplace_back();
    raw.entity.name = name.text;
    raw.sound = false;
    const std::string entity = "entity " + quoted(name.text);
    if (faults_.name_is_good(name, "entity") && contains(kTypes, name.text))
        faults_.invalid(
            name.mark,
            "the entity name " + quoted(name.text) +
                " is the name of a type, so an association to it could not be told from that type; use another name");
    if (body.kind != Kind::kMap) return faults_.invalid(body.mark, entity + " needs `attributes:`");
    const Node* attributes = nullptr;
    const Node* key = nullptr;
    read_words(raw, body, attributes, key);
    if (attributes == nullptr || attributes->kind != Kind::kMap || attributes->entries.empty())
        return faults_.invalid(attributes == nullptr ? name.mark : attributes->mark,
                               entity + " needs `attributes:`, such as `attributes: { id: uuid, name: text }`");
    if (attributes->entries.size() > kAttributesMax + 1)
        return faults_.invalid(attributes->mark, std::to_string(attributes->entries.size()) + " attributes; at most " +
                                                     std::to_string(kAttributesMax) + " beside the key are allowed");
    const Node* key_node = find_key(name, *attributes, key);
    raw.sound = key_node != nullptr;
    for (const auto& [attribute, value] : attributes->entries) {
        raw.attributes.push_back(reader.read(name.text, attribute, value, &attribute == key_node));
        raw.sound = raw.sound && raw.attributes.back().sound;
    }
}

void EntityReader::read_words(Raw& raw, const Node& body, const Node*& attributes, const Node*& key) {
    const std::string where = " of entity " + quoted(raw.entity.name);
    for (const auto& [word, value] : body.entries) {
        if (word.text == "attributes")
            attributes = &value;
        else if (word.text == "key")
            key = &value;
        else if (word.text == "conflict")
            read_policy(raw, word, value, kConflicts, raw.entity.conflict);
        else if (word.text == "update_delete")
            read_policy(raw, word, value, kUpdateDeletes, raw.entity.update_delete);
        else if (word.text == "create_create")
            read_policy(raw, word, value, kCreateCreates, raw.entity.create_create);
        else if (word.text == "strict")
            raw.entity.strict = read_flag(faults_, value, "`strict:`" + where);
        else if (word.text == "on_delete")
            raw.on_delete = &value;
        else if (word.text == "unique")
            raw.unique = &value;
        else if (word.text == "indexes")
            raw.indexes = &value;
        else if (word.text == "checks")
            raw.checks = &value;
        else if (const NotYet* elsewhere = find(kEntityElsewhere, word.text))
            faults_.invalid(
                word.mark, "`" + word.text + ":`" + where + " does not stand here; " + std::string(elsewhere->instead));
        else
            faults_.unknown_word(word, where, kEntityWords, {});
    }
}

// The attribute that `key:` names, else the one called id.
const Node* EntityReader::find_key(const Node& entity, const Node& attributes, const Node* key) {
    if (key != nullptr && key->kind != Kind::kScalar) {
        if (key->kind == Kind::kList)
            faults_.not_yet(key->mark,
                            "a key of several attributes is not supported; use a uuid key, and `unique: [[a, b]]` for "
                            "the attributes");
        else
            faults_.invalid(key->mark, "`key:` must name an attribute");
        return nullptr;
    }
    const std::string_view wanted = key == nullptr ? std::string_view("id") : key->text;
    for (const auto& [name, value] : attributes.entries)
        if (name.text == wanted) return &name;
    if (key == nullptr) {
        faults_.invalid(entity.mark,
                        "entity " + quoted(entity.text) + " has no key; give it `id: uuid`, or say `key: attribute`");
        return nullptr;
    }
    std::vector<std::string_view> names;
    for (const auto& [name, value] : attributes.entries) names.push_back(name.text);
    faults_.wrong_word(key->mark,
                       "`key:` names " + quoted(wanted) + ", which is no attribute of entity " + quoted(entity.text),
                       wanted, names);
    return nullptr;
}

// `words` are in the order of the enum, whose numbers begin at 1.
template <class Enum>
void EntityReader::read_policy(const Raw& raw, const Node& word, const Node& value, Words words, Enum& policy) {
    std::string text = value.text;
    std::replace(text.begin(), text.end(), '-', '_');
    const auto at = std::find(words.begin(), words.end(), text);
    if (value.kind == Kind::kScalar && at != words.end()) {
        policy = static_cast<Enum>(at - words.begin() + 1);
        return;
    }
    faults_.wrong_word(value.mark,
                       "`" + word.text + ":` of entity " + quoted(raw.entity.name) + " cannot be " + quoted(value.text),
                       value.text, words);
}

}  // namespace skerry::model::yaml
