#include "engine/engine_testing.hpp"

#include <set>

namespace skerry::engine {
namespace {

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
        EXPECT_EQ(engine_.status().phase, Phase::kOffline);
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

TEST_F(EngineTest, case_N1_a_silent_connection_is_given_up) {
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
    EXPECT_EQ(engine_.status().phase, Phase::kOffline);
}

// The router forgot every connection: what is found out on one is not to be found out on the other anew.
TEST_F(EngineTest, case_N1_what_is_unanswered_is_given_up_with_what_fell_silent) {
    engine_.set_in_front(true);
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    const RequestId pull = last_.id;
    clock_.now += kSilenceMax - Millis{1};
    store_.unsent = {"one"};
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPush);
    const RequestId push = last_.id;
    clock_.now += Millis{2};
    engine_.timer_fired();
    collect();
    EXPECT_EQ(std::set<RequestId>(cancelled_.begin(), cancelled_.end()), (std::set<RequestId>{pull, push}));
    clock_.now += kBackoffFirst;
    engine_.timer_fired();
    ASSERT_EQ(next_request(), wire::kPathPush) << "at once";
    answer(push_answer(1));
    EXPECT_EQ(next_request(), wire::kPathPull);
}

TEST_F(EngineTest, case_N1_an_answer_that_arrives_goes_on_beside_one_that_fell_silent) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    const RequestId pull = last_.id;
    store_.unsent = {"one"};
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPush);
    clock_.now += kSilenceMax - Millis{1};
    engine_.response_bytes(last_.id, push_answer(1).substr(0, 8));
    clock_.now += Millis{2};
    engine_.timer_fired();
    collect();
    EXPECT_EQ(cancelled_, std::vector<RequestId>{pull});
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

TEST_F(EngineTest, case_B9_a_cache_that_replays_old_answers_is_named_and_not_asked_for_ever) {
    store_.continues = false;
    engine_.sync();
    int requests = 0;
    while (requests < 10 && next_request() == wire::kPathPull) {
        ++requests;
        answer(pull_answer());
    }
    EXPECT_EQ(requests, 3);
    EXPECT_EQ(finished()->code, Code::kForeignAnswer);
    EXPECT_EQ(store_.applied, 0) << "the cursor moves only with what was applied";
}

TEST_F(EngineTest, case_N4_a_large_body_on_a_slow_line_is_not_taken_for_silence) {
    store_.unsent = {Bytes(200'000, 'x')};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    clock_.now += kSilenceMax + Millis{1};
    engine_.timer_fired();
    collect();
    EXPECT_TRUE(cancelled_.empty());
    clock_.now += Millis{200'000 / kUploadBytesPerMs};
    engine_.timer_fired();
    EXPECT_EQ(finished()->code, Code::kOffline);
}

TEST_F(EngineTest, M_24_what_the_server_confirmed_is_not_sent_again_when_the_download_fails) {
    store_.unsent = {"one"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.request_failed(last_.id, Error{Code::kOffline, "cut", {}});
    EXPECT_TRUE(finished());
    engine_.sync();
    EXPECT_EQ(next_request(), wire::kPathPull);
}

TEST_F(EngineTest, pitfall_61_a_large_transaction_goes_in_parts_from_where_the_server_is) {
    Bytes form;
    Writer out(form);
    out.varint(1);
    out.raw("0123456789abcdef");
    out.raw(Bytes(600'000, 'x'));
    store_.unsent = {form};
    const auto part_sent = [&] {
        EXPECT_EQ(next_request(), wire::kPathPush);
        const auto frames = wire::read_body(last_.body, wire::Kind::kPushRequest);
        EXPECT_EQ(frames->at(1).type, wire::FrameType::kPart);
        return *wire::get_part(frames->at(1).payload);
    };
    const auto has = [&](std::uint64_t bytes) {
        Bytes body;
        wire::put_header(body, wire::Kind::kPushResponse);
        wire::put(body, wire::Have{{1}, hash64(form), bytes});
        wire::put_empty(body, wire::FrameType::kEnd);
        answer(body);
    };
    engine_.sync();
    EXPECT_TRUE(part_sent().bytes.empty()) << "it asks first";
    has(100'000);
    wire::Part part = part_sent();
    EXPECT_EQ(part.offset, 100'000u);
    EXPECT_EQ(part.bytes, form.substr(100'000, kChunkFirst));
    engine_.request_failed(last_.id, Error{Code::kOffline, "cut", {}});
    EXPECT_TRUE(finished());
    engine_.sync();
    EXPECT_TRUE(part_sent().bytes.empty()) << "whether it arrived is not sure";
    has(100'000);
    part = part_sent();
    EXPECT_EQ(part.bytes.size(), kChunkFirst / 4) << "after a tear, smaller ones";
    has(100'000 + part.bytes.size());
    EXPECT_EQ(part_sent().bytes.size(), kChunkFirst / 2) << "and larger ones when they get through";
    for (int setback = 0; setback < 3; ++setback) {
        has(100'000);
        EXPECT_EQ(part_sent().offset, 100'000u) << "a server that crashed has less than before: it goes on from there";
    }
    has(100'000);
    ASSERT_EQ(next_request(), wire::kPathPull) << "downloads do not wait for it";
    answer(pull_answer());
    EXPECT_EQ(finished()->code, Code::kServerFailed) << "a server that loses what it confirms is not asked in a circle";
    engine_.sync();
    static_cast<void>(part_sent());
    answer(push_answer(1));
    EXPECT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(store_.unsent.empty());
}

TEST_F(EngineTest, a_spooled_checkpoint_is_asked_for_again_from_where_it_was_cut_and_then_what_came_since) {
    const Bytes id = "0123456789abcdef";
    const auto pull_sent = [&] {
        EXPECT_EQ(next_request(), wire::kPathPull);
        return *wire::get_pull(wire::read_body(last_.body, wire::Kind::kPullRequest)->at(0).payload);
    };
    engine_.sync();
    EXPECT_FALSE(pull_sent().resume);
    Bytes body;
    wire::put_header(body, wire::Kind::kPullResponse);
    wire::put(body, wire::Spooled{id, 0});
    wire::put(body, wire::Begin{.from = hash64(""), .caught_up = true});
    answer(body);
    EXPECT_EQ(finished()->code, Code::kTruncated);
    store_.facts.resume = wire::Spooled{id, 30};
    engine_.sync();
    EXPECT_EQ(pull_sent().resume, (wire::Spooled{id, 30}));
    body.clear();
    wire::put_header(body, wire::Kind::kPullResponse);
    wire::put(body, wire::Spooled{id, 30});
    wire::put(body, wire::Checkpoint{"token", false});
    wire::put_empty(body, wire::FrameType::kEnd);
    store_.facts.resume.reset();
    const int applied = store_.applied;
    answer(body);
    EXPECT_EQ(store_.applied, applied + 1);
    EXPECT_FALSE(pull_sent().resume) << "what came since it was kept";
    answer(pull_answer());
    EXPECT_FALSE(finished());
}

TEST_F(EngineTest, an_answer_that_goes_on_with_what_was_not_asked_for_is_refused) {
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    Bytes body;
    wire::put_header(body, wire::Kind::kPullResponse);
    wire::put(body, wire::Spooled{"0123456789abcdef", 30});
    answer(body);
    EXPECT_EQ(finished()->code, Code::kDamagedFrame);
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

TEST_F(EngineTest, pitfall_24_while_settled_transactions_are_sent_again_the_server_forgets_nothing) {
    store_.facts.keep_from = TxnNo{9};
    for (const bool heals : {false, true}) {
        store_.facts.heals = heals;
        store_.unsent = {"one"};
        engine_.sync();
        ASSERT_EQ(next_request(), wire::kPathPush);
        const auto frames = wire::read_body(last_.body, wire::Kind::kPushRequest);
        ASSERT_TRUE(frames);
        EXPECT_EQ(wire::get_push_hello(frames->front().payload)->keep_from, TxnNo{heals ? 1u : 9u});
        engine_.request_failed(last_.id, Error{Code::kOffline, "cut", {}});
    }
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

// What the settled ones before it name is none of its business: the archive may not have that any more.
TEST_F(EngineTest, what_was_confirmed_and_has_no_outcome_is_asked_again_from_the_first_such_one) {
    store_.facts.unsettled = store_.never_settled = 1;
    store_.facts.keep_from = TxnNo{2};
    store_.facts.first_unsettled = store_.facts.sent_upto = TxnNo{5};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer());
    EXPECT_EQ(store_.expected_from, 5u);
}

// The answers to what was sent again may be old ones, of the time before it was restored.
TEST_F(EngineTest, seed_501001fd_a_server_that_knows_less_than_it_confirmed_is_sent_it_again) {
    store_.facts.sent_upto = TxnNo{5};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer(true, TxnNo{3}));
    EXPECT_EQ(store_.expected_from, 4u);
}

TEST_F(EngineTest, a_server_is_not_sent_again_what_is_on_its_way_to_it) {
    store_.facts.sent_upto = TxnNo{5};
    store_.facts.heals = true;
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    answer(pull_answer(true, TxnNo{3}));
    EXPECT_EQ(store_.expected_from, 0u);
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
