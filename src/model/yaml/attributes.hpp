// Attributes as the file writes them, and what becomes of them once every entity's key is known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

// Pointers are into the tree, which outlives it.
struct RawAttribute {
    Attribute attribute;
    std::string place;  // "entity.attribute", quoted, for messages
    const Node* name = nullptr;
    const Node* type = nullptr;
    bool is_key = false;
    std::string parent;           // an association: the other entity's name, its type not known yet
    const Node* merge = nullptr;  // the word that stands there
    const Node* merge_value = nullptr;
    const Node* check = nullptr;
    const Node* default_node = nullptr;       // full form
    std::optional<std::string> default_text;  // short form
    bool sound = true;  // false: its type could not be read, so nothing that depends on it is looked at
};

class AttributeReader {
  public:
    AttributeReader(Faults& faults, std::vector<std::string_view> entity_names)
        : faults_(faults), entity_names_(std::move(entity_names)) {}

    RawAttribute read(std::string_view entity, const Node& name, const Node& value, bool is_key);
    // Default, merge policy and what they need of the type, which is final now.
    void finish(const Entity& entity, RawAttribute& raw);

  private:
    void full_form(RawAttribute& raw, const Node& value);
    void read_type(RawAttribute& raw, const Node& node, const Node* values);
    void read_type_word(RawAttribute& raw, const Node& node, const Node* values, std::string_view word,
                        const std::vector<std::string>* arguments);
    void read_values(RawAttribute& raw, const Node& list);
    void take_values(RawAttribute& raw, Mark mark, std::vector<std::string> values);
    void read_decimal(RawAttribute& raw, const Node& node, const std::vector<std::string>* arguments);
    void read_merge(RawAttribute& raw);
    void read_default(const Entity& entity, RawAttribute& raw);
    void broken(RawAttribute& raw, Mark mark, std::string text);

    Faults& faults_;
    std::vector<std::string_view> entity_names_;
};

// `word: true` or `word: false`; a fault otherwise.
bool read_flag(Faults& faults, const Node& node, std::string_view what);

}  // namespace skerry::model::yaml
