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
inline constexpr std::size_t kBlobBytesMax = 1u << 20;
inline constexpr std::size_t kRowBytesMax = 8u << 20;
// Old values of larger blobs travel and are journalled as a hash: they are compared, never shown or merged.
inline constexpr std::size_t kOldBlobBytesMax = 8u << 10;

// NULL, or the canonical form of the attribute's type; else value_invalid or row_too_big, naming the attribute.
// Whether NULL is allowed is not asked here: a row may stop being complete only for the server to see.
Result<void> check_value(const Entity& entity, const Attribute& attribute, const Value& value);
// Makes canonical what has more than one spelling (json, set, -0.0); the rest must be canonical already. A json
// attribute that holds the word null holds nothing: it becomes NULL, or the two could not be told apart in JSON.
// Errors: those of check_value.
Result<Value> canonical(const Entity& entity, const Attribute& attribute, Value value);
// The same for a key, which cannot be NULL.
Result<void> check_key(const Entity& entity, std::string_view key);
Result<void> check_row(const Entity& entity, std::string_view key, const Row& row);

// One tag byte, then the value; the canonical bytes that rows are sent, journalled, compared and hashed by.
void put_value(Writer& out, const Value& value);
// A hostile tag or length makes `in` fail.
Value get_value(Reader& in);

void put_row(Writer& out, const Row& row);
Row get_row(Reader& in, const Entity& entity);

// For what is kept while a model changes: with the number of values; attributes that came later have their default.
void put_counted_row(Writer& out, const Row& row);
Row get_counted_row(Reader& in, const Entity& entity);

// Names a version of a row: equal rows have equal hashes, also before and after an attribute was added (a trailing
// attribute that holds what a row of the older model would be given does not count). An absent row has the all-zero hash.
Hash128 row_hash(const Entity& entity, const Row& row);

// Names a value: equal canonical values have equal hashes.
std::uint64_t value_hash(const Value& value);

// NULL or the attribute's default.
Value default_of(const Attribute& attribute);

std::string to_text(const Value& value);  // for messages and tests: NULL, 5, 'text', x'00ff'

// ---- as people and JSON write them ----

// 1234 at scale 2 is "12.34". Precondition: an attribute of type decimal.
std::string decimal_text(const Attribute& attribute, std::int64_t scaled);
// "12.34", "-0.5", "7" -> scaled; value_invalid when it is no decimal number, has too many digits or does not fit.
Result<std::int64_t> decimal_from_text(const Entity& entity, const Attribute& attribute, std::string_view text);

// A value as JSON: text, uuid, enum, date, timestamp and decimal as strings, a set as an array, json as itself, blob
// as base64, int as a number up to 2^53 - 1 and as a string beyond.
void append_json(std::string& out, const Attribute& attribute, const Value& value);
// The inverse, which also takes an int of any size and a decimal as a number, to the digit. value_invalid names the
// attribute.
Result<Value> value_from_json(const Entity& entity, const Attribute& attribute, std::string_view json);
// From what a person types: as in JSON, but a string needs no quotes; the word null is NULL for all but text types,
// for which it has to be written without quotes to be NULL and in quotes to be the word.
Result<Value> value_from_text(const Entity& entity, const Attribute& attribute, std::string_view text);

}  // namespace skerry::model
