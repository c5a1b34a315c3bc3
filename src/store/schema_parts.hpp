// What the files that write a device's schema share: columns.cpp (columns and their sizes), capture.cpp
// (pre-images, and the refusals of rules/refusals.hpp), relations.cpp (unique, indexes, on_delete) and guards.cpp (writes while the engine applies).
// Every piece is SQL text of SQLite 3.37 without functions of ours. Used by schema.cpp only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"
#include "rules/refusals.hpp"

namespace skerry::store::schema {

using rules::Defaults;
using rules::Event;
using rules::raise;

// "house.name", as refusals name it.
std::string place(const model::Entity& entity, const model::Attribute& attribute);

// The attributes as SQL, each behind `lead` and `prefix` ("NEW.", "t.").
std::string columns(const model::Entity& entity, std::string_view prefix, std::string_view lead);

// All attributes as in rules::column_definition, each behind ", ".
std::string definitions(const model::Entity& entity, Defaults defaults);

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
