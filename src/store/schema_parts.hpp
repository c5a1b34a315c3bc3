// What the files that write a device's schema share: columns.cpp (columns and the conditions on one value), capture.cpp
// (pre-images and refusals), relations.cpp (unique, indexes, on_delete) and guards.cpp (writes while the engine applies).
// Every piece is SQL text of SQLite 3.37 without functions of ours. Used by schema.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::store::schema {

enum class Event { kInsert, kUpdate };

// RAISE(ABORT, 'skerry:code: message'). No OR-clause, ever: the outer statement's conflict clause would replace it.
std::string raise(std::string_view code, const std::string& message);

// "house.name", as refusals name it.
std::string place(const model::Entity& entity, const model::Attribute& attribute);

// The attributes as SQL, each behind `lead` and `prefix` ("NEW.", "t.").
std::string columns(const model::Entity& entity, std::string_view prefix, std::string_view lead);

enum class Defaults { kWith, kWithout };
// `"name" TEXT DEFAULT 'x'`
std::string definition(const model::Attribute& attribute, Defaults defaults);
// All attributes, each behind ", ".
std::string definitions(const model::Entity& entity, Defaults defaults);

// "WHEN … THEN RAISE …" for each form that the attribute's value in NEW must not have; NULL passes.
std::string value_checks(const model::Entity& entity, const model::Attribute& attribute, Event event, bool is_key);
// What the attributes of the row `prefix`, or the difference from OLD to NEW, add to a transaction at most, in bytes.
std::string size_of(const model::Entity& entity, std::string_view prefix);
std::string size_of_change(const model::Entity& entity);

// "WHEN … THEN RAISE …" for values that another row must not have.
std::string unique_checks(const model::Entity& entity, Event event);
// One CREATE INDEX each: unique and index lists, and associations, which on_delete looks up.
std::vector<std::string> indexes(const model::Entity& entity);
// What the deletion of a row does to rows here that refer to it; empty if nothing can.
std::string on_delete_trigger(const model::Model& model, EntityIx ix);

// expression_invalid when a check does not parse, which a checked model cannot have.
Result<std::string> capture_triggers(const model::Entity& entity);

std::string guard_triggers(const model::Entity& entity);

}  // namespace skerry::store::schema
