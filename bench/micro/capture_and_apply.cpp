// What one synced row costs on a device, for each table shape that the device format could take.
//
// Role: two questions, each answered beside a floor that is the same plain SQL without Skerry:
// `capture` (a local write: trigger, numbering at commit) and `apply` (rows that arrive).
// Not promised: the op body is a stand-in of about the real size, not the wire encoding.

#include <unistd.h>

#include <iterator>
#include <memory>

#include "harness.hpp"

namespace skerry::bench {
namespace {

constexpr int kBulkRows = 50'000;
constexpr int kRandomRows = 20'000;
constexpr int kSingleCommits = 2'000;
constexpr int kRowsPerApply = 5'000;
constexpr int kColumns = 5;  // beside the key
constexpr const char* kNames = "household, name, note, opened, weight";

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
}  // namespace skerry::bench

using namespace skerry::bench;

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "all";
    if (argc > 2) g_page_size = std::atoi(argv[2]);
    if (argc > 3) g_runs = std::max(1, std::atoi(argv[3]));
    if (argc > 4) g_directory = argv[4];
    if (argc > 5) g_temp_store = argv[5];
    if (what != "all" && what != "capture" && what != "apply" && what != "fts") {
        std::fprintf(stderr,
                     "usage: %s [all|capture|apply|fts] [page size] [runs] [directory] "
                     "[file|memory]\n",
                     argv[0]);
        return 2;
    }
    sqlite3_initialize();
    g_directory += "/skerry-bench-micro." + std::to_string(::getpid());  // removed at the end
    std::filesystem::create_directories(g_directory);
    std::printf("SQLite %s, WAL, synchronous=FULL, cache 16 MB, median of %d\n",
                sqlite3_libversion(), g_runs);
    if (what == "all" || what == "fts") report_fts();
    if (what == "all" || what == "capture") report_capture();
    if (what == "all" || what == "apply") report_apply();
    std::filesystem::remove_all(g_directory);
    return 0;
}
