// local_read PLAIN STORE TSV: four kinds of reading, each in turn from a plain database, from a synced store by the same prepared
// statements, and through a device on that store. Told are the medians in microseconds: for each kind plain, file, api.
#include "kit.hpp"

#include <algorithm>
#include <random>

using namespace skerry::bench;

namespace {

struct Kind {
    const char* name;
    const char* sql;
    int times;  // in one measurement
};
constexpr Kind kKinds[] = {
    {"point", "SELECT id, name, country, people, place, note FROM thing WHERE id = ?1", 20'000},
    {"count", "SELECT count(*) FROM thing WHERE country = 'DE' AND people > 5000", 1},
    {"like", "SELECT id, name FROM thing WHERE note LIKE '%clinic 7%'", 1},
    {"top", "SELECT id, name, people FROM thing ORDER BY people DESC LIMIT 50", 1},
};
constexpr int kRounds = 9;

// Takes every value; what is counted keeps the compiler from leaving any out.
std::size_t read_all(PlainStatement& statement) {
    std::size_t seen = 0;
    while (statement.step()) {
        for (int i = 0; i < sqlite3_column_count(statement.get()); ++i) {
            if (sqlite3_column_type(statement.get(), i) == SQLITE_INTEGER) {
                seen += static_cast<std::size_t>(sqlite3_column_int64(statement.get(), i) != 0);
            } else if (sqlite3_column_text(statement.get(), i) != nullptr) {
                seen += static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), i));
            }
        }
    }
    sqlite3_reset(statement.get());
    return seen;
}

double median(std::vector<double> list) {
    std::sort(list.begin(), list.end());
    return list[list.size() / 2];
}

class Reading {
  public:
    Reading(const char* plain, const char* store, const std::vector<Row>& rows) : plain_(plain), file_(store), device_(open_device(store)) {
        std::mt19937 random(7);
        for (int i = 0; i < kKinds[0].times; ++i) keys_.push_back(rows[random() % rows.size()].id);
    }

    std::string measure(const Kind& kind) {
        PlainStatement in_plain(plain_, kind.sql), in_file(file_, kind.sql);
        std::vector<double> plain, file, api;
        for (int round = 0; round <= kRounds; ++round) {
            const double one = prepared(in_plain, kind), two = prepared(in_file, kind), three = through_device(kind);
            if (round == 0) continue;  // fills the caches
            plain.push_back(one);
            file.push_back(two);
            api.push_back(three);
        }
        char text[200];
        std::snprintf(text, sizeof text, "\"%s\": {\"plain\": %.3f, \"file\": %.3f, \"api\": %.3f}", kind.name, median(plain), median(file), median(api));
        return text;
    }

  private:
    double prepared(PlainStatement& statement, const Kind& kind) {
        const Stopwatch watch;
        std::size_t seen = 0;
        for (int i = 0; i < kind.times; ++i) {
            if (kind.times > 1) statement.text(1, keys_[static_cast<std::size_t>(i)]);
            seen += read_all(statement);
        }
        return done(watch, kind, seen);
    }

    double through_device(const Kind& kind) {
        const Stopwatch watch;
        std::size_t seen = 0;
        for (int i = 0; i < kind.times; ++i) {
            const auto table = kind.times > 1 ? device_.sql(kind.sql, {keys_[static_cast<std::size_t>(i)]}) : device_.sql(kind.sql);
            seen += must(table).rows.size();
        }
        return done(watch, kind, seen);
    }

    static double done(const Stopwatch& watch, const Kind& kind, std::size_t seen) {
        const double us = watch.seconds() * 1e6 / kind.times;
        if (seen == 0) die("nothing was read");
        return us;
    }

    Plain plain_, file_;
    skerry::Device device_;
    std::vector<std::string> keys_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) die("usage: local_read PLAIN STORE TSV");
    Reading reading(argv[1], argv[2], read_rows(argv[3]));
    std::string line;
    for (const Kind& kind : kKinds) line += (line.empty() ? "{" : ", ") + reading.measure(kind);
    std::printf("%s}\n", line.c_str());
}
