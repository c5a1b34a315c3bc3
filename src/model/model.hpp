// What an app is: entities, their attributes and types, in the compiled form that devices receive.
//
// A Model is immutable once built. Its compiled bytes are canonical: equal models have equal bytes, so the
// hash names the model. Order of entities is reference order (a parent before its children); their position
// is their EntityIx. No YAML is parsed on a device: the reader is in yaml/, native only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace skerry::model {

// Part of the compiled form: do not change a number.
enum class Type : std::uint8_t {
    kUuid = 1,
    kText = 2,
    kInt = 3,
};

// Part of the compiled form: do not change a number.
enum class Merge : std::uint8_t {
    kLast = 1,
};

struct Attribute {
    std::string name;
    Type type = Type::kText;
    Merge merge = Merge::kLast;  // of no meaning for a key
    friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Entity {
    std::string name;
    Attribute key;  // uuid or text
    std::vector<Attribute> attributes;  // without the key
    friend bool operator==(const Entity&, const Entity&) = default;
};

// Every limit with its reason; beyond it the model is refused with model_invalid.
inline constexpr std::size_t kEntitiesMax = 500;     // one capture trigger set and one scope each
inline constexpr std::size_t kAttributesMax = 1000;  // SQLite allows 2,000 columns; pre-image tables add two
inline constexpr std::size_t kNameLengthMax = 63;    // PostgreSQL cuts longer identifiers

inline constexpr std::uint16_t kModelFormat = 1;

struct Model {
    std::string app;
    std::uint32_t version = 1;
    std::vector<Entity> entities;
    friend bool operator==(const Model&, const Model&) = default;

    const Entity& entity(EntityIx ix) const { return entities[ix.value]; }
    bool has(EntityIx ix) const { return ix.value < entities.size(); }
    // Null when there is none of that name.
    const Entity* find(std::string_view name, EntityIx* ix = nullptr) const;

    Bytes compile() const;
    std::uint64_t hash() const;
    // Refuses what is damaged, newer (format_too_new) or beyond a limit (model_invalid).
    static Result<Model> load(BytesView compiled);
};

// Lower-case letters, digits and underscores, beginning with a letter; not skerry…, not sqlite….
bool is_valid_name(std::string_view name);

// The limits and names above, and what only a whole model shows: duplicate names, no key. The message names the place.
Result<void> check(const Model& model);

std::string_view type_name(Type type);

}  // namespace skerry::model
