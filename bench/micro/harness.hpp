#pragma once
// What every micro-bench here shares: a database, the table shapes, the rows, and the report.
//
// Variants of one case run interleaved and the median counts, so that a busy machine moves the
// absolute figures but hardly the ratios. One thread; every unexpected result code ends the
// program.

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace skerry::bench {

inline constexpr int kApplyRows = 227'000;
inline constexpr int kWarmFrames = 1'100;  // beyond the 1,000 pages of the automatic checkpoint

inline std::string g_directory = "/tmp";
inline int g_page_size = 4096;
inline int g_runs = 3;
inline std::string g_temp_store = "file";  // "memory": the statement journal never spills

[[noreturn]] inline void die(sqlite3* db, std::string_view where) {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(where.size()), where.data(),
                 sqlite3_errmsg(db));
    std::exit(1);
}

/// A statement for one thread; every unexpected result code ends the program.
class Statement {
 public:
    Statement(sqlite3* db, const std::string& sql) : db_(db), sql_(sql) {
        if (sqlite3_prepare_v2(db, sql.c_str(), -1, &statement_, nullptr) != SQLITE_OK)
            die(db, sql);
    }
    ~Statement() { sqlite3_finalize(statement_); }
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    sqlite3_stmt* get() const { return statement_; }
    bool step() {
        const int code = sqlite3_step(statement_);
        if (code != SQLITE_ROW && code != SQLITE_DONE) die(db_, sql_);
        return code == SQLITE_ROW;
    }
    void run() {
        step();
        sqlite3_reset(statement_);
    }

 private:
    sqlite3* db_;
    std::string sql_;
    sqlite3_stmt* statement_ = nullptr;
};

class Database {
 public:
    explicit Database(const std::string& path) {
        if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) die(db_, path);
        execute("PRAGMA page_size=" + std::to_string(g_page_size));
        execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16384");
        execute("PRAGMA temp_store=" + g_temp_store);
    }
    ~Database() { sqlite3_close(db_); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    sqlite3* get() const { return db_; }
    void execute(const std::string& sql) {
        if (try_execute(sql) != SQLITE_OK) die(db_, sql);
    }
    int try_execute(const std::string& sql) {
        return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    }
    std::int64_t number(const std::string& sql) {
        Statement statement(db_, sql);
        statement.step();
        return sqlite3_column_int64(statement.get(), 0);
    }

 private:
    sqlite3* db_ = nullptr;
};

struct Shape {
    const char* name;
    const char* key;      // the column that the application and every bookkeeping table use
    const char* columns;  // declaration of the key, with whatever it needs beside it
    const char* options;
    bool is_blob;
};
inline const std::vector<Shape> kShapes = {
    {"a TEXT rowid", "TEXT", "id TEXT NOT NULL PRIMARY KEY", "STRICT", false},
    {"b TEXT WITHOUT ROWID", "TEXT", "id TEXT NOT NULL PRIMARY KEY", "STRICT, WITHOUT ROWID",
     false},
    {"c BLOB rowid", "BLOB", "id BLOB NOT NULL PRIMARY KEY", "STRICT", true},
    {"d BLOB WITHOUT ROWID", "BLOB", "id BLOB NOT NULL PRIMARY KEY", "STRICT, WITHOUT ROWID", true},
    {"e TEXT + INTEGER alias", "TEXT", "rowid_ INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE",
     "STRICT", false},
};

struct Row {
    std::string id, household, name, note;
    std::int64_t opened;
    double weight;
};

/// A UUIDv7 of millisecond `when`; the random part comes from `random`.
inline std::string uuid_v7(std::int64_t when, std::mt19937_64& random, bool is_blob) {
    std::uint8_t bytes[16];
    for (int i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(when >> (40 - 8 * i));
    for (int i = 6; i < 16; ++i) bytes[i] = static_cast<std::uint8_t>(random());
    bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
    bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
    if (is_blob) return {reinterpret_cast<const char*>(bytes), 16};
    std::string text;
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += "0123456789abcdef"[bytes[i] >> 4];
        text += "0123456789abcdef"[bytes[i] & 15];
    }
    return text;
}

enum class Order { kByKey, kRandom };

/// `count` rows, one a second of creation time; kRandom scatters them over the time of kApplyRows.
inline std::vector<Row> make_rows(int count, Order order, bool is_blob) {
    constexpr std::int64_t kStart = 1'760'000'000'000;
    std::mt19937_64 random(7);
    std::vector<Row> rows;
    rows.reserve(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) {
        const auto second = order == Order::kByKey
                                ? i
                                : static_cast<std::int64_t>(random() % std::uint64_t{kApplyRows});
        const std::int64_t when = kStart + second * 1000 + (order == Order::kRandom ? 500 : 0);
        rows.push_back({uuid_v7(when, random, is_blob),
                        uuid_v7(kStart + i / 5 * 1000, random, is_blob),
                        "Household of Nr " + std::to_string(i),
                        "asked for a visit " + std::to_string(random() % 1000), when,
                        static_cast<double>(random() % 9000) / 100});
    }
    return rows;
}

/// Binds columns in the order household, name, note, opened, weight and then the key.
inline void bind_row(Statement& statement, const Row& row, bool is_blob) {
    sqlite3_stmt* raw = statement.get();
    const auto bind_key = [&](int index, const std::string& key) {
        if (is_blob)
            sqlite3_bind_blob(raw, index, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
        else
            sqlite3_bind_text(raw, index, key.data(), static_cast<int>(key.size()), SQLITE_STATIC);
    };
    bind_key(1, row.household);
    sqlite3_bind_text(raw, 2, row.name.data(), static_cast<int>(row.name.size()), SQLITE_STATIC);
    sqlite3_bind_text(raw, 3, row.note.data(), static_cast<int>(row.note.size()), SQLITE_STATIC);
    sqlite3_bind_int64(raw, 4, row.opened);
    sqlite3_bind_double(raw, 5, row.weight);
    bind_key(6, row.id);
}

struct Sample {
    double rows_per_second;
    std::int64_t file_bytes;
};

inline void remove_database(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}

/// Brings the WAL file to its steady length. A short floor would otherwise spend its time growing
/// the file, which makes each fsync dearer, while the heavier variant already overwrites it.
inline void warm_wal(Database& db) {
    db.execute("CREATE TABLE IF NOT EXISTS warm(n INTEGER); INSERT INTO warm VALUES(0)");
    db.execute("PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0");
    Statement touch(db.get(), "UPDATE warm SET n = n + 1");
    for (int i = 0; i < kWarmFrames; ++i) touch.run();
    db.execute("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000");
    db.execute("PRAGMA wal_checkpoint(PASSIVE)");
}

/// Times `work` on the database at `path`; the size is that after a full checkpoint.
inline Sample timed(Database& db, std::size_t rows, const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return {static_cast<double>(rows) / took.count(),
            db.number("PRAGMA page_count") * db.number("PRAGMA page_size")};
}

/// A case runs `g_runs` rounds over shapes and variants; variant 0 is the floor.
inline void report(const std::string& title, const std::vector<std::string>& variants,
                   const std::vector<const Shape*>& shapes,
                   const std::function<Sample(const Shape&, std::size_t)>& measure) {
    std::map<std::pair<std::size_t, std::size_t>, std::vector<Sample>> samples;
    for (int run = 0; run < g_runs; ++run)
        for (std::size_t s = 0; s < shapes.size(); ++s)
            for (std::size_t v = 0; v < variants.size(); ++v)
                samples[{s, v}].push_back(measure(*shapes[s], v));
    double fastest_floor = 0;
    const auto median = [&](std::size_t s, std::size_t v) {
        auto& all = samples[{s, v}];
        std::sort(all.begin(), all.end(), [](const Sample& left, const Sample& right) {
            return left.rows_per_second < right.rows_per_second;
        });
        return all[all.size() / 2];
    };
    for (std::size_t s = 0; s < shapes.size(); ++s)
        fastest_floor = std::max(fastest_floor, median(s, 0).rows_per_second);
    std::printf(
        "\n### %s, page %d, temp %s\n| shape | variant | rows/s | x floor | x fastest floor | MB "
        "|\n"
        "|---|---|---|---|---|---|\n",
        title.c_str(), g_page_size, g_temp_store.c_str());
    for (std::size_t s = 0; s < shapes.size(); ++s)
        for (std::size_t v = 0; v < variants.size(); ++v) {
            const Sample sample = median(s, v);
            std::printf("| %s | %s | %.0f | %.2f | %.2f | %.1f |\n", shapes[s]->name,
                        variants[v].c_str(), sample.rows_per_second,
                        median(s, 0).rows_per_second / sample.rows_per_second,
                        fastest_floor / sample.rows_per_second,
                        static_cast<double>(sample.file_bytes) / 1e6);
        }
    std::fflush(stdout);
}

/// Prints whether an external-content FTS5 index survives on each shape (fts.cpp).
void report_fts();

}  // namespace skerry::bench
