#include "server/app/test_world.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "server/app/files.hpp"
#include "wire/continuing.hpp"

namespace skerry::server::test {

namespace fs = std::filesystem;

model::Model outreach() {
    model::Model model{"outreach", 1, {}};
    model.entities.push_back({"place", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
    model.entities.push_back({"visit", {"id", model::Type::kUuid}, {{"place_id", model::Type::kText}, {"note", model::Type::kText}}});
    model::complete(model);
    return model;
}

World::World(model::Model served) : model(std::move(served)) {
    model::complete(model);
    static int count = 0;
    place.dir = testing::TempDir() + "skerry_server_" + std::to_string(::getpid()) + "_" + std::to_string(count++);
    fs::remove_all(place.dir);
    const auto made = init_server(place, model, clock, random);
    EXPECT_TRUE(made) << describe(made.error());
    start();
}

World::~World() {
    stop();
    fs::remove_all(place.dir);
}

void World::stop() { server.reset(); }

void World::start(std::optional<model::Model> newer) {
    auto opened = Server::open({place, std::move(newer)}, clock, random, log);
    EXPECT_TRUE(opened) << describe(opened.error());
    server = std::move(*opened);
}

std::string World::backup() {
    stop();  // the last connection folds the WAL into the file
    std::ostringstream copy;
    copy << std::ifstream(database_path(place), std::ios::binary).rdbuf();
    start();
    return copy.str();
}

void World::put_back(const std::string& copy) {
    stop();
    fs::remove(database_path(place) + "-wal");
    fs::remove(database_path(place) + "-shm");
    std::ofstream(database_path(place), std::ios::binary | std::ios::trunc) << copy;
    start();
}

std::string World::bearer(const std::string& user, const std::map<std::string, std::string>& claims) {
    const auto token = make_token(place, {user, "test", std::nullopt, claims}, clock, random);
    EXPECT_TRUE(token) << describe(token.error());
    return "Bearer " + *token;
}

http::Response World::post(std::string_view path, Bytes body, const std::string& bearer) {
    return handler().handle({"POST", std::string(path), bearer, std::string(wire::kContentType), std::move(body)});
}

Table World::sql(std::string_view statement) {
    auto open = ServerSql::open(place);
    EXPECT_TRUE(open);
    auto result = open->run(statement);
    EXPECT_TRUE(result) << describe(result.error());
    return result.value_or(Table{});
}

std::int64_t World::integer(std::string_view query) { return std::get<std::int64_t>(sql(query).rows.at(0).at(0)); }

Bytes read_all(http::Body& body, bool* waits) {
    Bytes bytes;
    for (;;) {
        const http::Step step = body.next(bytes);
        if (waits != nullptr) *waits = step == http::Step::kWait;
        if (step != http::Step::kMore) return bytes;
    }
}

Peer::Peer(World& w, const std::string& user, const std::map<std::string, std::string>& claims)
    : world(w), bearer(w.bearer(user, claims)), id(w.random.id<DeviceId>()), model(w.server->model()) {
    EXPECT_EQ(enroll(), 200);
}

int Peer::enroll(std::uint64_t model_hash) {
    Bytes body;
    wire::put_header(body, wire::Kind::kEnrollRequest);
    wire::put(body, wire::Enroll{id, "phone", model_hash});
    wire::put_empty(body, wire::FrameType::kEnd);
    return world.post(wire::kPathEnroll, std::move(body), bearer).status;
}

Transaction Peer::txn(std::vector<wire::Op> ops, std::vector<TxnNo> needs) {
    no = no.next();
    return wire::Transaction{.no = no, .id = world.random.id<TxnId>(), .needs = std::move(needs), .ops = std::move(ops)};
}

wire::Op Peer::insert(EntityIx entity, std::string key, model::Row row, TxnNo prev_row) {
    return {.kind = wire::OpKind::kInsert, .entity = entity, .key = std::move(key), .row = std::move(row), .changes = {}, .prev_row = prev_row};
}
wire::Op Peer::update(EntityIx entity, std::string key, std::vector<wire::Change> changes) {
    return {.kind = wire::OpKind::kUpdate, .entity = entity, .key = std::move(key), .row = {}, .changes = std::move(changes), .prev_row = {}};
}
wire::Op Peer::remove(EntityIx entity, std::string key, const model::Row& base, TxnNo prev_row) {
    return {.kind = wire::OpKind::kDelete, .entity = entity, .key = std::move(key), .row = {}, .changes = {}, .prev_row = prev_row, .base_hash = prev_row ? Hash128{} : model::row_hash(outreach().entity(entity), base)};
}

Bytes Peer::push_body(const std::vector<Transaction>& transactions) const {
    Bytes body;
    wire::put_header(body, wire::Kind::kPushRequest);
    wire::put(body, wire::PushHello{id, model.hash(), keep_from});
    for (const Transaction& transaction : transactions) wire::put(body, transaction);
    wire::put_empty(body, wire::FrameType::kEnd);
    return body;
}

PushAnswer Peer::push(const std::vector<Transaction>& transactions) { return push_bytes(push_body(transactions)); }

PushAnswer Peer::push_bytes(Bytes body) {
    http::Response response = world.post(wire::kPathPush, std::move(body), bearer);
    PushAnswer answer;
    answer.status = response.status;
    const Bytes bytes = read_all(*response.body);
    const auto frames = wire::read_body(bytes, wire::Kind::kPushResponse);
    EXPECT_TRUE(frames);
    if (!frames) return answer;
    for (const wire::Frame& frame : *frames) {
        if (frame.type == wire::FrameType::kVerdict) answer.verdicts.push_back(*wire::get_verdict(frame.payload));
        if (frame.type == wire::FrameType::kExpect) answer.expect = TxnNo{*wire::get_number(frame.payload)};
        if (frame.type == wire::FrameType::kIdentityTaken) answer.identity_taken = TxnNo{*wire::get_number(frame.payload)};
        if (frame.type == wire::FrameType::kError) answer.error = wire::get_failure(frame.payload)->code;
    }
    return answer;
}

Bytes Peer::pull_body(const PullOptions& options, bool live) const {
    Bytes body;
    wire::put_header(body, wire::Kind::kPullRequest);
    wire::Pull pull;
    pull.device = id;
    pull.model_hash = model.hash();
    pull.keep_from = keep_from;
    pull.live = live;
    pull.verify = options.verify;
    pull.only_first = options.only_first;
    pull.slice_rows = options.slice_rows;
    pull.token = cursor;
    pull.first = options.first;
    pull.chosen = options.chosen;
    pull.repair = options.repair;
    wire::put(body, pull);
    wire::put_empty(body, wire::FrameType::kEnd);
    return body;
}

PullAnswer Peer::pull(const PullOptions& options) {
    Bytes request = pull_body(options, false);
    PullAnswer answer;
    answer.bytes_sent = request.size();
    http::Response response = world.post(wire::kPathPull, std::move(request), bearer);
    answer.status = response.status;
    const Bytes bytes = read_all(*response.body);
    answer.bytes = bytes.size();
    const auto frames = wire::read_body(bytes, wire::Kind::kPullResponse);
    EXPECT_TRUE(frames) << describe(frames.error());
    if (frames) apply(*frames, answer);
    return answer;
}

void Peer::open_live() {
    live_ = world.post(wire::kPathPull, pull_body({}, true), bearer);
    EXPECT_EQ(live_.status, 200);
    live_bytes_.clear();
    live_at_ = 0;
}

PullAnswer Peer::read_live() {
    live_bytes_ += read_all(*live_.body, &live_waits_);
    // The reader wants a whole body: it is given the frames so far.
    wire::FrameReader reader(wire::Kind::kPullResponse);
    reader.feed(live_bytes_);
    std::vector<wire::Frame> frames;
    std::vector<Bytes> payloads;
    for (std::size_t i = 0;; ++i) {
        const auto frame = reader.next();
        EXPECT_TRUE(frame);
        if (!frame || !*frame) break;
        if (i < live_at_) continue;
        payloads.push_back(Bytes((*frame)->payload));
        frames.push_back({(*frame)->type, {}});
    }
    for (std::size_t i = 0; i < frames.size(); ++i) frames[i].payload = payloads[i];
    live_at_ += frames.size();
    PullAnswer answer;
    apply(frames, answer);
    return answer;
}

void Peer::apply_begin(const wire::Begin& begin) {
    EXPECT_EQ(begin.from, wire::continues(id, cursor)) << "a checkpoint continues the cursor";
    complete = begin.caught_up;
    if (begin.verify) {
        whole_now.clear();
        // A restored server may have given the number to another scope.
        const auto known = scopes;
        for (const auto& [number, scope] : known)
            if (std::none_of(begin.scopes.begin(), begin.scopes.end(), [&](const auto& s) { return s.id == scope.id && s.name == scope.name; })) lose(number);
    }
    for (const wire::ScopeInfo& scope : begin.scopes) scopes[scope.id] = scope;
}

void Peer::lose(wire::ScopeId scope) {
    const wire::ScopeInfo info = scopes.at(scope);
    for (const auto& [at, row] : rows) {
        if (at.entity != info.entity) continue;
        if (lines[at].erase(scope) != 0 || info.whole) swept_.insert(at);
    }
    scopes.erase(scope);
    whole_now.erase(scope);
}

void Peer::apply_slice(const wire::Slice& slice) {
    const bool whole = std::any_of(slice.scopes.begin(), slice.scopes.end(), [&](wire::ScopeId scope) { return scopes.at(scope).whole; });
    const auto in_range = [&](const KeyRef& at) { return at.entity == slice.entity && at.key > slice.after && (!slice.upto || at.key <= *slice.upto); };
    if (whole) {
        std::erase_if(rows, [&](const auto& row) { return in_range(row.first); });
    } else {
        for (auto& [at, of_row] : lines)
            if (in_range(at))
                for (const wire::ScopeId scope : slice.scopes)
                    if (of_row.erase(scope) != 0) swept_.insert(at);
    }
    for (const wire::RowEntry& entry : slice.rows) {
        rows[{slice.entity, entry.key}] = entry.row;
        lines[{slice.entity, entry.key}].insert(entry.lines.begin(), entry.lines.end());
        EXPECT_EQ(entry.lines.empty(), whole);
    }
    if (whole) std::erase_if(lines, [&](const auto& line) { return in_range(line.first) && rows.count(line.first) == 0; });
    std::string last;
    for (const wire::RowEntry& entry : slice.rows) {
        EXPECT_LT(last, entry.key) << "in key order, each once";
        last = entry.key;
    }
}

// Rows that lost a line and have none left go; a whole scope holds what was not said to have left it.
void Peer::sweep() {
    for (const KeyRef& at : swept_) {
        const bool whole = std::any_of(scopes.begin(), scopes.end(), [&](const auto& s) { return s.second.whole && s.second.entity == at.entity; });
        if (!lines[at].empty() || (whole && rows.count(at) != 0)) continue;
        rows.erase(at);
        lines.erase(at);
    }
    swept_.clear();
}

// A device would do the same in one transaction, with its journal on top.
void Peer::apply(const std::vector<wire::Frame>& frames, PullAnswer& answer) {
    std::size_t checkpoints = 0;
    for (const wire::Frame& frame : frames) {
        if (checkpoints == checkpoints_max) return;
        switch (frame.type) {
            case wire::FrameType::kBegin: {
                answer.begins.push_back(*wire::get_begin(frame.payload));
                answer.outcomes.emplace_back();
                answer.rows.emplace_back();
                answer.leaves.emplace_back();
                apply_begin(answer.begins.back());
                if (after_begin) after_begin(answer.begins.back());
                break;
            }
            case wire::FrameType::kOutcomes: {
                const auto outcomes = wire::get_outcomes(frame.payload);
                ASSERT_TRUE(outcomes);
                for (const Outcome& outcome : *outcomes) {
                    answer.outcomes.back().push_back(outcome);
                    settled[outcome.no] = outcome;
                }
                break;
            }
            case wire::FrameType::kLines: {
                const auto got = wire::get_lines(frame.payload);
                ASSERT_TRUE(got);
                for (const std::string& key : got->keys)
                    if (rows.count({got->entity, key}) != 0) lines[{got->entity, key}].insert(got->scope);
                answer.lines.push_back(*got);
                break;
            }
            case wire::FrameType::kRows: {
                const auto got = wire::get_rows(frame.payload, model);
                ASSERT_TRUE(got) << describe(got.error());
                for (const wire::RowEntry& entry : got->rows) {
                    answer.rows.back().push_back({got->entity, entry.key});
                    rows[{got->entity, entry.key}] = entry.row;
                    lines[{got->entity, entry.key}].insert(entry.lines.begin(), entry.lines.end());
                }
                break;
            }
            case wire::FrameType::kLeaves: {
                const auto got = wire::get_leaves(frame.payload);
                ASSERT_TRUE(got);
                const bool whole = scopes.at(got->scope).whole;
                for (const std::string& key : got->keys) {
                    const KeyRef at{got->entity, key};
                    answer.leaves.back().push_back(at);
                    if (whole) {  // and no line of it stays, whichever scopes it had come by
                        rows.erase(at);
                        lines.erase(at);
                    }
                    if (whole || lines[at].erase(got->scope) != 0) swept_.insert(at);
                }
                answer.leave_frames.push_back(*got);
                break;
            }
            case wire::FrameType::kLostScope: {
                answer.lost.push_back(wire::ScopeId{static_cast<std::uint32_t>(*wire::get_number(frame.payload))});
                lose(answer.lost.back());
                break;
            }
            case wire::FrameType::kSlice: {
                const auto got = wire::get_slice(frame.payload, model);
                ASSERT_TRUE(got) << describe(got.error());
                apply_slice(*got);
                answer.slice_entities.push_back(got->entity);
                answer.slice_sizes.push_back(got->rows.size());
                break;
            }
            case wire::FrameType::kComplete:
                answer.completed.push_back(wire::ScopeId{static_cast<std::uint32_t>(*wire::get_number(frame.payload))});
                whole_now.insert(answer.completed.back());
                break;
            case wire::FrameType::kCheckpoint:
                cursor = wire::get_checkpoint(frame.payload)->token;
                sweep();
                ++checkpoints;
                if (after_checkpoint) after_checkpoint();
                break;
            case wire::FrameType::kEnd: answer.ended = true; break;
            case wire::FrameType::kError: {
                const auto failure = *wire::get_failure(frame.payload);
                answer.error = failure.code;
                answer.message = failure.message;
                answer.retry_after_ms = failure.retry_after_ms;
                break;
            }
            default: break;
        }
    }
}

}  // namespace skerry::server::test
