// For this room's tests: an engine over a store of which only the bookkeeping exists, and a clock that is moved by hand.
#pragma once

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "base/random.hpp"
#include "engine/engine.hpp"

namespace skerry::engine {

// The turn, as the test says who has it.
struct FakeTurn final : TurnPort {
    bool elsewhere = false;
    bool broken = false;
    bool ours = false;
    int asked = 0;
    Result<bool> take() override {
        ++asked;
        if (broken) return fail(Code::kIo, "the folder is gone");
        return ours = !elsewhere;
    }
    void give_back() override { ours = false; }
};

// A store of which only the bookkeeping exists.
struct FakeStore final : StorePort {
    SyncState facts;
    std::vector<Bytes> unsent;  // payloads
    std::uint64_t taken = 0;    // how many before these the server has
    int staged = 0;
    int applied = 0;
    int discarded = 0;
    bool continues = true;
    std::uint64_t never_settled = 0;  // confirmed transactions whose outcome no checkpoint brings
    std::uint64_t expected_from = 0;
    int identities = 0;
    int models = 0;
    bool takes_model = true;
    std::vector<wire::Outcome> noted;
    std::optional<Error> surprise;  // what next_push() fails with

    FakeStore() {
        facts.device.bytes[0] = 1;
        facts.has_model = true;
        facts.enrolled = true;
    }
    Result<SyncState> state() override {
        facts.unsent = unsent.size();
        return facts;
    }
    Result<PushBatch> next_push(TxnNo, std::size_t) override {
        if (surprise) return fail(*surprise);
        if (unsent.empty()) return PushBatch{};
        return PushBatch{unsent, {taken + 1}, {taken + unsent.size()}};
    }
    Result<void> note_verdicts(const std::vector<wire::Outcome>& verdicts) override {
        noted.insert(noted.end(), verdicts.begin(), verdicts.end());
        for (std::size_t i = 0; i < verdicts.size() && !unsent.empty(); ++i, ++taken) unsent.erase(unsent.begin());
        return {};
    }
    Result<void> server_expects(TxnNo no) override {
        expected_from = no.value;
        return {};
    }
    Result<void> take_new_identity() override {
        ++identities;
        return {};
    }
    Result<void> enrolled(const wire::Enrolled&) override {
        if (!takes_model) return fail(Code::kModelMismatch, "no successor");
        ++models;
        facts.enrolled = facts.has_model = true;
        return {};
    }
    Result<void> stage_spooled(const wire::Spooled& spooled) override {
        facts.resume = spooled;
        return {};
    }
    Result<void> stage(wire::FrameType, BytesView) override {
        ++staged;
        return {};
    }
    Result<Applied> apply(bool* does) override {
        *does = continues;
        if (continues) {
            ++applied;
            facts.resume.reset();
            facts.unsettled = unsent.size() + never_settled;
        }
        return applies;
    }
    Result<TxnNo> select(const std::vector<EntityIx>& entities) override {
        selected = entities;
        return last_selected;
    }
    void discard_staged() override { ++discarded; }
    TurnPort* turn() override { return &whose; }
    FakeTurn whose;
    std::vector<EntityIx> selected;
    TxnNo last_selected;
    Applied applies;  // what apply() says of each checkpoint
};

struct TestClock final : Clock {
    Micros now{1'000'000};
    Micros asleep{0};  // so long the machine slept; mono() does not see it
    Micros wall() const override { return now + asleep; }
    Micros mono() const override { return now; }
};

class EngineTest : public testing::Test {
  protected:
    // The next request that the engine wants to make; its path, or "" if none.
    std::string next_request() {
        collect();
        if (requests_.empty()) return "";
        last_ = requests_.front();
        requests_.erase(requests_.begin());
        return last_.path;
    }
    void collect() {
        for (Action& action : engine_.take_actions()) {
            if (auto* send = std::get_if<SendRequest>(&action)) requests_.push_back(*send);
            if (auto* cancel = std::get_if<CancelRequest>(&action)) cancelled_.push_back(cancel->id);
            if (auto* timer = std::get_if<SetTimer>(&action)) timer_ = timer->after;
        }
    }
    Bytes push_answer(int verdicts) {
        Bytes out;
        wire::put_header(out, wire::Kind::kPushResponse);
        for (int i = 0; i < verdicts; ++i) wire::put_verdict(out, {{static_cast<std::uint64_t>(i + 1)}, wire::Verdict::kApplied, Code::kInternal, {}, ""});
        wire::put_empty(out, wire::FrameType::kEnd);
        return out;
    }
    Bytes pull_answer(bool end = true, TxnNo seen = {1000}) {
        Bytes out;
        wire::put_header(out, wire::Kind::kPullResponse);
        wire::put(out, wire::Begin{.from = hash64(""), .caught_up = true, .seen = seen});
        wire::put(out, wire::Checkpoint{"token", false});
        if (end) wire::put_empty(out, wire::FrameType::kEnd);
        return out;
    }
    Bytes refusal(wire::Kind kind) {
        Bytes out;
        wire::put_header(out, kind);
        wire::put(out, wire::Failure{Code::kModelMismatch, "version 2", 0});
        return out;
    }
    Bytes enrolled() {
        Bytes out;
        wire::put_header(out, wire::Kind::kEnrollResponse);
        wire::put(out, wire::Enrolled{"model", "ann"});
        wire::put_empty(out, wire::FrameType::kEnd);
        return out;
    }
    void answer(BytesView bytes) {
        const RequestId id = last_.id;
        engine_.response_started(id, 200, wire::kContentType, Millis{0});
        engine_.response_bytes(id, bytes);
        engine_.response_ended(id);
    }
    // Runs that began and ended since the last call: "full started", "full completed", "full failed offline".
    std::vector<std::string> told() {
        std::vector<std::string> lines;
        for (RunEvent& event : engine_.take_events()) {
            events_.push_back(event);
            if (event.kind == RunEvent::Kind::kStarted) lines.push_back(event.unit + " started");
            else if (!event.error) lines.push_back(event.unit + " completed");
            else lines.push_back(event.unit + " failed " + std::string(code_name(event.error->code)));
        }
        return lines;
    }
    // Takes the pull that a run ends with.
    void serve_pull() {
        ASSERT_EQ(next_request(), wire::kPathPull);
        answer(pull_answer());
    }
    wire::Pull pull_request() const {
        wire::FrameReader reader(wire::Kind::kPullRequest);
        reader.feed(last_.body);
        auto frame = reader.next();
        return frame && *frame ? wire::get_pull((*frame)->payload).value_or(wire::Pull{}) : wire::Pull{};
    }
    // So much later; the timer fires when it is due, as a host does it.
    void pass(Millis time) {
        clock_.now += time;
        engine_.timer_fired();
        collect();
    }
    void fail_next(std::string_view path, Error error) {
        ASSERT_EQ(next_request(), path);
        engine_.request_failed(last_.id, std::move(error));
    }
    std::optional<Error> finished() {
        std::optional<Error> problem;
        EXPECT_TRUE(engine_.take_finished(&problem));
        return problem;
    }

    FakeStore store_;
    TestClock clock_;
    SeededRandom random_{1};
    Engine engine_{store_, clock_, random_};
    std::vector<SendRequest> requests_;
    std::vector<RequestId> cancelled_;
    SendRequest last_;
    std::vector<RunEvent> events_;
    Millis timer_{0};
};

}  // namespace skerry::engine
