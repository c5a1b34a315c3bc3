// The tables and triggers of a device's file, as SQL.
//
// Entity tables are ordinary: STRICT, typed, the key their PRIMARY KEY, nothing else; an app may add indexes,
// views, FTS5 tables and triggers of its own. Beside each stand skerry_pre_<entity> (pre-images of the open
// group) and skerry_base_<entity> (the server's version of rows that have unsettled operations).
//
// Capture, in the writer's own transaction, whoever writes: BEFORE triggers save one pre-image per key of
// every row that the statement may touch, and refuse what plain SQL can tell. They use no function newer
// than SQLite 3.37 and none of ours, and no OR-clause: the conflict clause of the outer statement would
// replace it. They stand aside while skerry_state.applying is 1.
#pragma once

#include <string>

#include "model/model.hpp"

namespace skerry::store {

// Written into triggers, so part of the file: a change needs a new store format.
inline constexpr std::int64_t kOpenRowsMax = 50'000;         // = wire::kTxnRowsMax
inline constexpr std::int64_t kOpenCharsMax = 4 << 20;       // old and new text; 4 bytes a character fill a frame
inline constexpr std::int64_t kValueCharsMax = 1 << 20;
inline constexpr std::int64_t kKeyCharsMax = 128;

// Internal tables; idempotent.
std::string internal_schema();
// Table, pre-image, base and triggers of one entity.
std::string entity_schema(const model::Entity& entity);

// The statements that the rooms of the store use for one entity, built once.
struct EntitySql {
    explicit EntitySql(const model::Entity& entity);
    std::string exists;          // ?1 key -> 1
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
};

}  // namespace skerry::store
