// Disks that are full or fail for a while, as programs meet them.
#pragma once

#include <string>

#include "kit/disk/crash_disk.hpp"
#include "kit/events/trace.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {

// The reasons for which a sound program's write may be refused: nothing of it is there then.
inline bool met_bad_disk(const CrashDisk& disk, const Error& error, Trace& trace, const std::string& node) {
    const bool full = disk.has_limit() && error.code == Code::kDiskFull;
    const bool failed = disk.has_faults() && error.code == Code::kIo;
    if (full) trace.mark(node + ".write_met_full_disk");
    if (failed) trace.mark(node + ".write_met_failing_disk");
    return full || failed;
}

// SQLite brings a refused commit back after a crash if nothing was written over it. The library does that (src/sqlite);
// another program that leaves it alone would find what it was told is not there, with or without Skerry.
inline void write_over_refused(sqlite::Database& db) {
    if (db.in_transaction()) static_cast<void>(db.exec("ROLLBACK"));
    static_cast<void>(db.exec("BEGIN IMMEDIATE; PRAGMA user_version = 0; COMMIT"));
    if (db.in_transaction()) static_cast<void>(db.exec("ROLLBACK"));
}

}  // namespace skerry::kit
