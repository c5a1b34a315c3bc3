#include "server/transit/file.hpp"

#include <sqlite3.h>

namespace skerry::server::transit {

namespace {

// Changed with any of the tables: a file of another version is made anew.
constexpr std::int64_t kVersion = 1;

constexpr std::string_view kTables = R"sql(
CREATE TABLE part(device BLOB NOT NULL PRIMARY KEY, no INTEGER NOT NULL, content INTEGER NOT NULL, total INTEGER NOT NULL,
    have INTEGER NOT NULL, at_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE part_piece(device BLOB NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(device, at)) STRICT;
CREATE TABLE spool(id BLOB NOT NULL PRIMARY KEY, device BLOB NOT NULL, user TEXT NOT NULL, continues INTEGER NOT NULL,
    grants INTEGER NOT NULL, bytes INTEGER NOT NULL, whole INTEGER NOT NULL, used_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE spool_piece(spool BLOB NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(spool, at)) STRICT;
)sql";

constexpr int kPagesAtOnce = 1000;

}  // namespace

Result<sqlite::Database*> File::db() {
    if (db_.is_open()) return &db_;
    auto opened = open();
    if (!opened && opened.error().code == Code::kCorruptStore) {
        remove();
        opened = open();
    }
    if (!opened) return fail(std::move(opened.error()), "opening " + path_);
    db_ = std::move(*opened);
    return &db_;
}

Result<sqlite::Database> File::open() const {
    SKERRY_ASSIGN(auto db, sqlite::Database::open(path_, {.vfs = vfs_}));
    SKERRY_TRY(db.exec("PRAGMA auto_vacuum = INCREMENTAL"));
    SKERRY_TRY(db.exec("PRAGMA journal_mode = WAL"));
    // A power loss may take back the last commits, never break the file; whoever sent them is asked for them again.
    SKERRY_TRY(db.exec("PRAGMA synchronous = NORMAL"));
    SKERRY_ASSIGN(const std::int64_t version, db.integer("PRAGMA user_version"));
    if (version == 0) {
        SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db));
        SKERRY_TRY(db.exec(kTables));
        SKERRY_TRY(db.exec("PRAGMA user_version = " + std::to_string(kVersion)));
        SKERRY_TRY(txn.commit());
    } else if (version != kVersion) {
        return fail(Code::kCorruptStore, "its tables are those of another version");
    }
    SKERRY_TRY(db.exec("DELETE FROM spool_piece; DELETE FROM spool"));
    return db;
}

void File::remove() const {
    sqlite3_vfs* vfs = sqlite3_vfs_find(vfs_.empty() ? nullptr : vfs_.c_str());
    if (vfs == nullptr) return;  // opening says so again
    for (const char* tail : {"-wal", "-shm", "-journal", ""}) vfs->xDelete(vfs, (path_ + tail).c_str(), 0);
}

Result<void> File::shrink() {
    if (!is_open()) return {};
    return db_.exec("PRAGMA incremental_vacuum(" + std::to_string(kPagesAtOnce) + ")");
}

}  // namespace skerry::server::transit
