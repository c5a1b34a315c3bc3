#include "engine/engine.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "base/random.hpp"

namespace skerry::engine {
namespace {

// A store of which only the bookkeeping exists.
struct FakeStore final : StorePort {
    SyncState facts;
    std::vector<Bytes> unsent;  // payloads
    std::uint64_t taken = 0;    // how many before these the server has
    int staged = 0;
    int applied = 0;
    int discarded = 0;
    bool continues = true;
    std::uint64_t expected_from = 0;
    int identities = 0;
    int models = 0;
    bool takes_model = true;
    std::vector<wire::Outcome> noted;

    FakeStore() {
        facts.device.bytes[0] = 1;
        facts.has_model = true;
        facts.enrolled = true;
    }
    Result<SyncState> state() override {
        facts.unsent = unsent.size();
        return facts;
    }
    Result<PushBatch> next_push(TxnNo) override {
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
    Result<void> stage(wire::FrameType, BytesView) override {
        ++staged;
        return {};
    }
    Result<Applied> apply(bool* does) override {
        *does = continues;
        if (continues) {
            ++applied;
            facts.unsettled = unsent.size();
        }
        return Applied{};
    }
    void discard_staged() override { ++discarded; }
};

struct TestClock final : Clock {
    Micros now{1'000'000};
    Micros wall() const override { return now; }
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
    Bytes pull_answer(bool end = true) {
        Bytes out;
        wire::put_header(out, wire::Kind::kPullResponse);
        wire::put(out, wire::Begin{.from = hash64(""), .caught_up = true});
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
    Millis timer_{0};
};

TEST_F(EngineTest, a_sync_pushes_everything_then_pulls_and_is_finished) {
    store_.unsent = {"one", "two"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    EXPECT_EQ(next_request(), "") << "the pull waits, so that it brings the outcomes";
    last_.id = 1;
    answer(push_answer(2));
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer());
    EXPECT_EQ(store_.applied, 1);
    EXPECT_FALSE(finished());
    EXPECT_EQ(engine_.status().phase, Phase::kIdle);
}

TEST_F(EngineTest, nothing_to_push_is_one_request) {
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer());
    EXPECT_EQ(next_request(), "");
    EXPECT_FALSE(finished());
}

TEST_F(EngineTest, a_device_that_is_not_enrolled_enrols_first) {
    store_.facts.enrolled = store_.facts.has_model = false;
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathEnroll);
    Bytes out;
    wire::put_header(out, wire::Kind::kEnrollResponse);
    wire::put(out, wire::Enrolled{"model", "ann"});
    wire::put_empty(out, wire::FrameType::kEnd);
    answer(out);
    ASSERT_EQ(next_request(), wire::kPathPull);
}

TEST_F(EngineTest, an_answer_cut_at_any_byte_applies_nothing_half_and_is_named) {
    const Bytes whole = pull_answer();
    for (std::size_t n = 0; n < whole.size(); ++n) {
        store_.applied = 0;
        engine_.sync();
        ASSERT_EQ(next_request(), wire::kPathPull) << n;
        answer(BytesView(whole).substr(0, n));
        const auto problem = finished();
        ASSERT_TRUE(problem) << n;
        EXPECT_TRUE(problem->code == Code::kTruncated || problem->code == Code::kForeignAnswer) << n;
        EXPECT_LE(store_.applied, 1);
    }
}

TEST_F(EngineTest, a_login_page_is_offline_and_loses_nothing) {
    store_.unsent = {"one"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer("<html>Please sign in</html>");
    EXPECT_EQ(finished()->code, Code::kForeignAnswer);
    EXPECT_FALSE(engine_.status().reachable);
    EXPECT_EQ(store_.unsent.size(), 1u);
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer("");
    EXPECT_EQ(finished()->code, Code::kForeignAnswer) << "an empty answer is never 'nothing there'";
}

TEST_F(EngineTest, live_waits_longer_after_every_failure_and_comes_back) {
    engine_.set_live(true);
    Millis longest{0};
    for (int i = 0; i < 12; ++i) {
        ASSERT_EQ(next_request(), wire::kPathPull) << i;
        engine_.request_failed(last_.id, Error{Code::kOffline, "no route", {}});
        EXPECT_EQ(engine_.status().phase, Phase::kWaiting);
        collect();
        longest = std::max(longest, timer_);
        clock_.now += timer_ - Millis{1};
        engine_.timer_fired();
        EXPECT_EQ(next_request(), "") << "not before its time";
        clock_.now += Millis{2};
        engine_.timer_fired();
    }
    EXPECT_GT(longest, Millis{10'000});
    EXPECT_LE(longest, kBackoffMax);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.request_failed(last_.id, Error{Code::kOffline, "no route", {}});
    engine_.network_available();
    EXPECT_EQ(next_request(), wire::kPathPull) << "the network came back: at once";
}

TEST_F(EngineTest, a_silent_connection_is_given_up) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_started(last_.id, 200, wire::kContentType, Millis{0});
    engine_.response_bytes(last_.id, pull_answer(false));
    EXPECT_EQ(engine_.status().phase, Phase::kLive);
    const RequestId id = last_.id;
    clock_.now += kSilenceMax + Millis{1};
    engine_.timer_fired();
    collect();
    EXPECT_EQ(cancelled_, std::vector<RequestId>{id});
    EXPECT_EQ(engine_.status().phase, Phase::kWaiting);
}

TEST_F(EngineTest, live_pushes_what_the_app_wrote_while_the_pull_stays_open) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    store_.unsent = {"one"};
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    EXPECT_EQ(next_request(), "") << "the open pull brings the outcome";
    EXPECT_TRUE(cancelled_.empty());
}

TEST_F(EngineTest, a_checkpoint_that_does_not_continue_is_asked_for_anew) {
    store_.continues = false;
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    const RequestId stale = last_.id;
    engine_.response_bytes(stale, pull_answer());
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(cancelled_, std::vector<RequestId>{stale});
    store_.continues = true;
    answer(pull_answer());
    EXPECT_FALSE(finished());
}

TEST_F(EngineTest, a_gap_makes_the_store_send_again) {
    store_.unsent = {"five"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    Bytes out;
    wire::put_header(out, wire::Kind::kPushResponse);
    wire::put_number(out, wire::FrameType::kExpect, 3);
    wire::put_empty(out, wire::FrameType::kEnd);
    answer(out);
    EXPECT_EQ(store_.expected_from, 3u);
    EXPECT_EQ(next_request(), wire::kPathPush);
}

TEST_F(EngineTest, pitfall_25_a_taken_identity_is_left_only_when_what_the_server_knows_has_settled) {
    store_.unsent = {"known", "unknown"};
    store_.facts.unsettled = 2;
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    Bytes out;
    wire::put_header(out, wire::Kind::kPushResponse);
    wire::put_verdict(out, {{1}, wire::Verdict::kApplied, Code::kInternal, {}, ""});
    wire::put_number(out, wire::FrameType::kIdentityTaken, 2);
    wire::put_empty(out, wire::FrameType::kEnd);
    answer(out);
    EXPECT_EQ(store_.identities, 0);
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer());
    EXPECT_EQ(store_.identities, 1);
    EXPECT_EQ(next_request(), wire::kPathPush) << "under the new identity";
}

TEST_F(EngineTest, an_unauthorized_device_asks_for_attention_and_keeps_its_work) {
    store_.unsent = {"one"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    Bytes out;
    wire::put_header(out, wire::Kind::kPushResponse);
    wire::put(out, wire::Failure{Code::kUnauthorized, "the token is unknown", 0});
    answer(out);
    EXPECT_EQ(finished()->code, Code::kUnauthorized);
    EXPECT_EQ(engine_.status().phase, Phase::kAttention);
    EXPECT_EQ(store_.unsent.size(), 1u);
}

TEST_F(EngineTest, retry_after_is_kept) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_started(last_.id, 503, "text/plain", Millis{20'000});
    engine_.response_ended(last_.id);
    collect();
    EXPECT_GE(timer_, Millis{20'000});
}

TEST_F(EngineTest, stop_cancels_and_nothing_late_is_taken) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.stop();
    collect();
    EXPECT_EQ(cancelled_.size(), 1u);
    engine_.response_bytes(last_.id, pull_answer());
    engine_.response_ended(last_.id);
    engine_.timer_fired();
    EXPECT_EQ(store_.applied, 0);
    EXPECT_EQ(next_request(), "");
}

TEST_F(EngineTest, a_newer_model_of_the_server_is_fetched_and_the_sync_goes_on) {
    store_.unsent = {"one"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(refusal(wire::Kind::kPushResponse));
    ASSERT_EQ(next_request(), wire::kPathEnroll) << "at once, without waiting";
    answer(enrolled());
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer());
    EXPECT_FALSE(finished());
    EXPECT_EQ(store_.models, 1);
}

TEST_F(EngineTest, both_channels_refused_for_the_model_ask_for_it_once) {
    store_.unsent = {"one"};
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPush);
    const SendRequest push = last_;
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(refusal(wire::Kind::kPullResponse));
    EXPECT_EQ(next_request(), "") << "the push channel, which enrols, is busy";
    last_ = push;
    answer(refusal(wire::Kind::kPushResponse));
    ASSERT_EQ(next_request(), wire::kPathEnroll);
    answer(enrolled());
    EXPECT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(next_request(), wire::kPathPush);
    EXPECT_EQ(store_.models, 1);
}

TEST_F(EngineTest, a_model_that_the_store_cannot_take_needs_attention_and_is_asked_for_again_later) {
    store_.unsent = {"one"};
    store_.takes_model = false;
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPush);
    const SendRequest push = last_;
    ASSERT_EQ(next_request(), wire::kPathPull);
    last_ = push;
    answer(refusal(wire::Kind::kPushResponse));
    ASSERT_EQ(next_request(), wire::kPathEnroll);
    answer(enrolled());
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(engine_.status().phase, Phase::kAttention);
    EXPECT_EQ(engine_.status().problem->code, Code::kModelMismatch);
    EXPECT_EQ(store_.unsent.size(), 1u);
    clock_.now += Micros(timer_);
    engine_.timer_fired();
    store_.takes_model = true;
    clock_.now += Micros(kBackoffMax);
    engine_.timer_fired();
    ASSERT_EQ(next_request(), wire::kPathEnroll);
    answer(enrolled());
    EXPECT_NE(next_request(), "");
    EXPECT_NE(next_request(), "") << "both channels go on";
    EXPECT_EQ(store_.models, 1);
}

}  // namespace
}  // namespace skerry::engine
