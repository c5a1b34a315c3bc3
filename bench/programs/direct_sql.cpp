// direct_sql DATABASE TSV ROWS_A_COMMIT: every row of the TSV is changed in a server's database, by SQL and beside the running server,
// until that has sequenced the last of them.
#include "kit.hpp"

#include <chrono>
#include <thread>

using namespace skerry::bench;

int main(int argc, char** argv) {
    if (argc != 4) die("usage: direct_sql DATABASE TSV ROWS_A_COMMIT");
    const std::vector<Row> rows = read_rows(argv[2]);
    const std::size_t a_commit = std::stoul(argv[3]);
    Plain db(argv[1]);
    PlainStatement update(db, "UPDATE thing SET people = people + 1 WHERE id = ?1");
    const Stopwatch watch;
    for (std::size_t at = 0; at < rows.size(); at += a_commit) {
        db.exec("BEGIN IMMEDIATE");
        for (std::size_t i = at; i < std::min(at + a_commit, rows.size()); ++i) {
            update.text(1, rows[i].id);
            update.run();
        }
        db.exec("COMMIT");
    }
    const double written = watch.seconds();
    while (db.integer("SELECT EXISTS (SELECT 1 FROM skerry_queue)") != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const double sequenced = watch.seconds();
    std::printf("{\"rows\": %zu, \"written_seconds\": %.6f, \"sequenced_seconds\": %.6f}\n", rows.size(), written, sequenced);
}
