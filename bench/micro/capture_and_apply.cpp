// What one synced row costs on a device, for each table shape that the device format could take.
//
// Role: three questions, each answered beside a floor that is the same plain SQL without Skerry:
// `capture` (a local write: trigger, numbering at commit), `apply` (rows that arrive) and `fts`
// (does an external-content index survive on the shape). Variants of one case run interleaved and
// the median counts, so a busy machine moves the absolute figures but hardly the ratios. Not
// promised: the op body is a stand-in of about the real size, not the wire encoding.

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kApplyRows = 227'000;
constexpr int kBulkRows = 50'000;
constexpr int kRandomRows = 20'000;
constexpr int kSingleCommits = 2'000;
constexpr int kWarmFrames = 1'100;  // beyond the 1,000 pages of the automatic checkpoint
constexpr int kRowsPerApply = 5'000;
constexpr int kColumns = 5;  // beside the key
constexpr const char* kNames = "household, name, note, opened, weight";

std::string g_directory = "/tmp/skerry-bench-micro";
int g_page_size = 4096;
int g_runs = 3;

[[noreturn]] void die(sqlite3* db, std::string_view where) {
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
const std::vector<Shape> kShapes = {
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
std::string uuid_v7(std::int64_t when, std::mt19937_64& random, bool is_blob) {
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
std::vector<Row> make_rows(int count, Order order, bool is_blob) {
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
void bind_row(Statement& statement, const Row& row, bool is_blob) {
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

const std::string kInsert =
    std::string("INSERT INTO visit(") + kNames + ", id) VALUES(?1, ?2, ?3, ?4, ?5, ?6)";

void create_table(Database& db, const Shape& shape) {
    db.execute(std::string("CREATE TABLE visit(") + shape.columns + ", household " + shape.key +
               ", name TEXT, note TEXT, opened INTEGER, weight REAL) " + shape.options);
}

// ---- capture --------------------------------------------------------------------------------

enum class Pre {
    kProbeInSelect,  // INSERT .. SELECT .. LEFT JOIN .. WHERE NOT EXISTS (reads its own target)
    kProbeInWhen,    // the probe moves into the trigger's WHEN clause; still one LEFT JOIN
    kSplit,          // and absent rows store (key, 0) by VALUES; present rows have a second trigger
    kSharedSet,      // as kSplit, absent keys of all entities in one (entity, key) table
    kSharedLog,      // as kSharedSet, an append-only log, made unique when numbering
};

enum class Number {
    kRowByRow,      // C++ reads a row, encodes it and steps the INSERT
    kOneStatement,  // INSERT .. SELECT with a C++ function that encodes, on the library's
                    // connection
    kNever,         // the trigger alone, to see where the time goes
};

struct Capture {
    const char* name;
    bool is_on = true;
    Pre pre = Pre::kProbeInSelect;
    Number number = Number::kRowByRow;
    bool writes_base = true;
    bool op_has_rowid = false;
    bool uses_savepoint = true;
    bool temp_in_memory = false;
    bool is_in_short_list = false;
};
const std::vector<Capture> kCaptures = {
    {.name = "floor: plain INSERT", .is_on = false, .is_in_short_list = true},
    {.name = "0 as designed", .is_in_short_list = true},
    {.name = "0 as designed, trigger alone", .number = Number::kNever},
    {.name = "1 probe in WHEN", .pre = Pre::kProbeInWhen},
    {.name = "2 absent rows: key only", .pre = Pre::kSplit},
    {.name = "2 trigger alone", .pre = Pre::kSplit, .number = Number::kNever},
    {.name = "3 as 2, no base for inserts",
     .pre = Pre::kSplit,
     .writes_base = false,
     .is_in_short_list = true},
    {.name = "4 as 3, op rowid + index",
     .pre = Pre::kSplit,
     .writes_base = false,
     .op_has_rowid = true},
    {.name = "5 as 3, shared key set", .pre = Pre::kSharedSet, .writes_base = false},
    {.name = "6 as 3, shared append log",
     .pre = Pre::kSharedLog,
     .writes_base = false,
     .is_in_short_list = true},
    {.name = "7 as 3, memory temp, no savepoint",
     .pre = Pre::kSplit,
     .writes_base = false,
     .uses_savepoint = false,
     .temp_in_memory = true},
    {.name = "8 as 3, one-statement numbering",
     .pre = Pre::kSplit,
     .number = Number::kOneStatement,
     .writes_base = false},
};

void create_capture(Database& db, const Shape& shape, const Capture& capture) {
    const std::string key = shape.key;
    const std::string image = "(key " + key + " PRIMARY KEY, existed INTEGER NOT NULL, household " +
                              key +
                              ", name TEXT, note TEXT, opened INTEGER, weight REAL) "
                              "STRICT, WITHOUT ROWID;";
    db.execute(
        "CREATE TABLE skerry_applying(n INTEGER NOT NULL);"
        "INSERT INTO skerry_applying VALUES(0);"
        "CREATE TABLE skerry_counter(txn INTEGER NOT NULL);"
        "INSERT INTO skerry_counter VALUES(0);"
        "CREATE TABLE pre_visit" +
        image + "CREATE TABLE base_visit" + image);
    db.execute(capture.op_has_rowid
                   ? "CREATE TABLE op(n INTEGER PRIMARY KEY, entity INTEGER, key, txn INTEGER, kind"
                     " INTEGER, mask BLOB, body BLOB); CREATE INDEX op_key ON op(entity, key, txn)"
                   : "CREATE TABLE op(entity INTEGER, key, txn INTEGER, kind INTEGER, mask BLOB,"
                     " body BLOB, PRIMARY KEY(entity, key, txn)) WITHOUT ROWID");
    if (capture.pre == Pre::kSharedSet)
        db.execute(
            "CREATE TABLE touched(entity INTEGER, key, PRIMARY KEY(entity, key)) "
            "WITHOUT ROWID");
    if (capture.pre == Pre::kSharedLog)
        db.execute("CREATE TABLE touched(n INTEGER PRIMARY KEY, entity INTEGER, key)");

    const std::string on = " ON visit WHEN (SELECT n FROM skerry_applying) = 0 ";
    const std::string into = std::string("INSERT INTO pre_visit(key, existed, ") + kNames + ") ";
    const auto fresh = [](const std::string& row) {
        return "NOT EXISTS(SELECT 1 FROM pre_visit WHERE key = " + row + ".id) ";
    };
    const std::string old_image =
        "SELECT id, 1, household, name, note, opened, weight "
        "FROM visit WHERE id = ";
    const std::string is_there = "EXISTS(SELECT 1 FROM visit WHERE id = NEW.id) ";
    const std::string left_join =
        "SELECT NEW.id, t.id IS NOT NULL, t.household, t.name, t.note, t.opened, t.weight "
        "FROM (SELECT 1) LEFT JOIN visit t ON t.id = NEW.id ";
    const std::string insert = "CREATE TRIGGER skerry_insert BEFORE INSERT" + on;
    const std::string present = "CREATE TRIGGER skerry_replace BEFORE INSERT" + on + "AND " +
                                is_there + "AND " + fresh("NEW") + "BEGIN " + into + old_image +
                                "NEW.id; END";
    switch (capture.pre) {
        case Pre::kProbeInSelect:
            db.execute(insert + "BEGIN " + into + left_join + "WHERE " + fresh("NEW") + "; END");
            break;
        case Pre::kProbeInWhen:
            db.execute(insert + "AND " + fresh("NEW") + "BEGIN " + into + left_join + "; END");
            break;
        case Pre::kSplit:
            db.execute(insert + "AND NOT " + is_there + "AND " + fresh("NEW") +
                       "BEGIN INSERT INTO pre_visit(key, existed) VALUES(NEW.id, 0); END");
            db.execute(present);
            break;
        case Pre::kSharedSet:
            db.execute(insert + "AND NOT " + is_there + "AND " + fresh("NEW") +
                       "AND NOT EXISTS(SELECT 1 FROM touched WHERE entity = 1 AND key = NEW.id) "
                       "BEGIN INSERT INTO touched(entity, key) VALUES(1, NEW.id); END");
            db.execute(present);
            break;
        case Pre::kSharedLog:
            db.execute(insert + "AND NOT " + is_there +
                       "BEGIN INSERT INTO touched(entity, key) VALUES(1, NEW.id); END");
            db.execute(present);
            break;
    }
    for (const std::string event : {"UPDATE", "DELETE"})
        db.execute("CREATE TRIGGER skerry_" + event + " BEFORE " + event + on + "AND " +
                   fresh("OLD") + "BEGIN " + into + old_image + "OLD.id; END");
}

/// A stand-in for the op body: type, length where it varies, bytes.
void append_value(std::string& body, sqlite3_value* value) {
    const int type = sqlite3_value_type(value);
    body += static_cast<char>(type);
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        const std::int64_t whole = sqlite3_value_int64(value);
        const double real = sqlite3_value_double(value);
        body.append(type == SQLITE_FLOAT ? reinterpret_cast<const char*>(&real)
                                         : reinterpret_cast<const char*>(&whole),
                    8);
        return;
    }
    const void* bytes = sqlite3_value_blob(value);
    const int size = sqlite3_value_bytes(value);
    body += static_cast<char>(size);
    body.append(static_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

void sql_body(sqlite3_context* context, int count, sqlite3_value** values) {
    std::string body;
    for (int i = 0; i < count; ++i) append_value(body, values[i]);
    sqlite3_result_blob(context, body.data(), static_cast<int>(body.size()), SQLITE_TRANSIENT);
}

/// Turns the open group into one transaction, inside the caller's transaction.
class Numbering {
public:
    Numbering(Database& db, const Capture& capture) : db_(db), capture_(capture) {
        sqlite3_create_function(db.get(), "body", -1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr,
                                sql_body, nullptr, nullptr);
        const bool is_shared = capture.pre == Pre::kSharedSet || capture.pre == Pre::kSharedLog;
        const std::string source = is_shared ? "touched" : "pre_visit";
        // pre stands on the left: a plain JOIN would let the planner scan the large table.
        const std::string from = " FROM (SELECT " +
                                 std::string(capture.pre == Pre::kSharedLog ? "DISTINCT " : "") +
                                 "key FROM " + source + ") p LEFT JOIN visit t ON t.id = p.key";
        const std::string op = "INSERT INTO op(entity, key, txn, kind, mask, body) ";
        const std::string prev = "(SELECT max(txn) FROM op WHERE entity = 1 AND op.key = p.key)";
        read_ = prepare("SELECT p.key, " + prev + ", " + kNames + from);
        op_ = prepare(capture.number == Number::kOneStatement
                          ? op + "SELECT 1, p.key, ?1, 1, x'1f', body(" + prev + ", " + kNames +
                                ")" + from
                          : op + "VALUES(1, ?2, ?1, 1, x'1f', ?3)");
        base_ = prepare("INSERT INTO base_visit(key, existed) VALUES(?1, 0)");
        clear_ = prepare("DELETE FROM " + source);
        count_ = prepare("UPDATE skerry_counter SET txn = txn + 1");
    }

    void run() {
        if (capture_.uses_savepoint) db_.execute("SAVEPOINT skerry_number");
        count_->run();
        sqlite3_bind_int64(op_->get(), 1, ++txn_);
        if (capture_.number == Number::kOneStatement)
            op_->run();
        else
            number_row_by_row();
        clear_->run();
        if (capture_.uses_savepoint) db_.execute("RELEASE skerry_number");
    }

private:
    std::unique_ptr<Statement> prepare(const std::string& sql) {
        return std::make_unique<Statement>(db_.get(), sql);
    }
    void number_row_by_row() {
        while (read_->step()) {
            std::string body;
            for (int column = 1; column < 2 + kColumns; ++column)
                append_value(body, sqlite3_column_value(read_->get(), column));
            sqlite3_value* key = sqlite3_column_value(read_->get(), 0);
            sqlite3_bind_value(op_->get(), 2, key);
            sqlite3_bind_blob(op_->get(), 3, body.data(), static_cast<int>(body.size()),
                              SQLITE_STATIC);
            op_->run();
            const bool is_first = sqlite3_column_type(read_->get(), 1) == SQLITE_NULL;
            if (!capture_.writes_base || !is_first) continue;
            sqlite3_bind_value(base_->get(), 1, key);
            base_->run();
        }
        sqlite3_reset(read_->get());
    }

    Database& db_;
    const Capture& capture_;
    std::unique_ptr<Statement> read_, op_, base_, clear_, count_;
    std::int64_t txn_ = 0;
};

// ---- runs and their report ------------------------------------------------------------------

struct Sample {
    double rows_per_second;
    std::int64_t file_bytes;
};

void remove_database(const std::string& path) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}

/// Brings the WAL file to its steady length. A short floor would otherwise spend its time growing
/// the file, which makes each fsync dearer, while the heavier variant already overwrites it.
void warm_wal(Database& db) {
    db.execute("CREATE TABLE warm(n INTEGER); INSERT INTO warm VALUES(0)");
    db.execute("PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0");
    Statement touch(db.get(), "UPDATE warm SET n = n + 1");
    for (int i = 0; i < kWarmFrames; ++i) touch.run();
    db.execute("PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000");
    db.execute("PRAGMA wal_checkpoint(PASSIVE)");
}

/// Times `work` on the database at `path`; the size is that after a full checkpoint.
Sample timed(Database& db, std::size_t rows, const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    return {static_cast<double>(rows) / took.count(),
            db.number("PRAGMA page_count") * db.number("PRAGMA page_size")};
}

/// A case runs `g_runs` rounds over shapes and variants; variant 0 is the floor.
void report(const std::string& title, const std::vector<std::string>& variants,
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
        "\n### %s, page %d\n| shape | variant | rows/s | x floor | x fastest floor | MB |\n"
        "|---|---|---|---|---|---|\n",
        title.c_str(), g_page_size);
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

Sample measure_capture(const Shape& shape, const Capture& capture, const std::vector<Row>& rows,
                       std::size_t rows_per_commit) {
    const std::string path = g_directory + "/capture.db";
    remove_database(path);
    Database db(path);
    create_table(db, shape);
    if (capture.temp_in_memory) db.execute("PRAGMA temp_store=MEMORY");
    if (capture.is_on) create_capture(db, shape, capture);
    Statement insert(db.get(), kInsert);
    std::unique_ptr<Numbering> numbering;
    if (capture.is_on && capture.number != Number::kNever)
        numbering = std::make_unique<Numbering>(db, capture);
    warm_wal(db);
    const Sample sample = timed(db, rows.size(), [&] {
        for (std::size_t first = 0; first < rows.size(); first += rows_per_commit) {
            db.execute("BEGIN IMMEDIATE");
            for (std::size_t i = first; i < std::min(first + rows_per_commit, rows.size()); ++i) {
                bind_row(insert, rows[i], shape.is_blob);
                insert.run();
            }
            if (numbering) numbering->run();
            db.execute("COMMIT");
        }
    });
    if (numbering && db.number("SELECT count(*) FROM op") != std::ssize(rows))
        die(db.get(), "capture lost a row");
    return sample;
}

// ---- apply ----------------------------------------------------------------------------------

enum class Write { kInsertOnly, kUpdateThenInsert, kInsertThenUpdate, kUpsert };
enum class Triggers {
    kNone,
    kAside,        // skerry_applying = 1: the WHEN clause is false
    kSwitchedOff,  // SQLITE_DBCONFIG_ENABLE_TRIGGER on the engine's connection: not compiled in
};
struct Apply {
    const char* name;
    Write write;
    Triggers triggers;
    const char* conflict = "";  // OR FAIL opens no statement journal
};
const std::vector<Apply> kApplies = {
    {"floor: plain INSERT", Write::kInsertOnly, Triggers::kNone},
    {"INSERT only, aside", Write::kInsertOnly, Triggers::kAside},
    {"INSERT OR FAIL only, aside", Write::kInsertOnly, Triggers::kAside, "OR FAIL "},
    {"UPDATE then INSERT, aside", Write::kUpdateThenInsert, Triggers::kAside},
    {"UPDATE then INSERT OR FAIL, aside", Write::kUpdateThenInsert, Triggers::kAside, "OR FAIL "},
    {"INSERT DO NOTHING then UPDATE, aside", Write::kInsertThenUpdate, Triggers::kAside},
    {"upsert, aside", Write::kUpsert, Triggers::kAside},
    {"UPDATE then INSERT, triggers off", Write::kUpdateThenInsert, Triggers::kSwitchedOff},
    {"INSERT DO NOTHING then UPDATE, off", Write::kInsertThenUpdate, Triggers::kSwitchedOff},
    {"upsert, triggers off", Write::kUpsert, Triggers::kSwitchedOff},
};

Sample measure_apply(const Shape& shape, const Apply& apply, const std::vector<Row>& rows,
                     const std::string& start_from) {
    const std::string path = g_directory + "/apply.db";
    remove_database(path);
    if (!start_from.empty()) {
        std::filesystem::copy_file(start_from, path);
        ::sync();  // else the copy's dirty pages are paid by the first checkpoint that we time
    }
    Database db(path);
    if (start_from.empty()) create_table(db, shape);
    if (apply.triggers != Triggers::kNone) {
        create_capture(db, shape, {.name = "", .pre = Pre::kSplit});
        db.execute("UPDATE skerry_applying SET n = 1");
    }
    if (apply.triggers == Triggers::kSwitchedOff)
        sqlite3_db_config(db.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
    const std::string set = "household = ?1, name = ?2, note = ?3, opened = ?4, weight = ?5";
    std::string insert_sql = kInsert;
    insert_sql.insert(std::string_view("INSERT ").size(), apply.conflict);
    if (apply.write == Write::kUpsert) insert_sql += " ON CONFLICT(id) DO UPDATE SET " + set;
    if (apply.write == Write::kInsertThenUpdate) insert_sql += " ON CONFLICT(id) DO NOTHING";
    Statement insert(db.get(), insert_sql);
    Statement update(db.get(), "UPDATE visit SET " + set + " WHERE id = ?6");
    const auto run = [&](Statement& statement, const Row& row) {
        bind_row(statement, row, shape.is_blob);
        statement.run();
        return sqlite3_changes(db.get()) > 0;
    };
    warm_wal(db);
    return timed(db, rows.size(), [&] {
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i % kRowsPerApply == 0) db.execute(i == 0 ? "BEGIN" : "COMMIT; BEGIN");
            if (apply.write == Write::kUpdateThenInsert && run(update, rows[i])) continue;
            if (!run(insert, rows[i]) && apply.write == Write::kInsertThenUpdate)
                run(update, rows[i]);
        }
        db.execute("COMMIT");
    });
}

// ---- fts ------------------------------------------------------------------------------------

enum class Source { kRowid, kExtraColumn, kMapView };
struct FtsCase {
    const char* name;
    const char* create;  // the table
    Source source;
};
const std::vector<FtsCase> kFtsCases = {
    {"rowid, key PRIMARY KEY (a, c)", "CREATE TABLE visit(id TEXT NOT NULL PRIMARY KEY, name TEXT)",
     Source::kRowid},
    {"WITHOUT ROWID, content_rowid=rowid (b, d)",
     "CREATE TABLE visit(id TEXT NOT NULL PRIMARY KEY, name TEXT) WITHOUT ROWID", Source::kRowid},
    {"WITHOUT ROWID + doc INTEGER UNIQUE",
     "CREATE TABLE visit(id TEXT NOT NULL PRIMARY KEY, name TEXT, doc INTEGER UNIQUE) "
     "WITHOUT ROWID",
     Source::kExtraColumn},
    {"WITHOUT ROWID + doc map and view",
     "CREATE TABLE visit(id TEXT NOT NULL PRIMARY KEY, name TEXT) WITHOUT ROWID;"
     "CREATE TABLE doc_map(doc INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);"
     "CREATE VIEW visit_doc AS SELECT doc, name FROM doc_map JOIN visit USING(id)",
     Source::kMapView},
    {"rowid + INTEGER alias (e)",
     "CREATE TABLE visit(rowid_ INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT)",
     Source::kRowid},
};

void create_fts(Database& db, Source source) {
    const std::string content = source == Source::kMapView ? "visit_doc" : "visit";
    const std::string column = source == Source::kRowid ? "rowid" : "doc";
    const auto doc = [&](const std::string& row) {
        return source == Source::kMapView ? "(SELECT doc FROM doc_map WHERE id = " + row + ".id)"
                                          : row + "." + column;
    };
    const std::string add = "INSERT INTO fts(rowid, name) VALUES(" + doc("NEW") + ", NEW.name);";
    const std::string drop =
        "INSERT INTO fts(fts, rowid, name) VALUES('delete', " + doc("OLD") + ", OLD.name);";
    const bool is_map = source == Source::kMapView;
    db.execute("CREATE VIRTUAL TABLE fts USING fts5(name, content=" + content +
               ", content_rowid=" + column + ")");
    db.execute(std::string("CREATE TRIGGER fts_insert AFTER INSERT ON visit BEGIN ") +
               (is_map ? "INSERT INTO doc_map(id) SELECT NEW.id WHERE NOT EXISTS"
                         "(SELECT 1 FROM doc_map WHERE id = NEW.id);"
                       : "") +
               add + " END");
    db.execute("CREATE TRIGGER fts_delete AFTER DELETE ON visit BEGIN " + drop +
               (is_map ? "DELETE FROM doc_map WHERE id = OLD.id;" : "") + " END");
    db.execute("CREATE TRIGGER fts_update AFTER UPDATE ON visit BEGIN " + drop + add + " END");
}

/// "ok" when the index equals the content table (rank 1; without it FTS5 looks only at itself) and
/// a search for the last row's word finds that row; otherwise what is wrong.
std::string check_fts(Database& db, Source source) {
    if (db.try_execute("INSERT INTO fts(fts) VALUES('integrity-check')") != SQLITE_OK)
        return "corrupt";
    if (db.try_execute("INSERT INTO fts(fts, rank) VALUES('integrity-check', 1)") != SQLITE_OK)
        return "differs";
    const std::string content = source == Source::kMapView ? "visit_doc" : "visit";
    const std::string column = source == Source::kRowid ? "rowid" : "doc";
    const auto found = db.number("SELECT count(*) FROM fts JOIN " + content + " v ON v." + column +
                                 " = fts.rowid WHERE fts MATCH 'person'");
    return found == db.number("SELECT count(*) FROM visit") ? "ok" : "search misses rows";
}

void report_fts() {
    const std::vector<std::pair<const char*, const char*>> steps = {
        {"UPDATE", "UPDATE visit SET name = name || ' moved' WHERE id LIKE '%7'"},
        {"DELETE", "DELETE FROM visit WHERE id LIKE '%3'"},
        {"upsert",
         "INSERT INTO visit(id, name) SELECT id, name || ' again' FROM visit WHERE true "
         "ON CONFLICT(id) DO UPDATE SET name = excluded.name"},
        {"VACUUM", "VACUUM"},
        {"rebuild", "INSERT INTO fts(fts) VALUES('rebuild')"},
        {"REPLACE",
         "REPLACE INTO visit(id, name) SELECT id, 'person replaced' FROM visit "
         "WHERE id LIKE '%5'"},
        {"rebuild", "INSERT INTO fts(fts) VALUES('rebuild')"},
        {"REPLACE + recursive_triggers",
         "PRAGMA recursive_triggers=ON; REPLACE INTO visit(id, name) SELECT id, 'person twice' "
         "FROM visit WHERE id LIKE '%9'"},
    };
    std::printf("\n### FTS5, external content\n| table | INSERT |");
    for (const auto& step : steps) std::printf(" %s |", step.first);
    std::printf("\n|---|---|---|---|---|---|---|---|---|---|\n");
    for (const FtsCase& fts_case : kFtsCases) {
        const std::string path = g_directory + "/fts.db";
        remove_database(path);
        Database db(path);
        db.execute(fts_case.create);
        create_fts(db, fts_case.source);
        const char* column = fts_case.source == Source::kExtraColumn ? "id, name, doc" : "id, name";
        const char* value = fts_case.source == Source::kExtraColumn ? ", n" : "";
        const int inserted = db.try_execute(
            std::string("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE "
                        "n < 2000) INSERT INTO visit(") +
            column + ") SELECT printf('%08d', (n * 7919) % 10007), 'person of nr ' || n" + value +
            " FROM c");
        std::printf("| %s | %s |", fts_case.name,
                    inserted == SQLITE_OK ? check_fts(db, fts_case.source).c_str()
                                          : sqlite3_errmsg(db.get()));
        for (const auto& step : steps) {
            if (inserted != SQLITE_OK) break;
            const int code = db.try_execute(step.second);
            std::printf(" %s |", code == SQLITE_OK ? check_fts(db, fts_case.source).c_str()
                                                   : sqlite3_errmsg(db.get()));
        }
        std::printf("\n");
    }
}

// ---- program --------------------------------------------------------------------------------

std::vector<const Shape*> pointers_to_shapes() {
    std::vector<const Shape*> shapes;
    for (const Shape& shape : kShapes) shapes.push_back(&shape);
    return shapes;
}

template <typename Variant>
std::vector<std::string> names_of(const std::vector<Variant>& variants) {
    std::vector<std::string> names;
    for (const Variant& variant : variants) names.push_back(variant.name);
    return names;
}

void report_capture() {
    struct Size {
        const char* title;
        int rows;
        std::size_t rows_per_commit;
        bool is_short;  // an fsync or one huge commit hides most differences: fewer variants
    };
    for (const Size& size : {Size{"capture, 1 row a commit", kSingleCommits, 1, true},
                             Size{"capture, 1,000 rows a commit", kBulkRows, 1000, false},
                             Size{"capture, one commit of 50,000", kBulkRows, kBulkRows, true}}) {
        const auto text = make_rows(size.rows, Order::kByKey, false);
        const auto blob = make_rows(size.rows, Order::kByKey, true);
        std::vector<Capture> captures;
        for (const Capture& capture : kCaptures)
            if (!size.is_short || capture.is_in_short_list) captures.push_back(capture);
        report(size.title, names_of(captures), pointers_to_shapes(),
               [&](const Shape& shape, std::size_t variant) {
                   return measure_capture(shape, captures[variant], shape.is_blob ? blob : text,
                                          size.rows_per_commit);
               });
    }
}

void report_apply() {
    std::map<const Shape*, std::string> full_tables;
    for (const Order order : {Order::kByKey, Order::kRandom}) {
        const bool is_random = order == Order::kRandom;
        const int count = is_random ? kRandomRows : kApplyRows;
        const auto text = make_rows(count, order, false);
        const auto blob = make_rows(count, order, true);
        report(is_random ? "apply, 20,000 rows in random order into 227,000"
                         : "apply, 227,000 rows in key order into an empty table",
               names_of(kApplies), pointers_to_shapes(),
               [&](const Shape& shape, std::size_t variant) {
                   const auto& rows = shape.is_blob ? blob : text;
                   if (is_random)
                       return measure_apply(shape, kApplies[variant], rows, full_tables[&shape]);
                   const Sample sample = measure_apply(shape, kApplies[variant], rows, "");
                   if (variant != 0) return sample;
                   std::string& full = full_tables[&shape];
                   full = g_directory + "/full" + std::to_string(&shape - kShapes.data()) + ".db";
                   std::filesystem::rename(g_directory + "/apply.db", full);
                   return sample;
               });
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "all";
    if (argc > 2) g_page_size = std::atoi(argv[2]);
    if (argc > 3) g_runs = std::max(1, std::atoi(argv[3]));
    if (argc > 4) g_directory = argv[4];
    if (what != "all" && what != "capture" && what != "apply" && what != "fts") {
        std::fprintf(stderr, "usage: %s [all|capture|apply|fts] [page size] [runs] [directory]\n",
                     argv[0]);
        return 2;
    }
    sqlite3_initialize();
    std::filesystem::create_directories(g_directory);
    std::printf("SQLite %s, WAL, synchronous=FULL, cache 16 MB, median of %d\n",
                sqlite3_libversion(), g_runs);
    if (what == "all" || what == "fts") report_fts();
    if (what == "all" || what == "capture") report_capture();
    if (what == "all" || what == "apply") report_apply();
    std::filesystem::remove_all(g_directory);
    return 0;
}
