// What the tests of the crash disk share: a disk from a seed, a database connection on it.

#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>

#include "crash_disk.hpp"

namespace skerry::kit {

inline constexpr int64_t kNow = 1'750'000'000'000;
inline constexpr char kFile[] = "/data/bank.db";

inline std::unique_ptr<CrashDisk> make_disk(uint64_t seed, CrashDisk::Options options = {},
                                            const std::string& name = "sim-a") {
    auto made = std::make_unique<CrashDisk>(
        name, seed, [] { return kNow; }, options);
    made->seed_sqlite_randomness();
    return made;
}

class Database {
 public:
    explicit Database(const CrashDisk& disk, const char* file = kFile,
                      int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
        open_result_ = sqlite3_open_v2(file, &db_, flags, disk.vfs_name().c_str());
        sqlite3_extended_result_codes(db_, 0);
    }
    ~Database() { close(); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    void close() {
        EXPECT_EQ(sqlite3_close(db_), SQLITE_OK);
        db_ = nullptr;
    }
    int open_result() const { return open_result_; }
    sqlite3* get() const { return db_; }
    int exec(const std::string& sql) {
        return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    bool ok(const std::string& sql) { return exec(sql) == SQLITE_OK; }
    // First column of the first row as text, or "error <code>".
    std::string text(const std::string& sql) {
        sqlite3_stmt* statement = nullptr;
        int rc = sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr);
        std::string out;
        if (rc == SQLITE_OK) rc = sqlite3_step(statement);
        if (rc == SQLITE_ROW) {
            const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
            out = bytes == nullptr ? "null" : bytes;
        } else {
            out = "error " + std::to_string(rc);
        }
        sqlite3_finalize(statement);
        return out;
    }

 private:
    sqlite3* db_ = nullptr;
    int open_result_ = SQLITE_OK;
};

}  // namespace skerry::kit
