// delta FILE URL TOKEN DATABASE TSV ROUNDS CHANGES: in each round SQL changes so many rows in the server's database, and a device that
// has everything syncs; and the same with nothing changed. Told are milliseconds and the bytes of all bodies, both ways.
#include "kit.hpp"

#include <algorithm>
#include <random>

using namespace skerry::bench;

namespace {

struct Round {
    double ms = 0;
    std::uint64_t bytes = 0;
};

Round one_sync(skerry::Device& device, std::uint64_t expected) {
    const auto before = must(device.status());
    const Stopwatch watch;
    const auto after = must(device.sync());
    const double ms = watch.seconds() * 1000;
    if (after.rows_received != expected) die(std::to_string(after.rows_received) + " rows arrived");
    return {ms, after.bytes_received - before.bytes_received + after.bytes_sent - before.bytes_sent};
}

// Each measure for itself.
Round median(const std::vector<Round>& rounds) {
    std::vector<double> ms;
    std::vector<std::uint64_t> bytes;
    for (const Round& round : rounds) {
        ms.push_back(round.ms);
        bytes.push_back(round.bytes);
    }
    std::sort(ms.begin(), ms.end());
    std::sort(bytes.begin(), bytes.end());
    return {ms[ms.size() / 2], bytes[bytes.size() / 2]};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) die("usage: delta FILE URL TOKEN DATABASE TSV ROUNDS CHANGES");
    const std::vector<Row> rows = read_rows(argv[5]);
    const int rounds = std::stoi(argv[6]);
    const int changes = std::stoi(argv[7]);
    auto device = open_device(argv[1], argv[2], argv[3]);
    must(device.sync());
    must(device.sync());
    Plain db(argv[4]);
    PlainStatement update(db, "UPDATE thing SET people = people + 1, note = ?2 WHERE id = ?1");
    std::mt19937 random(11);
    std::vector<Round> changed, nothing;
    for (int round = 0; round < rounds; ++round) {
        db.exec("BEGIN IMMEDIATE");
        for (int i = 0; i < changes; ++i) {
            // A part of its own for each, so that none is changed twice.
            const std::size_t part = rows.size() / static_cast<std::size_t>(changes);
            const Row& row = rows[static_cast<std::size_t>(i) * part + random() % part];
            const std::string note = "round " + std::to_string(round) + ": " + row.note;
            update.text(1, row.id);
            update.text(2, note);
            update.run();
        }
        db.exec("COMMIT");
        changed.push_back(one_sync(device, static_cast<std::uint64_t>(changes)));
        nothing.push_back(one_sync(device, 0));
    }
    const Round delta = median(changed), none = median(nothing);
    std::printf("{\"ms\": %.3f, \"bytes\": %llu, \"nothing_ms\": %.3f, \"nothing_bytes\": %llu}\n", delta.ms, static_cast<unsigned long long>(delta.bytes),
                none.ms, static_cast<unsigned long long>(none.bytes));
}
