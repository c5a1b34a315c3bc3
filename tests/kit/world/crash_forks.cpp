#include "kit/world/crash_forks.hpp"

#include <sqlite3.h>

#include "base/hash.hpp"
#include "kit/events/seeds.hpp"
#include "kit/world/scene.hpp"

namespace skerry::kit {

namespace {

constexpr Loss kHardLosses[] = {Loss::kPowerPrefix, Loss::kPowerRandom, Loss::kPowerTorn, Loss::kPowerAll};

constexpr const char* kPages = "pages.db";

struct Connection {
    sqlite3* db = nullptr;
    int opened;
    Connection(const CrashDisk& disk, const char* file, int flags) : opened(sqlite3_open_v2(file, &db, flags, disk.vfs_name().c_str())) {}
    ~Connection() { sqlite3_close(db); }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
};

// Writes the pages of the database, as SQLite recovers it, to a file beside it: a backup reads no schema, and so costs a
// tenth of opening a database with hundreds of triggers. Says what is wrong, or "".
std::string write_pages(const CrashDisk& disk, const std::string& file) {
    Connection from(disk, file.c_str(), SQLITE_OPEN_READWRITE);
    Connection to(disk, kPages, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (from.opened != SQLITE_OK || to.opened != SQLITE_OK) return sqlite3_errmsg(from.opened != SQLITE_OK ? from.db : to.db);
    sqlite3_backup* backup = sqlite3_backup_init(to.db, "main", from.db, "main");
    if (backup == nullptr) return sqlite3_errmsg(to.db);
    const int copied = sqlite3_backup_step(backup, -1);
    sqlite3_backup_finish(backup);
    return copied == SQLITE_DONE ? std::string{} : sqlite3_errstr(copied);
}

}  // namespace

CrashForks::CrashForks(CrashDisk& disk, std::string file, std::uint64_t seed, Opens opens, Fails fails, CrashTotals& totals)
    : disk_(disk), file_(std::move(file)), opens_(std::move(opens)), fails_(std::move(fails)), totals_(totals),
      copy_(unique_vfs_name("fork"), seed, [] { return std::int64_t{0}; }), seed_(seed) {
    disk_.watch([this] { point(); });
}

CrashForks::~CrashForks() { disk_.watch(nullptr); }

std::string CrashForks::wrong_with(std::uint64_t image) {
    if (sound_.contains(image)) return {};
    ++totals_.databases;
    std::string wrong = opens_(copy_);
    if (wrong.empty()) sound_.insert(image);
    return wrong;
}

std::optional<std::uint64_t> CrashForks::crash(Loss loss) {
    ++totals_.crashes;
    copy_.fork_from(disk_, sub_seed(seed_, "fork", ++serial_));
    copy_.restart(loss);
    if (!copy_.exists(file_) || copy_.bytes(file_).empty()) return 0;
    if (const std::string error = write_pages(copy_, file_); !error.empty()) {
        fails_(std::string(to_string(loss)) + " leaves a database that does not open: " + error);
        return std::nullopt;
    }
    const BytesView pages = copy_.bytes(kPages);
    if (pages.empty()) return 0;
    const std::uint64_t image = hash64(pages);
    if (const std::string wrong = wrong_with(image); !wrong.empty()) {
        fails_(std::string(to_string(loss)) + ": " + wrong);
        return std::nullopt;
    }
    return image;
}

void CrashForks::point() {
    if (busy_) return;
    busy_ = true;
    ++totals_.points;
    const auto now = crash(Loss::kKill);
    if (now && !known_) {
        // A commit that a kill cut short is there, and not on the disk yet: until somebody is told of it, it may go.
        committed_ = {*now};
        if (const auto on_disk = crash(Loss::kPowerNothing)) committed_.insert(*on_disk);
    }
    known_ = known_ || now;
    if (now) committed_.insert(*now);
    for (const Loss loss : {Loss::kPowerNothing, kHardLosses[serial_ % std::size(kHardLosses)]}) {
        const auto left = now ? crash(loss) : std::nullopt;
        if (left && !committed_.contains(*left))
            fails_(std::string(to_string(loss)) + " before changing call " + std::to_string(disk_.changing_calls()) + " leaves a database that is none of those committed since the last acknowledgement");
    }
    busy_ = false;
}

void CrashForks::acknowledged() {
    if (busy_ || disk_.is_down()) return;
    busy_ = true;
    ++totals_.points;
    const auto now = crash(Loss::kKill);
    const auto left = now ? crash(Loss::kPowerNothing) : std::nullopt;
    if (left && *left != *now) fails_("a power loss takes back what was acknowledged");
    if (now) committed_ = {*now};
    known_ = now.has_value();
    busy_ = false;
}

void CrashForks::forget() {
    committed_.clear();
    known_ = false;
}

}  // namespace skerry::kit
