#include "kit.hpp"

#include <sys/resource.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace skerry::bench {

void die(std::string_view message) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()), message.data());
    std::exit(1);
}

void die(const Error& error) { die(describe(error)); }

Device open_device(const std::string& path, const std::string& url, const std::string& token) {
    return must(Device::open({.path = path, .server_url = url, .token = token, .name = "bench", .model = {}}));
}

std::vector<Row> read_rows(const std::string& tsv, std::size_t limit) {
    std::ifstream in(tsv);
    std::string line;
    if (!std::getline(in, line)) die("no rows in " + tsv);
    std::vector<Row> rows;
    while (rows.size() < limit && std::getline(in, line)) {
        std::vector<std::string> cells;
        for (std::size_t at = 0; at <= line.size();) {
            const std::size_t end = std::min(line.find('\t', at), line.size());
            cells.push_back(line.substr(at, end - at));
            at = end + 1;
        }
        if (cells.size() != 6) die("not six columns: " + line);
        rows.push_back({cells[0], cells[1], cells[2], std::stoll(cells[3]), cells[4], cells[5]});
    }
    return rows;
}

Plain::Plain(const std::string& path) {
    if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) die(sqlite3_errmsg(db_));
    sqlite3_busy_timeout(db_, 10'000);  // a server may write to the same file
    exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA recursive_triggers = ON; PRAGMA cache_size = -16384; PRAGMA secure_delete = ON");
}

Plain::~Plain() { sqlite3_close(db_); }

void Plain::exec(const std::string& sql) {
    if (sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) die(sql + ": " + sqlite3_errmsg(db_));
}

std::int64_t Plain::integer(const std::string& sql) {
    PlainStatement statement(*this, sql);
    if (!statement.step()) die("no row: " + sql);
    return sqlite3_column_int64(statement.get(), 0);
}

void Plain::make_table() {
    exec("CREATE TABLE thing(id TEXT NOT NULL PRIMARY KEY, name TEXT, country TEXT, people INTEGER, place TEXT, note TEXT) STRICT");
}

PlainStatement::PlainStatement(Plain& db, const std::string& sql) : db_(db.get()) {
    if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &handle_, nullptr) != SQLITE_OK) die(sql + ": " + sqlite3_errmsg(db_));
}

bool PlainStatement::step() {
    const int code = sqlite3_step(handle_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) die(std::string(sqlite3_sql(handle_)) + ": " + sqlite3_errmsg(db_));
    return code == SQLITE_ROW;
}

void bind(PlainStatement& insert, const Row& row) {
    insert.text(1, row.id);
    insert.text(2, row.name);
    insert.text(3, row.country);
    insert.integer(4, row.people);
    insert.text(5, row.place);
    insert.text(6, row.note);
}

std::vector<Value> values_of(const Row& row) { return {row.id, row.name, row.country, row.people, row.place, row.note}; }

std::uint64_t peak_kib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss);
}

std::uint64_t file_bytes(const std::string& path) { return std::filesystem::file_size(path); }

}  // namespace skerry::bench
