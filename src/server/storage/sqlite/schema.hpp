// The tables of a server's SQLite file: one ordinary STRICT table per entity under its own name (entity_schema.hpp), and
// Skerry's own tables, all named skerry_… (docs/internal-tables.md lists every column).
//
// Whoever writes to an entity's table, plain triggers note (entity, key) in skerry_queue, in that writer's own
// transaction. They are AFTER triggers, so that only what really happened is noted: nothing for OR IGNORE, the
// new row for REPLACE and upsert. A deleted row leaves its last image in skerry_gone_<entity>. No other old images are
// kept: on SQLite every snapshot that is read for a device has an empty queue (outflow/), so nothing ever needs
// to be read as it was before.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

// Raised with every change of shape that an older program would misread.
inline constexpr std::int64_t kServerFormat = 3;

// Makes everything in one transaction. already_exists when the file holds any table.
Result<void> create_schema(sqlite::Database& db, const model::Model& model, Random& random);

struct Meta {
    model::Model model;
    Bytes compiled;
    Epoch epoch;
    Bytes secret;
};

// Makes the tables, indexes and triggers those of `wanted`, a successor of the stored model, and stores it; the rows
// stay. Also without a new model: triggers follow the unique indexes that an operator made meanwhile, and the rows of a
// table that was dropped and made anew are sequenced. All in one transaction, and none if nothing differs. Gives what a
// person should know of.
Result<std::vector<std::string>> adopt_schema(sqlite::Database& db, const Meta& meta, const model::Model& wanted);

// Reads only: corrupt_store when it is not a server's database, format_too_new before anything is touched.
Result<Meta> read_meta(sqlite::Database& db);

// Makes it another server for devices, as after a restore: they read everything again.
Result<void> renew_epoch(sqlite::Database& db, Random& random);

// WAL and synchronous=FULL: a push is answered when it is on the disk.
Result<void> configure(sqlite::Database& db);

}  // namespace skerry::server::storage
