// Does an external-content FTS5 index survive on each table shape, and which statement breaks it?
//
// Role: a table of verdicts, no timing. "differs" means that the index no longer equals its table.

#include "harness.hpp"

namespace skerry::bench {
namespace {

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

}  // namespace

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

}  // namespace skerry::bench
