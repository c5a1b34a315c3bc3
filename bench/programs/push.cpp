// push plain insert|update FILE TSV ROWS_A_COMMIT: the floor, the rows into one plain database.
// push devices insert|update DIR TSV ROWS_A_COMMIT URL TOKEN...: each token's device writes its part of the rows without a network; then
// all of them sync at once, a thread each, until every verdict has settled, with the rows.
#include "kit.hpp"

#include <barrier>
#include <thread>

using namespace skerry::bench;

namespace {

constexpr const char* kUpdate = "UPDATE thing SET people = people + 1, note = ?2 WHERE id = ?1";
std::string new_note(const Row& row) { return "seen again; " + row.note; }

struct Work {
    bool updates = false;
    std::vector<Row> rows;
    std::size_t a_commit = 0;
};

double plain(const std::string& path, const Work& work) {
    Plain db(path);
    db.make_table();
    db.exec(kWarmTable);
    PlainStatement insert(db, kInsert);
    PlainStatement update(db, kUpdate);
    if (work.updates) {
        db.exec("BEGIN IMMEDIATE");
        for (const Row& row : work.rows) {
            bind(insert, row);
            insert.run();
        }
        db.exec("COMMIT");
    }
    db.exec(kWarm);
    const Stopwatch watch;
    for (std::size_t at = 0; at < work.rows.size(); at += work.a_commit) {
        db.exec("BEGIN IMMEDIATE");
        for (std::size_t i = at; i < at + work.a_commit; ++i) {
            const Row& row = work.rows[i];
            const std::string note = new_note(row);
            if (work.updates) {
                update.text(1, row.id);
                update.text(2, note);
                update.run();
            } else {
                bind(insert, row);
                insert.run();
            }
        }
        db.exec("COMMIT");
    }
    return watch.seconds();
}

void write(skerry::Device& device, const Work& work, std::size_t from, std::size_t upto) {
    for (std::size_t at = from; at < upto; at += work.a_commit) {
        must(device.transaction([&](skerry::Device& open) -> skerry::Result<void> {
            for (std::size_t i = at; i < at + work.a_commit; ++i) {
                const Row& row = work.rows[i];
                if (work.updates) {
                    must(open.sql(kUpdate, {row.id, new_note(row)}));
                } else {
                    must(open.sql(kInsert, values_of(row)));
                }
            }
            return {};
        }));
    }
}

double devices(const std::string& dir, const Work& work, const std::string& url, const std::vector<std::string>& tokens) {
    const std::size_t part = work.rows.size() / tokens.size();
    std::barrier together(static_cast<std::ptrdiff_t>(tokens.size() + 1));
    std::vector<std::thread> threads;
    std::vector<std::size_t> settled(tokens.size());
    for (std::size_t d = 0; d < tokens.size(); ++d) {
        threads.emplace_back([&, d] {
            auto device = open_device(dir + "/device" + std::to_string(d), url, tokens[d]);
            must(device.sync());
            write(device, work, d * part, (d + 1) * part);
            device.on_verdict([&settled, d](const skerry::Verdict& verdict) {
                if (verdict.verdict != "applied") die("a transaction was " + verdict.verdict + ": " + verdict.message);
                settled[d] += 1;
            });
            together.arrive_and_wait();
            must(device.sync());
            together.arrive_and_wait();
        });
    }
    together.arrive_and_wait();
    const Stopwatch watch;
    together.arrive_and_wait();
    const double seconds = watch.seconds();
    for (std::thread& thread : threads) thread.join();
    for (const std::size_t count : settled)
        if (count != part / work.a_commit) die("not every transaction has its verdict");
    return seconds;
}

}  // namespace

int main(int argc, char** argv) {
    const std::string who = argc > 1 ? argv[1] : "";
    const std::string kind = argc > 2 ? argv[2] : "";
    if (!(who == "plain" && argc == 6) && !(who == "devices" && argc > 7)) die("usage: push plain|devices insert|update PATH TSV ROWS_A_COMMIT [URL TOKEN...]");
    const Work work{kind == "update", read_rows(argv[4]), std::stoul(argv[5])};
    const std::vector<std::string> tokens(argv + std::min(argc, 7), argv + argc);
    if (work.rows.size() % (work.a_commit * std::max<std::size_t>(tokens.size(), 1)) != 0) die("the rows cannot be parted evenly");
    const double seconds = who == "plain" ? plain(argv[3], work) : devices(argv[3], work, argv[6], tokens);
    std::printf("{\"seconds\": %.6f}\n", seconds);
}
