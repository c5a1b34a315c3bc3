// Types of the parts of an expression, while it is parsed; inside the room only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "rules/rules.hpp"

namespace skerry::rules {

// As model::Type, but for the word null, which is of every type.
struct Type {
    std::optional<model::Type> type{};
    std::uint8_t scale = 0;                       // decimal
    const model::Attribute* attribute = nullptr;  // whose values a literal beside it must be among; may be null
};

struct Typed {
    Node node;
    Type type;
    std::size_t at = 0;
    // The number or text as it was written, for as long as what stands beside it may still give it another type.
    std::optional<std::string> literal{};
};

bool is(const Type& type, model::Type wanted);
bool is_null(const Type& type);
bool is_text(const Type& type);  // text, uuid, enum
bool is_number(const Type& type);

Result<Typed> number_literal(std::string text, std::size_t at);
Typed text_literal(std::string text, std::size_t at);

// The one type that all of them have, after literals took that of their neighbours. `what` is for messages:
// "compared".
Result<Type> unify(const model::Entity& entity, std::span<Typed> parts, std::string_view what);

// A whole number where a real is wanted, so that dividing it later does not cut it.
void as_real(Typed& part);

// How many symbols SQLite's parser holds at most while it reads to_sql() of the tree (sql.cpp).
int open_symbols(const Node& root);

}  // namespace skerry::rules
