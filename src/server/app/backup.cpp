#include "server/app/backup.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "server/app/files.hpp"
#include "server/storage/sqlite/schema.hpp"
#include "sqlite/database.hpp"

namespace skerry::server {

namespace {

namespace fs = std::filesystem;

constexpr int kPagesPerStep = 1024;

Error io_error(const std::string& doing) {
    const int why = errno;
    return {why == ENOSPC || why == EDQUOT ? Code::kDiskFull : Code::kIo, doing + ": " + std::strerror(why), {}};
}

Result<sqlite::Database> open_server(const std::string& path, sqlite::Open mode, const std::string& missing) {
    if (!fs::is_regular_file(path)) return fail(Code::kNotFound, missing);
    SKERRY_ASSIGN(auto db, sqlite::Database::open(path, {.mode = mode}));
    SKERRY_TRY(storage::read_meta(db));
    return db;
}

// A database's name is free when none of its files is there: a write-ahead log that was left behind would be taken for the
// new database's own.
Result<void> need_free_name(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"})
        if (fs::exists(path + suffix)) return fail(Code::kAlreadyExists, path + suffix + " exists; nothing was overwritten");
    return {};
}

// A file that goes when nobody keeps it, with what SQLite puts beside it.
class Part {
  public:
    explicit Part(std::string path) : path_(std::move(path)) {}
    ~Part() { remove(); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    const std::string& path() const { return path_; }

    // Empty, private to its owner from its first moment: the database holds hashes of tokens and a secret.
    Result<void> make() {
        remove();  // of an attempt that was cut off
        const int fd = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0) return tl::unexpected(io_error("making " + path_));
        ::close(fd);
        return {};
    }

    // Gives it its name for good; what has that name already stays.
    Result<void> keep_as(const std::string& name) {
        if (::link(path_.c_str(), name.c_str()) != 0) {
            if (errno == EEXIST) return fail(Code::kAlreadyExists, name + " exists; nothing was overwritten");
            return tl::unexpected(io_error("naming " + name));
        }
        remove();
        const std::string folder = fs::path(name).has_parent_path() ? fs::path(name).parent_path().string() : ".";
        const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool durable = fd >= 0 && ::fsync(fd) == 0;
        if (fd >= 0) ::close(fd);
        if (!durable) return tl::unexpected(io_error("making " + name + " durable"));
        return {};
    }

  private:
    void remove() {
        for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
    }
    std::string path_;
};

// Everything of `from` as it is in one snapshot. The read transaction is what keeps a writer from making the copy begin
// anew: without it, SQLite does so after every foreign commit, and on a busy server that has no end.
Result<std::uint64_t> copy_pages(sqlite::Database& from, sqlite::Database& to, const OnProgress& progress) {
    SKERRY_ASSIGN(auto view, sqlite::Transaction::begin_read(from));
    SKERRY_ASSIGN(const std::int64_t page_bytes, from.integer("PRAGMA page_size"));
    const auto page = static_cast<std::uint64_t>(page_bytes);
    sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
    if (copy == nullptr) return tl::unexpected(to.last_error("beginning the copy"));
    int rc = SQLITE_OK;
    std::uint64_t bytes = 0;
    while (rc == SQLITE_OK) {
        rc = sqlite3_backup_step(copy, kPagesPerStep);
        bytes = static_cast<std::uint64_t>(sqlite3_backup_pagecount(copy)) * page;
        progress({bytes - static_cast<std::uint64_t>(sqlite3_backup_remaining(copy)) * page, bytes});
    }
    const int finished = sqlite3_backup_finish(copy);
    if (rc != SQLITE_DONE || finished != SQLITE_OK) return tl::unexpected(to.last_error("copying"));
    return bytes;
}

Result<void> check_whole(sqlite::Database& db, const std::string& what) {
    SKERRY_ASSIGN(auto check, db.prepare("PRAGMA integrity_check(1)"));
    SKERRY_ASSIGN(const bool row, check.step());
    const std::string found = row ? std::string(check.text(0)) : "no answer";
    check.reset();
    if (found != "ok") return fail(Code::kCorruptStore, what + " is damaged: " + found);
    return {};
}

}  // namespace

Result<std::uint64_t> back_up(const Place& place, const std::string& file, const OnProgress& progress) {
    SKERRY_TRY(need_free_name(file));
    SKERRY_ASSIGN(auto from, open_server(database_path(place), sqlite::Open::kReadWrite, "there is no server in " + place.dir));
    Part part(file + ".part");
    SKERRY_TRY(part.make());
    std::uint64_t bytes = 0;
    {
        SKERRY_ASSIGN(auto to, sqlite::Database::open(part.path(), {.mode = sqlite::Open::kReadWrite}));
        SKERRY_ASSIGN(bytes, copy_pages(from, to, progress));
    }
    // Opened anew: what is checked is what is on the disk, and one file must be all of it.
    SKERRY_ASSIGN(auto copy, sqlite::Database::open(part.path(), {.mode = sqlite::Open::kReadWrite}));
    SKERRY_TRY(copy.exec("PRAGMA journal_mode = DELETE"));
    SKERRY_TRY(storage::read_meta(copy));
    SKERRY_TRY(check_whole(copy, "the copy"));
    copy = sqlite::Database();
    SKERRY_TRY(part.keep_as(file));
    return bytes;
}

Result<void> restore(const std::string& file, const Place& place, Random& random, const OnProgress& progress) {
    SKERRY_TRY(need_free_name(database_path(place)));
    SKERRY_ASSIGN(auto from, open_server(file, sqlite::Open::kReadOnly, "there is no backup at " + file));
    SKERRY_TRY(make_private_folder(place.dir));
    Part part(database_path(place) + ".part");
    SKERRY_TRY(part.make());
    {
        SKERRY_ASSIGN(auto to, sqlite::Database::open(part.path(), {.mode = sqlite::Open::kReadWrite}));
        SKERRY_TRY(copy_pages(from, to, progress));
    }
    SKERRY_ASSIGN(auto copy, sqlite::Database::open(part.path(), {.mode = sqlite::Open::kReadWrite}));
    SKERRY_TRY(copy.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL"));
    SKERRY_TRY(check_whole(copy, file));
    SKERRY_TRY(storage::renew_epoch(copy, random));
    copy = sqlite::Database();
    return part.keep_as(database_path(place));
}

}  // namespace skerry::server
