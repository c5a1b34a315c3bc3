// The tables and triggers of a device's file, as SQL.
//
// Entity tables are ordinary: STRICT, typed, the key their PRIMARY KEY, no constraint beyond that; an app may add indexes,
// views, FTS5 tables and triggers of its own. Beside each stand skerry_pre_<entity> (pre-images of the open
// group), skerry_base_<entity> (the server's version of rows that have unsettled operations) and skerry_named_<entity>
// (the row that the engine is writing, for the guards). Required, checks, unique and references are triggers, so that
// nothing of it ever stands in the way of what arrives.
//
// Capture, in the writer's own transaction, whoever writes: BEFORE triggers save one pre-image per key of
// every row that the statement may touch, and refuse what plain SQL can tell. They use no function newer
// than SQLite 3.37 and none of ours, and no OR-clause: the conflict clause of the outer statement would
// replace it. They stand aside while skerry_state.applying is 1.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::store {

// Written into triggers, so part of the file: a change needs a new store format.
inline constexpr std::int64_t kOpenRowsMax = 50'000;         // = wire::kTxnRowsMax
// What the group may come to when it is sent, reckoned high: numbering must never find that it does not fit a frame,
// because what other programs committed cannot be refused any more. The rest of the frame is for the transaction's terms.
inline constexpr std::int64_t kOpenBytesMax = 15 << 20;
inline constexpr std::int64_t kOpBytes = 64;                 // of an operation, beside its key and values

// Internal tables; idempotent.
std::string internal_schema();
// The four tables of one entity.
std::string entity_tables(const model::Entity& entity);
// The columns of its attributes from the position `from` on, added to tables that lack them.
std::string attribute_columns(const model::Entity& entity, std::uint32_t from);
// CREATE INDEX statements; their names begin with skerry_index_.
std::vector<std::string> entity_indexes(const model::Entity& entity);
// Capture, relations and guards. The model's other entities count: those that refer to this one.
Result<std::string> entity_triggers(const model::Model& model, EntityIx ix);

// The statements that the rooms of the store use for one entity, built once.
struct EntitySql {
    explicit EntitySql(const model::Entity& entity);
    std::string select;          // ?1 key -> values
    std::string update;          // ?1 key, ?2… values
    std::string insert;          // ?1 key, ?2… values
    std::string erase;           // ?1 key
    std::string keys_in_range;   // ?1 after, ?2 upto (NULL: no end) -> key
    std::string select_base;     // ?1 key -> values
    std::string put_base;        // ?1 key, ?2… values
    std::string erase_base;      // ?1 key
    std::string difference;      // -> key, existed, pre values…, exists now, values now…
    std::string clear_pre;
    std::string clear_pre_upto;  // ?1 key
    std::string is_here;         // ?1 key
    std::string put_line_if_known;  // ?1 key, ?2 entity, ?3 scope: a line for a row that is here, visible or as a base
    // Lines of negative scopes are marks (lines.hpp). ?1 entity, ?2 mark; ?1 entity.
    std::string mark_all;
    std::string erase_marked;
    std::string erase_marked_bases;
    std::string name_row;        // ?1 key, ?2… values: what the guards let pass
    std::string name_gone;       // ?1 key
    std::string clear_named;
    std::vector<std::string> set_attribute;  // ?1 key, ?2 value
};

}  // namespace skerry::store
