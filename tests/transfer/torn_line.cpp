#include "transfer/torn_line.hpp"

#include "wire/frame.hpp"

namespace skerry::transfer {

model::Model places() {
    model::Model model{"places", 1, {}};
    model.entities.push_back({"place", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
    model::complete(model);
    return model;
}

TornLine::TornLine(const model::Model& model)
    : server_disk_("sim-transfer-server", 1, [this] { return clock_.wall().count() / 1000; }),
      device_disk_("sim-transfer-device", 2, [this] { return clock_.wall().count() / 1000; }), place_{"server", server_disk_.vfs_name()} {
    server_disk_.seed_sqlite_randomness();
    EXPECT_TRUE(server::init_server(place_, model, clock_, random_));
    restart_server();
    const auto token = server::make_token(place_, {"ann", "test", std::nullopt, {}}, clock_, random_);
    EXPECT_TRUE(token);
    bearer_ = "Bearer " + token.value_or("");
    open_device();
}

TornLine::~TornLine() {
    loopback_.reset();
    store_.reset();
    server_.reset();
}

void TornLine::restart_server() {
    server_.reset();
    auto opened = server::Server::open({.place = place_, .model = std::nullopt}, clock_, random_, log_);
    EXPECT_TRUE(opened) << describe(opened.error());
    if (opened) server_ = std::move(*opened);
}

void TornLine::open_device() {
    auto opened = store::Store::open({.path = "device.db", .vfs = device_disk_.vfs_name(), .device_name = "phone", .model = {}}, clock_, random_);
    EXPECT_TRUE(opened) << describe(opened.error());
    store_ = std::move(*opened);
    loopback_ = std::make_unique<host::Loopback>(*store_, clock_, random_, *this);
}

void TornLine::restart_device() {
    loopback_.reset();
    store_.reset();
    queue_.clear();
    carried_.reset();
    timer_.reset();
    restarted_ = true;
    open_device();
}

engine::SyncState TornLine::state() {
    auto state = host::StoreLink(*store_).state();
    EXPECT_TRUE(state);
    return state.value_or(engine::SyncState{});
}

void TornLine::sql(std::string_view text) {
    const auto done = store_->sql(text);
    EXPECT_TRUE(done) << describe(done.error());
}

std::int64_t TornLine::integer(std::string_view query) { return std::get<std::int64_t>(store_->sql(query)->rows.at(0).at(0)); }

void TornLine::server_sql(std::string_view text) {
    auto open = server::ServerSql::open(place_);
    ASSERT_TRUE(open);
    const auto done = open->run(text);
    EXPECT_TRUE(done) << describe(done.error());
    server_->handler().tick();
}

std::int64_t TornLine::server_integer(std::string_view query) {
    auto open = server::ServerSql::open(place_);
    return std::get<std::int64_t>(open->run(query)->rows.at(0).at(0));
}

std::string TornLine::rows(const Table& table) const {
    std::string out;
    for (const auto& row : table.rows) {
        for (const Value& value : row) {
            if (const auto* text = std::get_if<std::string>(&value)) out += *text;
            else if (const auto* number = std::get_if<std::int64_t>(&value)) out += std::to_string(*number);
            out += "|";
        }
        out += "\n";
    }
    return out;
}

bool TornLine::in_step() {
    constexpr std::string_view kAll = "SELECT id, name, people FROM place ORDER BY id";
    auto open = server::ServerSql::open(place_);
    return rows(*open->run(kAll)) == rows(*store_->sql(kAll));
}

void TornLine::cancel(engine::RequestId id) {
    std::erase_if(queue_, [id](const engine::SendRequest& request) { return request.id == id; });
    if (carried_ == id) carried_.reset();
}

// How many of `bytes` come through; false: the line broke.
bool TornLine::passes(std::uint64_t& bytes) {
    const bool whole = !left_ || *left_ > bytes;
    if (!whole) bytes = *left_;
    passed += bytes;
    if (left_) *left_ -= bytes;
    if (whole) return true;
    ++tears;
    left_.reset();
    if (again_ != 0) left_ = again_;
    return false;
}

void TornLine::carry(const engine::SendRequest& request) {
    carried_ = request.id;
    ++requests;
    if (request.path == wire::kPathPush) {
        ++pushes;
        push_bytes += request.body.size();
    }
    const auto tear = [&] {
        if (carried_) loopback_->request_failed(request.id, Error{Code::kOffline, "the line broke", {}});
        if (on_tear) on_tear();
    };
    std::uint64_t n = request.body.size();
    if (!passes(n)) return tear();
    const server::http::Response response =
        server_->handler().handle({"POST", request.path, bearer_, std::string(wire::kContentType), request.body});
    if (carried_) loopback_->response_started(request.id, response.status, response.content_type, Millis{0});
    for (;;) {
        Bytes bytes;
        const server::http::Step step = response.body->next(bytes);
        n = bytes.size();
        const bool whole = passes(n);
        if (!carried_) return;
        loopback_->response_bytes(request.id, BytesView(bytes).substr(0, n));
        if (!carried_) return;
        if (!whole) return tear();
        if (step == server::http::Step::kEnd) break;
        ASSERT_EQ(step, server::http::Step::kMore);
    }
    loopback_->response_ended(request.id);
}

std::optional<Code> TornLine::sync() {
    restarted_ = false;
    loopback_->sync();
    std::optional<Error> problem;
    for (int steps = 0; steps < 100'000; ++steps) {
        if (restarted_) return Code::kOffline;
        if (loopback_->take_finished(&problem)) return problem ? std::optional(problem->code) : std::nullopt;
        if (!queue_.empty()) {
            const engine::SendRequest request = std::move(queue_.front());
            queue_.pop_front();
            carry(request);
            server_->handler().tick();
        } else if (timer_) {
            clock_.now += *timer_;
            timer_.reset();
            loopback_->timer_fired();
        } else {
            break;
        }
    }
    ADD_FAILURE() << "the sync does not end";
    return Code::kInternal;
}

void TornLine::sync_until_done(int attempts) {
    for (int i = 0; i < attempts; ++i) {
        if (!sync()) return;
        clock_.now += std::chrono::seconds(1);
    }
    ADD_FAILURE() << "no attempt got through";
}

}  // namespace skerry::transfer
