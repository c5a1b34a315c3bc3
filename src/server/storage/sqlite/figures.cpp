// What an operator asks the database.
#include <sqlite3.h>

#include "server/storage/sqlite/backend.hpp"

namespace skerry::server::storage {

namespace {

std::uint64_t bytes_of(sqlite3* db, int which) {
    sqlite3_file* file = nullptr;
    sqlite3_int64 bytes = 0;
    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || file == nullptr || file->pMethods == nullptr) return 0;
    if (file->pMethods->xFileSize(file, &bytes) != SQLITE_OK) return 0;
    return static_cast<std::uint64_t>(bytes);
}

}  // namespace

Result<Figures> SqliteBackend::figures() {
    Figures figures;
    // Open drafts are few among many, and there is an index of the others.
    const std::pair<std::uint64_t*, const char*> counts[] = {
        {&figures.queue, "SELECT count(*) FROM skerry_queue"},
        {&figures.devices, "SELECT count(*) FROM skerry_device"},
        {&figures.conflicts_open, "SELECT count(*) FROM skerry_conflict WHERE state = 'open'"},
        {&figures.drafts_open, "SELECT (SELECT count(*) FROM skerry_draft) - (SELECT count(*) FROM skerry_draft WHERE state <> 1)"},
        {&figures.quarantined, "SELECT count(*) FROM skerry_quarantine"},
    };
    for (const auto& [figure, sql] : counts) {
        SKERRY_ASSIGN(const std::int64_t count, db_.integer(sql));
        *figure = static_cast<std::uint64_t>(count);
    }
    figures.file_bytes = bytes_of(db_.handle(), SQLITE_FCNTL_FILE_POINTER);
    figures.log_bytes = bytes_of(db_.handle(), SQLITE_FCNTL_JOURNAL_POINTER);
    return figures;
}

Result<void> SqliteBackend::probe(Micros now) {
    sqlite3_busy_timeout(db_.handle(), 0);
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    // Another value each time: SQLite does not write what is there already.
    SKERRY_ASSIGN(sqlite::Statement put, db_.prepare("INSERT INTO skerry_meta(name, value) VALUES('probed_us', ?1) "
                                                     "ON CONFLICT(name) DO UPDATE SET value = excluded.value"));
    SKERRY_TRY(put.bind(1, std::int64_t{now.count()}).run());
    return txn.commit();
}

Result<void> SqliteBackend::tidy() { return db_.exec("PRAGMA wal_checkpoint(TRUNCATE)"); }

}  // namespace skerry::server::storage
