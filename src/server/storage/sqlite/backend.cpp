#include "server/storage/sqlite/backend.hpp"

#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

Result<std::unique_ptr<Backend>> SqliteBackend::open(const std::string& path, const std::string& vfs) {
    auto opened = sqlite::Database::open(path, {.vfs = vfs, .mode = sqlite::Open::kReadWrite});
    if (!opened) {
        if (opened.error().code == Code::kIo) return fail(Code::kNotFound, "there is no server database at " + path);
        return fail(std::move(opened.error()));
    }
    SKERRY_ASSIGN(Meta meta, read_meta(*opened));
    SKERRY_TRY(configure(*opened));
    // A process that was killed inside a commit may have written it without syncing it: SQLite then finds it in the
    // WAL, everybody sees it, and a power loss would still take it back. A checkpoint syncs the WAL first.
    SKERRY_TRY(opened->exec("PRAGMA wal_checkpoint(PASSIVE)"));
    return std::unique_ptr<Backend>(new SqliteBackend(std::move(*opened), std::move(meta), path, vfs));
}

Result<void> SqliteBackend::create(const std::string& path, const std::string& vfs, const model::Model& model,
                                   Random& random) {
    SKERRY_TRY(model::check(model));
    SKERRY_ASSIGN(auto db, sqlite::Database::open(path, {.vfs = vfs}));
    return create_schema(db, model, random);
}

Result<std::unique_ptr<WriteTxn>> SqliteBackend::begin_write(Patience patience) {
    return SqliteWriteTxn::begin(db_, tables_, patience);
}

Result<std::unique_ptr<Snapshot>> SqliteBackend::snapshot() { return open_snapshot(pool_, tables_); }

Result<bool> SqliteBackend::foreign_commit() {
    // It moves when another connection commits, never for this one's own commits.
    SKERRY_ASSIGN(const std::int64_t now, db_.integer("PRAGMA data_version"));
    const bool moved = data_version_ != now;
    data_version_ = now;
    return moved;
}

}  // namespace skerry::server::storage
