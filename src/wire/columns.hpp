// Rows side by side: all keys, all lines, then attribute after attribute. What is alike then stands together, which is what
// compression lives on, and says its type once.
//
//   rows     varint count, column of keys, u8 lines alike, lines (once where they are alike, else for each row), a column for
//            each attribute; the lines of a row: varint count, varint scopes
//   column   u8 form [| kSomeNull, and then a bit for each row, lowest first: it is NULL, and has no value below], values
//   form     kTagged  any, as model::put_value has it       kTexts  text, each ended by a NUL
//            kInts    zigzag                                kUuids  canonical uuids: all their first bytes, all their second, ...
#pragma once

#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "wire/messages.hpp"

namespace skerry::wire {

// Of one frame: the memory of what claims to be many NULLs is bounded by this, not by the frame's bytes.
inline constexpr std::size_t kFrameValuesMax = std::size_t{4} << 20;

// Every row has the entity's number of values.
void put_rows(Writer& out, const std::vector<RowEntry>& rows);
// Keys and values are checked for their canonical form. Errors: damaged_frame, and those of model::check_row.
Result<std::vector<RowEntry>> get_row_entries(Reader& in, const model::Entity& entity);

}  // namespace skerry::wire
