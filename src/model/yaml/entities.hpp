// The entities of the file: what each says of itself, then what they say of each other.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/yaml/attributes.hpp"

namespace skerry::model::yaml {

class EntityReader {
  public:
    explicit EntityReader(Faults& faults) : faults_(faults) {}

    // In reference order: a parent before its children; entities in a ring as the file has them. Empty after a fault.
    std::vector<Entity> read(const Node& entities);

  private:
    struct Raw {
        Entity entity;  // with its attributes once they are finished
        const Node* name = nullptr;
        std::vector<RawAttribute> attributes;  // with the key
        const Node* on_delete = nullptr;
        const Node* unique = nullptr;
        const Node* indexes = nullptr;
        const Node* checks = nullptr;
        std::vector<std::pair<std::uint32_t, const Node*>> cascades;  // attribute, where it is said
        bool sound = true;  // false: an attribute or the key could not be read
    };

    void read_entity(const Node& name, const Node& body, AttributeReader& attributes);
    void read_words(Raw& raw, const Node& body, const Node*& attributes, const Node*& key);
    const Node* find_key(const Node& entity, const Node& attributes, const Node* key);
    template <class Enum>
    void read_policy(const Raw& raw, const Node& word, const Node& value, Words words, Enum& policy);

    // What needs the other entities, or the finished attributes (relations.cpp).
    void resolve_associations();
    void finish(Raw& raw, AttributeReader& attributes);
    void no_merge_beside_conflict(const Raw& raw);
    void read_on_delete(Raw& raw);
    void read_lists(Raw& raw, const Node& lists, std::string_view what, std::vector<AttributeList>& out);
    void read_list(Raw& raw, const Node& node, std::string_view what, std::vector<AttributeList>& out);
    void read_checks(Raw& raw);
    void read_check(Raw& raw, const Node& node, std::string_view attribute);
    void find_cascade_ring();
    std::vector<Entity> in_reference_order();

    Faults& faults_;
    std::vector<Raw> raw_;
};

}  // namespace skerry::model::yaml
