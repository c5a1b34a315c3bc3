// routed FILE URL TOKEN DATABASE SCOPES ROUNDS CHANGES: the rows' country names their scope, s0 to s<SCOPES - 1>, and the device has s0.
// In each round one transaction of SQL changes one row of s0 and others all over the rest, a tenth of which move to another
// scope; the round ends when the device has committed its row. Told is the median round, a change, in microseconds.
#include "kit.hpp"

#include <algorithm>
#include <random>

using namespace skerry::bench;

namespace {

// The keys in an order without an order, those of s0 apart.
struct Keys {
    std::vector<std::string> own, others;
};

Keys keys_in(Plain& db) {
    Keys keys;
    PlainStatement get(db, "SELECT id, country = 's0' FROM thing ORDER BY id");
    while (get.step())
        (sqlite3_column_int64(get.get(), 1) != 0 ? keys.own : keys.others).emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(get.get(), 0)));
    std::shuffle(keys.others.begin(), keys.others.end(), std::mt19937(3));
    return keys;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) die("usage: routed FILE URL TOKEN DATABASE SCOPES ROUNDS CHANGES");
    const int scopes = std::stoi(argv[5]);
    const std::size_t rounds = std::stoul(argv[6]);
    const std::size_t changes = std::stoul(argv[7]);
    auto device = open_device(argv[1], argv[2], argv[3]);
    must(device.sync());
    must(device.sync());
    Plain db(argv[4]);
    const Keys keys = keys_in(db);
    if (keys.own.empty() || keys.others.size() < rounds * changes) die("there are too few rows");
    PlainStatement change(db, "UPDATE thing SET people = people + 1 WHERE id = ?1");
    PlainStatement move(db, "UPDATE thing SET country = ?2 WHERE id = ?1");
    std::mt19937 random(5);
    std::vector<double> seconds;
    for (std::size_t round = 0; round < rounds; ++round) {
        const Stopwatch watch;
        db.exec("BEGIN IMMEDIATE");
        change.text(1, keys.own[round % keys.own.size()]);
        change.run();
        for (std::size_t i = 1; i < changes; ++i) {
            const std::string& key = keys.others[round * changes + i];
            const std::string scope = "s" + std::to_string(1 + random() % static_cast<unsigned>(scopes - 1));
            PlainStatement& write = i % 10 == 0 ? move : change;
            write.text(1, key);
            if (i % 10 == 0) write.text(2, scope);
            write.run();
        }
        db.exec("COMMIT");
        const auto status = must(device.sync());
        seconds.push_back(watch.seconds());
        if (status.rows_received != 1) die(std::to_string(status.rows_received) + " rows arrived");
    }
    std::sort(seconds.begin(), seconds.end());
    std::printf("{\"us_a_change\": %.3f, \"round_ms\": %.3f}\n", seconds[seconds.size() / 2] * 1e6 / static_cast<double>(changes), seconds[seconds.size() / 2] * 1e3);
}
