#include "server/storage/sqlite/backend.hpp"

#include "model/evolve.hpp"
#include "server/storage/sqlite/write_txn.hpp"

namespace skerry::server::storage {

namespace {

struct Opened {
    sqlite::Database db;
    Meta meta;
};

Result<Opened> open_file(const std::string& path, const std::string& vfs) {
    auto db = sqlite::Database::open(path, {.vfs = vfs, .mode = sqlite::Open::kReadWrite});
    if (!db) {
        if (db.error().code == Code::kIo) return fail(Code::kNotFound, "there is no server database at " + path);
        return fail(std::move(db.error()));
    }
    SKERRY_ASSIGN(Meta meta, read_meta(*db));
    SKERRY_TRY(configure(*db));
    keep_plans(*db);
    return Opened{std::move(*db), std::move(meta)};
}

}  // namespace

Result<std::unique_ptr<Backend>> SqliteBackend::open(const std::string& path, const std::string& vfs) {
    SKERRY_ASSIGN(Opened opened, open_file(path, vfs));
    // A process that was killed inside a commit may have written it without syncing it: SQLite then finds it in the
    // WAL, everybody sees it, and a power loss would still take it back. A checkpoint syncs the WAL first.
    SKERRY_TRY(opened.db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    SKERRY_TRY(make_working_tables(opened.db));
    return std::unique_ptr<Backend>(new SqliteBackend(std::move(opened.db), std::move(opened.meta), path, vfs));
}

Result<std::vector<std::string>> SqliteBackend::prepare(const std::string& path, const std::string& vfs, const model::Model* wanted) {
    SKERRY_ASSIGN(Opened opened, open_file(path, vfs));
    if (wanted == nullptr || *wanted == opened.meta.model) return adopt_schema(opened.db, opened.meta, opened.meta.model);
    SKERRY_ASSIGN(const model::Model evolved, model::evolve(opened.meta.model, *wanted));
    return adopt_schema(opened.db, opened.meta, evolved);
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
