// One device of the rig, as an app would be: it opens a store, syncs live, and writes transactions at a bounded rate. Before each commit
// it says in its journal what it is about to write, and after the commit returned that it did; so what it was promised can be counted
// after it was killed at any moment. One thread. Commands are lines on standard input, answers are lines of JSON on standard output:
//
//   go        write from now on
//   stop      write no more
//   ask       what a person does who wants it now: a sync
//   report    how the device stands
//   drafts    the groups that were rejected, with how many rows of each the draft holds
//   quit      end with exit code 0
//
// What an app would have to tell its user comes unasked: {"event": "refused", "code": …} for a write, "unread" for a read that failed,
// "torn" for a group of which a live query saw a part.
#include <fcntl.h>
#include <poll.h>
#include <skerry/device.hpp>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace {

using skerry::Device;
using skerry::Error;
using skerry::Result;
using skerry::Value;
using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

struct Options {
    std::string store;
    std::string server;
    std::string token_file;
    std::string journal;
    std::string name;
    std::uint64_t seed = 1;
    int per_minute = 180;
    bool writing = false;
};

void say(const std::string& line) {
    std::puts(line.c_str());
    std::fflush(stdout);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return out + '"';
}

std::string text_of(const Value& value) { return std::holds_alternative<std::string>(value) ? std::get<std::string>(value) : ""; }

void tell(const char* event, const Error& error) {
    say("{\"event\":" + quoted(event) + ",\"code\":" + quoted(skerry::code_name(error.code)) + ",\"message\":" + quoted(error.message) + "}");
}

// What was meant and what was promised, a line each. It has to be there when the process is killed, not when the power fails: one write
// to the system is enough.
class Journal {
  public:
    explicit Journal(const std::string& path) : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {}
    ~Journal() { ::close(file_); }
    Journal(const Journal&) = delete;
    Journal& operator=(const Journal&) = delete;

    bool line(const std::string& text) const {
        const std::string whole = text + "\n";
        return ::write(file_, whole.data(), whole.size()) == static_cast<ssize_t>(whole.size());
    }

  private:
    int file_;
};

class Commands {
  public:
    // A line, as soon as there is one, or nothing after `limit`. At the end of the input: "quit".
    std::string next(Millis limit) {
        for (;;) {
            if (const auto end = buffer_.find('\n'); end != std::string::npos) {
                std::string line = buffer_.substr(0, end);
                buffer_.erase(0, end + 1);
                return line;
            }
            pollfd input{STDIN_FILENO, POLLIN, 0};
            if (::poll(&input, 1, static_cast<int>(limit.count())) <= 0) return {};
            char bytes[256];
            const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
            if (got <= 0) return "quit";
            buffer_.append(bytes, static_cast<std::size_t>(got));
        }
    }

  private:
    std::string buffer_;
};

class App {
  public:
    App(const Options& options, Device device, const Journal& journal)
        : options_(options), device_(std::move(device)), journal_(journal), random_(options.seed), writing_(options.writing) {}

    // False: it cannot be used.
    bool begin() {
        device_.set_foreground(true);
        device_.set_live(true);
        device_.on_status([this](const skerry::DeviceStatus& status) { note_phase(status); });
        const auto watched = device_.watch("SELECT grp FROM member GROUP BY grp HAVING count(*) <> max(n) LIMIT 5", [this](const skerry::Table& torn) {
            if (!is_complete("member")) return;  // a first download arrives in parts, and says so
            for (const auto& row : torn.rows) say("{\"event\":\"torn\",\"group\":" + quoted(text_of(row[0])) + "}");
        });
        if (!watched) tell("unwatched", watched.error());
        return watched.has_value();
    }

    // False: the end.
    bool obey(const std::string& command) {
        if (command == "go" || command == "stop") writing_ = command == "go";
        if (command == "ask") ask();
        if (command == "report") report();
        if (command == "drafts") drafts();
        return command != "quit";
    }

    void work() {
        device_.run_for(Millis(20));
        const auto now = Clock::now();
        if (now >= next_read_) {
            next_read_ = now + Millis(500);
            read();
        }
        if (!writing_ || now < next_write_ || !is_ready()) return;
        const int pause_ms = 60'000 / options_.per_minute;
        next_write_ = now + Millis(pause_ms / 2 + static_cast<int>(below(static_cast<std::uint64_t>(pause_ms))));
        write_group();
    }

  private:
    std::uint64_t below(std::uint64_t bound) { return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(random_); }

    // The rows that everybody changes have to be here first.
    bool is_ready() {
        ready_ = ready_ || (is_complete("tally") && is_complete("board") && is_complete("own"));
        return ready_;
    }

    bool is_complete(const std::string& entity) {
        const auto freshness = device_.freshness({entity});
        return freshness && freshness->complete;
    }

    void write_group() {
        const std::string group = device_.new_uuid();
        const std::uint64_t rows = below(20) == 0 ? 40 + below(40) : 1 + below(6);
        const auto delta = static_cast<std::int64_t>(1 + below(9));
        const std::string what = group + " " + std::to_string(rows) + " " + std::to_string(delta);
        if (!journal_.line("intended " + what)) std::exit(3);
        const auto written = device_.transaction([&](Device&) -> Result<void> { return write(group, static_cast<std::int64_t>(rows), delta); });
        if (!written) {
            if (!journal_.line("refused " + group)) std::exit(3);
            return tell("refused", written.error());
        }
        if (!journal_.line("committed " + group)) std::exit(3);
        ++committed_;
    }

    Result<void> write(const std::string& group, std::int64_t rows, std::int64_t delta) {
        const std::string body(below(300), static_cast<char>('a' + below(26)));
        for (std::int64_t k = 1; k <= rows; ++k) {
            if (auto r = run("INSERT INTO member (id, grp, k, n, author, delta, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                             {device_.new_uuid(), group, k, rows, options_.name, k == 1 ? delta : 0, body}); !r)
                return r;
        }
        if (auto r = run("UPDATE tally SET total = total + ?1 WHERE name = 'all'", {delta}); !r) return r;
        if (auto r = run("UPDATE own SET last_grp = ?1 WHERE author = ?2", {group, options_.name}); !r) return r;
        if (below(2) == 0) {
            if (auto r = write_board(group); !r) return r;
        }
        if (below(60) != 0) return {};
        return run("INSERT INTO ticket (number, holder) SELECT printf('t%06d', coalesce(max(CAST(substr(number, 2) AS INTEGER)), 0) + 1), ?1 FROM ticket",
                   {options_.name});
    }

    Result<void> write_board(const std::string& group) {
        const std::string name = "board" + std::to_string(below(5));
        if (auto r = run("UPDATE board SET headline = ?1, writer = ?2, highest = max(coalesce(highest, 0), ?3) WHERE name = ?4",
                         {group, options_.name, static_cast<std::int64_t>(below(1'000'000)), name}); !r)
            return r;
        const std::string tag = options_.name + "-" + std::to_string(below(3));
        const char* const add = "UPDATE board SET tags = (SELECT json_group_array(value) FROM (SELECT value FROM json_each(board.tags) UNION SELECT ?1)) WHERE name = ?2";
        const char* const drop = "UPDATE board SET tags = (SELECT json_group_array(value) FROM json_each(board.tags) WHERE value <> ?1) WHERE name = ?2";
        return run(below(2) == 0 ? add : drop, {tag, name});
    }

    Result<void> run(std::string_view statement, const std::vector<Value>& parameters) {
        if (auto r = device_.sql(statement, parameters); !r) return skerry::fail(r.error());
        return {};
    }

    void read() {
        if (const auto r = device_.sql("SELECT count(*), (SELECT total FROM tally WHERE name = 'all') FROM member"); !r) return tell("unread", r.error());
        ++reads_;
    }

    // For whoever reads the log.
    void note_phase(const skerry::DeviceStatus& status) {
        const std::string now = "\"phase\":" + quoted(status.phase) + ",\"problem\":" + quoted(status.problem ? status.problem->message : "");
        if (now == std::exchange(phase_, now)) return;
        say("{\"event\":\"phase\"," + now + "}");
    }

    void ask() {
        if (const auto r = device_.trigger("full", {.first = true}); !r) tell("unasked", r.error());
    }

    void report() {
        const auto status = device_.status();
        if (!status) return tell("unreported", status.error());
        say("{\"event\":\"report\",\"phase\":" + quoted(status->phase) + ",\"problem\":" +
            quoted(status->problem ? skerry::code_name(status->problem->code) : "") + ",\"unsent\":" + std::to_string(status->waiting_to_send) +
            ",\"unsettled\":" + std::to_string(status->waiting_to_settle) + ",\"drafts\":" + std::to_string(status->drafts) +
            ",\"conflicts\":" + std::to_string(status->conflicts) + ",\"quarantined\":" + std::to_string(status->quarantined) +
            ",\"incomplete\":" + std::to_string(status->incomplete.size()) + ",\"mended\":" + std::to_string(status->mended_rows) +
            ",\"committed\":" + std::to_string(committed_) + ",\"reads\":" + std::to_string(reads_) + ",\"writing\":" + (writing_ ? "true" : "false") + "}");
    }

    void drafts() {
        const auto drafts = device_.drafts();
        if (!drafts) return tell("unreported", drafts.error());
        std::map<std::string, std::pair<int, std::string>> groups;  // rows that the draft holds, and why it is one
        for (const skerry::Draft& draft : *drafts) {
            for (const skerry::RowChange& change : draft.changes) {
                for (const auto& field : change.fields) {
                    if (change.entity != "member" || field.attribute != "grp" || !field.now) continue;
                    auto& [rows, code] = groups[text_of(*field.now)];
                    ++rows;
                    code = draft.code;
                }
            }
        }
        std::string line;
        for (const auto& [group, draft] : groups)
            line += (line.empty() ? "" : ",") + quoted(group) + ":{\"rows\":" + std::to_string(draft.first) + ",\"code\":" + quoted(draft.second) + "}";
        say("{\"event\":\"drafts\",\"groups\":{" + line + "}}");
    }

    const Options& options_;
    Device device_;
    const Journal& journal_;
    std::mt19937_64 random_;
    bool writing_;
    bool ready_ = false;
    Clock::time_point next_write_{};
    Clock::time_point next_read_{};
    std::string phase_;
    std::uint64_t committed_ = 0;
    std::uint64_t reads_ = 0;
};

bool read_options(int argc, char** argv, Options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--writing") {
            options.writing = true;
            continue;
        }
        if (++i == argc) return false;
        const std::string value = argv[i];
        if (name == "--store") options.store = value;
        else if (name == "--server") options.server = value;
        else if (name == "--token-file") options.token_file = value;
        else if (name == "--journal") options.journal = value;
        else if (name == "--name") options.name = value;
        else if (name == "--seed") options.seed = std::strtoull(value.c_str(), nullptr, 0);
        else if (name == "--per-minute") options.per_minute = std::clamp(std::atoi(value.c_str()), 1, 60'000);
        else return false;
    }
    return !options.store.empty() && !options.server.empty() && !options.token_file.empty() && !options.journal.empty() && !options.name.empty();
}

int run(Options options) {
    std::string token;
    std::ifstream(options.token_file) >> token;
    const Journal journal(options.journal);
    if (!journal.line("started")) {
        std::fprintf(stderr, "rig_client: the journal %s cannot be written\n", options.journal.c_str());
        return 3;
    }
    Commands commands;
    // A full disk, or a server that is away at the first start: an app says so and tries again.
    for (;;) {
        auto device = Device::open({.path = options.store, .server_url = options.server, .token = token, .name = options.name, .model = ""});
        if (!device) {
            tell("unopened", device.error());
        } else {
            App app(options, std::move(*device), journal);
            if (!app.begin()) return 1;
            say("{\"event\":\"open\"}");
            do app.work();
            while (app.obey(commands.next(Millis(0))));
            return 0;
        }
        const std::string command = commands.next(Millis(250));
        if (command == "quit") return 0;
        if (command == "go" || command == "stop") options.writing = command == "go";
    }
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    if (!read_options(argc, argv, options)) {
        std::fprintf(stderr, "usage: rig_client --store FILE --server URL --token-file FILE --journal FILE --name NAME [--seed N] [--per-minute N] [--writing]\n");
        return 2;
    }
    return run(options);
}
