// A copy of a server's database, and a server's folder from such a copy. Both work beside a running server.
//
// A restored server is another one: it has an epoch of its own. Devices that knew the old one recognise that, read
// everything again, and send what the copy lacks from their journals and archives (ARCHITECTURE.md "Restored servers").
#pragma once

#include <functional>
#include <string>

#include "base/random.hpp"
#include "base/result.hpp"
#include "server/app/server.hpp"

namespace skerry::server {

struct CopyProgress {
    std::uint64_t bytes_done = 0;
    std::uint64_t bytes = 0;
};
using OnProgress = std::function<void(const CopyProgress&)>;

// The state of one moment, in one file that its owner alone may read, checked before it gets its name; gives its size.
// Writers go on meanwhile; the write-ahead log grows until it is done. Errors: not_found (no server there),
// already_exists (nothing is overwritten), disk_full, io, corrupt_store (the copy fails SQLite's integrity check).
Result<std::uint64_t> back_up(const Place& place, const std::string& file, const OnProgress& progress);

// Makes the folder and in it a server as the copy has it, with a new epoch. Errors: not_found, already_exists (the folder
// has a server), corrupt_store, format_too_new, disk_full, io.
Result<void> restore(const std::string& file, const Place& place, Random& random, const OnProgress& progress);

}  // namespace skerry::server
