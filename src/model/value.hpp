// Values in their one canonical form per type, and rows of them.
#pragma once

#include <skerry/value.hpp>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::model {

// A row without its key: one value per Entity::attributes, in that order.
using Row = std::vector<Value>;

inline constexpr std::size_t kKeyBytesMax = 512;             // keys are copied into every index and frame
inline constexpr std::size_t kValueBytesMax = 4u << 20;  // one value; larger things are files
inline constexpr std::size_t kRowBytesMax = 8u << 20;

// NULL, or the canonical form of the attribute's type; else value_invalid or row_too_big, naming the attribute.
Result<void> check_value(const Entity& entity, const Attribute& attribute, const Value& value);
// The same for a key, which cannot be NULL.
Result<void> check_key(const Entity& entity, std::string_view key);
Result<void> check_row(const Entity& entity, std::string_view key, const Row& row);

// One tag byte, then the value; the canonical bytes that rows are sent, journalled, compared and hashed by.
void put_value(Writer& out, const Value& value);
// A hostile tag or length makes `in` fail.
Value get_value(Reader& in);

void put_row(Writer& out, const Row& row);
Row get_row(Reader& in, const Entity& entity);

// Names a version of a row: equal rows have equal hashes. An absent row has the all-zero hash.
Hash128 row_hash(const Row& row);

std::string to_text(const Value& value);  // for messages and tests: NULL, 5, 'text', x'00ff'

}  // namespace skerry::model
