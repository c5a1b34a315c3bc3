// What the measuring programs share. Each of them measures one thing once, in a process of its own, and prints one line of
// JSON; bench/*.mjs repeat, compare and judge. Whatever goes wrong ends the program with a message.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <skerry/device.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace skerry::bench {

[[noreturn]] void die(std::string_view message);
[[noreturn]] void die(const Error& error);

template <class T>
T must(Result<T> result) {
    if (!result) die(result.error());
    return std::move(*result);
}
inline void must(const Result<void>& result) {
    if (!result) die(result.error());
}

class Stopwatch {
  public:
    double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

  private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The store at `path`, with whom it syncs.
Device open_device(const std::string& path, const std::string& url = {}, const std::string& token = {});

// A row of data.mjs.
struct Row {
    std::string id, name, country;
    std::int64_t people = 0;
    std::string place, note;
};
// At most `limit` of them.
std::vector<Row> read_rows(const std::string& tsv, std::size_t limit = SIZE_MAX);

// A plain database with the pragmas of a device's store, and the table of a device's store without any trigger.
class Plain {
  public:
    explicit Plain(const std::string& path);
    ~Plain();
    Plain(const Plain&) = delete;
    Plain& operator=(const Plain&) = delete;

    sqlite3* get() const { return db_; }
    void exec(const std::string& sql);
    std::int64_t integer(const std::string& sql);
    void make_table();

  private:
    sqlite3* db_ = nullptr;
};

class PlainStatement {
  public:
    PlainStatement(Plain& db, const std::string& sql);
    ~PlainStatement() { sqlite3_finalize(handle_); }
    PlainStatement(const PlainStatement&) = delete;
    PlainStatement& operator=(const PlainStatement&) = delete;

    sqlite3_stmt* get() const { return handle_; }
    void text(int at, std::string_view value) { sqlite3_bind_text(handle_, at, value.data(), static_cast<int>(value.size()), SQLITE_STATIC); }
    void integer(int at, std::int64_t value) { sqlite3_bind_int64(handle_, at, value); }
    bool step();
    void run() {
        step();
        sqlite3_reset(handle_);
    }

  private:
    sqlite3* db_;
    sqlite3_stmt* handle_ = nullptr;
};

inline constexpr const char* kInsert = "INSERT INTO thing(id, name, country, people, place, note) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";
void bind(PlainStatement& insert, const Row& row);
std::vector<Value> values_of(const Row& row);  // as kInsert has them
// Written before the clock starts, it brings the write-ahead log to the length from which it is used again from its beginning:
// a log that still grows costs more with each commit.
inline constexpr const char* kWarmTable = "CREATE TABLE ballast(b BLOB)";
inline constexpr const char* kWarm = "INSERT INTO ballast VALUES(zeroblob(1100 * 4096))";

// Of this process so far.
std::uint64_t peak_kib();
std::uint64_t file_bytes(const std::string& path);

}  // namespace skerry::bench
