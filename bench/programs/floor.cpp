// floor FILE TSV: all rows in one transaction into a plain database.
#include "kit.hpp"

using namespace skerry::bench;

int main(int argc, char** argv) {
    if (argc != 3) die("usage: floor FILE TSV");
    const std::vector<Row> rows = read_rows(argv[2]);
    double seconds = 0;
    {
        Plain db(argv[1]);
        db.make_table();
        const Stopwatch watch;
        db.exec("BEGIN IMMEDIATE");
        PlainStatement insert(db, kInsert);
        for (const Row& row : rows) {
            bind(insert, row);
            insert.run();
        }
        db.exec("COMMIT");
        seconds = watch.seconds();
    }
    std::printf("{\"seconds\": %.6f, \"rows\": %zu, \"file_bytes\": %llu}\n", seconds, rows.size(),
                static_cast<unsigned long long>(file_bytes(argv[1])));
}
