// What a pull costs the server when its principal holds thousands of scopes: see README.md.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "server/app/server.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"

namespace {

using namespace skerry;
using Stopwatch = std::chrono::steady_clock;

template <class T>
T must(Result<T> result) {
    if (result) return std::move(*result);
    std::fprintf(stderr, "%s\n", describe(result.error()).c_str());
    std::exit(1);
}
void must(const Result<void>& result) {
    if (result) return;
    std::fprintf(stderr, "%s\n", describe(result.error()).c_str());
    std::exit(1);
}

class Silent final : public Log {
  public:
    void line(LogLevel, std::string_view) override {}
};

struct Size {
    int held = 0;     // scopes of the principal
    int others = 0;   // scopes that he has not
    int rows = 0;     // of each
};

// thing(id text; area int, note text): the area of the n-th key is n modulo the number of areas, so that neighbours in key order are
// in different scopes.
model::Model model_of() {
    model::Model model{"bench", 1, {}};
    model.entities.push_back({"thing", {.name = "id", .required = true}, {{"area", model::Type::kInt}, {.name = "note"}}});
    model.principal = {{"areas", model::PrincipalKind::kQuery, "select area from mine"}};
    model.profiles = {{"field", {{.entity = EntityIx{0}, .download = model::Download::kRule, .link = model::Link{0, "areas", true}}}}};
    model::complete(model);
    return model;
}

class Bench {
  public:
    explicit Bench(const Size& size) {
        place_.dir = (std::filesystem::temp_directory_path() / "skerry_bench_scopes").string();
        std::filesystem::remove_all(place_.dir);
        must(server::init_server(place_, model_, clock_, random_));
        sql("CREATE TABLE mine(area INTEGER PRIMARY KEY); WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < " +
            std::to_string(size.held - 1) + ") INSERT INTO mine SELECT i FROM n");
        const int areas = size.held + size.others;
        sql("WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(areas * size.rows - 1) +
            ") INSERT INTO thing SELECT printf('%012d', i), i % " + std::to_string(areas) + ", 'a note of some length' FROM n");
        server_ = must(server::Server::open({place_, {}}, clock_, random_, log_));
        bearer_ = "Bearer " + must(server::make_token(place_, {"ann", "bench", std::nullopt, {}}, clock_, random_));
        device_ = random_.id<DeviceId>();
        Bytes body;
        wire::put_header(body, wire::Kind::kEnrollRequest);
        wire::put(body, wire::Enroll{device_, "phone", server_->model().hash()});
        wire::put_empty(body, wire::FrameType::kEnd);
        post(wire::kPathEnroll, std::move(body));
    }
    ~Bench() {
        server_.reset();
        std::filesystem::remove_all(place_.dir);
    }

    void sql(const std::string& text) {
        auto open = must(server::ServerSql::open(place_));
        must(open.run(text));
    }

    struct Times {
        double ms = 0;
        std::size_t checkpoints = 0;
        std::size_t rows = 0;
    };

    Times pull(std::uint32_t slice_rows) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPullRequest);
        wire::put(body, wire::Pull{.device = device_, .model_hash = server_->model().hash(), .slice_rows = slice_rows, .slice_rows_max = slice_rows, .token = token_});
        wire::put_empty(body, wire::FrameType::kEnd);
        Times times;
        const auto from = Stopwatch::now();
        server::http::Response response = post(wire::kPathPull, std::move(body));
        wire::FrameReader reader(wire::Kind::kPullResponse);
        for (bool more = true; more;) {
            Bytes bytes;
            more = response.body->next(bytes) == server::http::Step::kMore;
            reader.feed(bytes);
            for (;;) {
                const auto frame = must(reader.next());
                if (!frame) break;
                if (frame->type == wire::FrameType::kError) must(Result<void>(fail(wire::to_error(must(wire::get_failure(frame->payload))))));
                if (frame->type == wire::FrameType::kRows) times.rows += must(wire::get_rows(frame->payload, model_)).rows.size();
                if (frame->type == wire::FrameType::kSlice) times.rows += must(wire::get_slice(frame->payload, model_)).rows.size();
                if (frame->type != wire::FrameType::kCheckpoint) continue;
                token_ = must(wire::get_checkpoint(frame->payload)).token;
                ++times.checkpoints;
            }
        }
        times.ms = std::chrono::duration<double, std::milli>(Stopwatch::now() - from).count();
        return times;
    }

  private:
    server::http::Response post(std::string_view path, Bytes body) {
        return server_->handler().handle({"POST", std::string(path), bearer_, std::string(wire::kContentType), std::move(body)});
    }

    SystemClock clock_;
    SystemRandom random_;
    Silent log_;
    model::Model model_ = model_of();
    server::Place place_;
    std::unique_ptr<server::Server> server_;
    std::string bearer_;
    DeviceId device_;
    Bytes token_;
};

void run(const Size& size, std::uint32_t slice_rows) {
    Bench bench(size);
    const auto first = bench.pull(slice_rows);
    bench.sql("UPDATE thing SET note = 'other' WHERE id IN (SELECT id FROM thing WHERE area = 1 LIMIT 3)");
    const auto delta = bench.pull(slice_rows);
    const auto nothing = bench.pull(slice_rows);
    std::printf("%5d of %6d scopes, %3d rows each | %7zu rows in %4zu slices of %4u: %6.1f ms each, %6.2f s | %zu rows changed: %6.1f ms | nothing: %6.1f ms\n",
                size.held, size.held + size.others, size.rows, first.rows, first.checkpoints, slice_rows, first.ms / static_cast<double>(first.checkpoints),
                first.ms / 1000, delta.rows, delta.ms, nothing.ms);
    std::fflush(stdout);
}

}  // namespace

int main() {
    run({100, 0, 300}, 500);
    run({9'900, 0, 3}, 500);
    run({9'900, 0, 20}, 500);
    run({9'900, 90'000, 3}, 500);
    return 0;
}
