// What people write into the rows of any model: few and plain values, so that devices meet and a reader of the report
// knows what he sees. How an attribute is written follows from its policy, its type and, for texts and numbers, its name.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/random.hpp"
#include "kit/oracle/facts.hpp"
#include "model/model.hpp"

namespace skerry::kit {

// The words that can stand where this one stands, itself included; none for a word of another origin. No word is part of
// another, and a prose text has each kind once and in one order: two correct comparisons of two such texts see the same.
std::span<const std::string_view> words_like(std::string_view word);

enum class Manner {
    kReplaced,  // by a value of its own
    kAddedTo,   // n = n + 3
    kReworded,  // one word of several
    kMembers,   // a text put into a set or taken out
};

class Vocabulary {
  public:
    Vocabulary(const model::Model& model, Holds holds) : model_(model), holds_(std::move(holds)) {}

    static Manner manner(const model::Entity& entity, const model::Attribute& attribute);
    // Whether it is alone in one of its entity's uniques.
    static bool is_unique(const model::Entity& entity, std::uint32_t attribute);

    // The nth key of an entity. The first kFirstRows are those of the rows that everybody begins with.
    static constexpr std::int64_t kFirstRows = 4;
    std::string key(EntityIx entity, std::int64_t n) const;
    // One of few; a reference names one of the first rows. NULL now and then, where it may.
    Value value(Random& random, const model::Entity& entity, const model::Attribute& attribute) const;
    // The nth of many: equal for equal n only, as far as the type has so many.
    Value numbered(const model::Attribute& attribute, std::int64_t n) const;
    // What is added to a number.
    Value amount(Random& random, const model::Attribute& attribute) const;
    static std::string word(Random& random);
    static std::string tag(Random& random);
    // A row that keeps the entity's checks, uniques by `n`; nothing if none was found.
    std::optional<model::Row> row(Random& random, EntityIx entity, const std::string& key, std::int64_t n) const;
    bool is_sound(const model::Entity& entity, const std::string& key, const model::Row& row) const;

  private:
    std::optional<Value> literal(Random& random, const model::Entity& entity, const model::Attribute& attribute) const;

    const model::Model& model_;
    Holds holds_;
};

}  // namespace skerry::kit
