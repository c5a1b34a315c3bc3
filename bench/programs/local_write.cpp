// local_write plain FILE TSV ROWS ROWS_A_COMMIT: rows into a plain database.
// local_write device FILE TSV ROWS ROWS_A_COMMIT URL TOKEN: the same through a device that made its store before; nothing is sent.
#include "kit.hpp"

using namespace skerry::bench;

namespace {

double plain(const std::string& path, const std::vector<Row>& rows, std::size_t a_commit) {
    Plain db(path);
    db.make_table();
    db.exec(kWarmTable);
    db.exec(kWarm);
    PlainStatement insert(db, kInsert);
    PlainStatement begin(db, "BEGIN IMMEDIATE");
    PlainStatement commit(db, "COMMIT");
    const Stopwatch watch;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (a_commit > 1 && i % a_commit == 0) begin.run();
        bind(insert, rows[i]);
        insert.run();
        if (a_commit > 1 && (i + 1) % a_commit == 0) commit.run();
    }
    return watch.seconds();
}

double captured(skerry::Device device, const std::vector<Row>& rows, std::size_t a_commit) {
    must(device.sql(kWarmTable));
    must(device.sql(kWarm));
    const Stopwatch watch;
    if (a_commit == 1) {
        for (const Row& row : rows) must(device.sql(kInsert, values_of(row)));
        return watch.seconds();
    }
    for (std::size_t at = 0; at < rows.size(); at += a_commit) {
        must(device.transaction([&](skerry::Device& open) -> skerry::Result<void> {
            for (std::size_t i = at; i < at + a_commit; ++i) must(open.sql(kInsert, values_of(rows[i])));
            return {};
        }));
    }
    return watch.seconds();
}

}  // namespace

int main(int argc, char** argv) {
    const std::string kind = argc > 1 ? argv[1] : "";
    if (!(kind == "plain" && argc == 6) && !(kind == "device" && argc == 8)) die("usage: local_write plain|device FILE TSV ROWS ROWS_A_COMMIT [URL TOKEN]");
    const std::vector<Row> rows = read_rows(argv[3], std::stoul(argv[4]));
    const std::size_t a_commit = std::stoul(argv[5]);
    if (rows.size() % a_commit != 0) die("the last commit would be a smaller one");
    const double seconds = kind == "plain" ? plain(argv[2], rows, a_commit) : captured(open_device(argv[2], argv[6], argv[7]), rows, a_commit);
    Plain db(argv[2]);
    if (db.integer("SELECT count(*) FROM thing") != static_cast<std::int64_t>(rows.size())) die("rows are missing");
    if (kind == "device" && db.integer("SELECT count(*) FROM skerry_op") != static_cast<std::int64_t>(rows.size())) die("operations are missing");
    std::printf("{\"us_a_row\": %.4f}\n", seconds * 1e6 / static_cast<double>(rows.size()));
}
