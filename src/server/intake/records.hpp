// Conflict records: rows of the built-in entity, made when a change meets what a person has to decide, joined when its
// author changes the same again before that.
#pragma once

#include "server/intake/plan.hpp"

namespace skerry::server::intake {

// Opens the record or joins the author's open one; gives its key. row_too_big when it does not fit a row. `batch` is not
// empty for all records of a transaction that is held as a whole.
Result<std::string> put_record(Work& work, const wire::Op& op, const Ask& ask, const std::string& batch);

// The batch of the first open record that these asks would join, else a new one.
Result<std::string> batch_of(Work& work);

Members members_of(const model::Entity& entity, const model::Row& row);
std::string member_json(const model::Attribute& attribute, const Value& value);

// The same for the same place on every replay.
std::string derived_uuid(const Work& work, std::string_view entity, std::string_view key, std::string_view attribute);

}  // namespace skerry::server::intake
