// Runs of units, the network, pauses and what the status says of them.
#include "engine/engine_testing.hpp"

namespace skerry::engine {
namespace {

using Lines = std::vector<std::string>;

Error offline() { return {Code::kOffline, "no route", {}}; }

TEST_F(EngineTest, O_7_started_and_completed_are_told_once_each_in_order) {
    engine_.sync();
    EXPECT_EQ(told(), Lines{"full started"});
    serve_pull();
    EXPECT_EQ(told(), Lines{"full completed"});
    engine_.sync();
    fail_next(wire::kPathPull, offline());
    EXPECT_EQ(told(), (Lines{"full started", "full failed offline"}));
    EXPECT_EQ(events_.back().error->message, "no route");
    EXPECT_TRUE(told().empty());
}

TEST_F(EngineTest, M_15_asked_for_while_one_runs_it_comes_after_and_nothing_fails) {
    const auto first = engine_.trigger("full");
    const auto second = engine_.trigger("full");
    ASSERT_TRUE(first && second);
    EXPECT_NE(*first, *second);
    EXPECT_EQ(engine_.trigger("full").value_or(0), *second);
    EXPECT_EQ(engine_.status().waiting, Lines{"full"});
    serve_pull();
    serve_pull();
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(told(), (Lines{"full started", "full completed", "full started", "full completed"}));
}

TEST_F(EngineTest, M_11_pending_only_sends_everything_and_downloads_nothing) {
    store_.unsent = {"one", "two"};
    ASSERT_TRUE(engine_.trigger(kUnitPending));
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(2));
    EXPECT_EQ(next_request(), "") << "no pull";
    EXPECT_EQ(told(), (Lines{"pending started", "pending completed"}));
    EXPECT_EQ(events_.back().report.sent, 2u);
    ASSERT_EQ(events_.back().report.hints.size(), 2u) << "the verdicts are known";
    EXPECT_EQ(events_.back().report.hints[1].no, TxnNo{2});
    EXPECT_TRUE(store_.unsent.empty());
    EXPECT_EQ(store_.applied, 0);
    ASSERT_TRUE(engine_.trigger(kUnitPending));
    EXPECT_EQ(next_request(), "") << "nothing to send: no request at all";
    EXPECT_EQ(told(), (Lines{"pending started", "pending completed"}));
}

TEST_F(EngineTest, M_11_pending_only_leaves_a_live_pull_open) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    store_.unsent = {"one"};
    ASSERT_TRUE(engine_.trigger(kUnitPending));
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    EXPECT_EQ(told(), (Lines{"pending started", "pending completed"}));
    EXPECT_TRUE(cancelled_.empty());
    EXPECT_EQ(engine_.status().phase, Phase::kLive);
}

TEST_F(EngineTest, M_12_selected_sends_up_to_its_last_change_then_downloads_its_entities_only) {
    ASSERT_TRUE(engine_.define({.name = "list", .round = {.kind = RoundKind::kSelected, .entities = {EntityIx{3}}}}));
    store_.unsent = {"one", "two"};
    store_.last_selected = TxnNo{1};
    ASSERT_TRUE(engine_.trigger("list"));
    EXPECT_EQ(store_.selected, std::vector<EntityIx>{EntityIx{3}}) << "what is kept of it is numbered";
    ASSERT_EQ(next_request(), wire::kPathPush) << "its changes go first";
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull) << "the second transaction does not touch it";
    EXPECT_EQ(store_.unsent.size(), 1u);
    const wire::Pull pull = pull_request();
    EXPECT_EQ(pull.first, std::vector<EntityIx>{EntityIx{3}});
    EXPECT_TRUE(pull.only_first);
    EXPECT_FALSE(pull.live);
    answer(pull_answer());
    EXPECT_EQ(told(), (Lines{"list started", "list completed"}));
    EXPECT_EQ(store_.applied, 1);
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_FALSE(pull_request().only_first);
    EXPECT_TRUE(pull_request().first.empty());
}

TEST_F(EngineTest, M_12_selected_goes_before_a_live_pull_which_is_opened_again) {
    ASSERT_TRUE(engine_.define({.name = "list", .round = {.kind = RoundKind::kSelected, .entities = {EntityIx{3}}}}));
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(pull_request().live);
    engine_.response_bytes(last_.id, pull_answer(false));
    ASSERT_TRUE(engine_.trigger("list"));
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(pull_request().only_first);
    answer(pull_answer());
    EXPECT_EQ(told(), (Lines{"list started", "list completed"}));
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(pull_request().live);
    EXPECT_FALSE(pull_request().only_first);
}

TEST_F(EngineTest, M_10_full_sends_all_and_pulls_to_the_end) {
    store_.unsent = {"one"};
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_FALSE(pull_request().only_first);
    store_.unsent = {"written meanwhile"};
    engine_.app_wrote();
    answer(pull_answer());
    ASSERT_EQ(next_request(), wire::kPathPush) << "the app wrote during the sync";
    answer(push_answer(1));
    serve_pull();
    EXPECT_EQ(told(), (Lines{"full started", "full completed"}));
    EXPECT_TRUE(store_.unsent.empty());
}

TEST_F(EngineTest, P_12_live_sends_a_write_with_one_request_at_once) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    store_.unsent = {"one"};
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPush) << "nothing goes before it";
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(clock_.now, TestClock{}.now) << "no timer had to fire";
}

TEST_F(EngineTest, P_21_what_is_on_the_screen_goes_first_in_the_download_under_way) {
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    Bytes begun;
    wire::put_header(begun, wire::Kind::kPullResponse);
    wire::put(begun, wire::Begin{.from = hash64(""), .rows_left = 5000});
    wire::put(begun, wire::Checkpoint{"token", true});
    store_.applies.rows = 1000;
    engine_.response_bytes(last_.id, begun);
    const RequestId before = last_.id;
    engine_.prefer({EntityIx{2}});
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(cancelled_, std::vector<RequestId>{before});
    EXPECT_EQ(pull_request().first, std::vector<EntityIx>{EntityIx{2}});
    EXPECT_FALSE(pull_request().only_first) << "the rest comes too";
    engine_.prefer({EntityIx{2}});
    EXPECT_EQ(next_request(), "");
    answer(pull_answer());
    EXPECT_EQ(told(), (Lines{"full started", "full completed"}));
}

TEST_F(EngineTest, O_21_without_a_network_nothing_is_tried_and_its_return_is_noticed_at_once) {
    ASSERT_TRUE(engine_.define({.name = "back", .on_online = true}));
    engine_.set_network(Network::kWifi);
    EXPECT_EQ(engine_.status().network, Network::kWifi);
    const std::uint64_t changes = engine_.status().changes;
    engine_.set_network(Network::kNone);
    EXPECT_GT(engine_.status().changes, changes);
    EXPECT_EQ(engine_.status().phase, Phase::kOffline);
    EXPECT_EQ(engine_.status().offline_since, clock_.wall());
    engine_.set_live(true);
    engine_.sync();
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(finished()->code, Code::kOffline);
    engine_.set_network(Network::kCellular);
    EXPECT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(engine_.status().running, "back");
    answer(pull_answer());
    EXPECT_EQ(told(), (Lines{"full started", "full failed offline", "back started", "back completed"}));
    EXPECT_FALSE(engine_.status().offline_since);
}

TEST_F(EngineTest, case_N1_another_network_ends_what_was_open_over_the_one_before) {
    engine_.set_network(Network::kWifi);
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    const RequestId over_wifi = last_.id;
    engine_.response_bytes(last_.id, pull_answer(false));
    engine_.set_network(Network::kCellular);
    EXPECT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(cancelled_, std::vector<RequestId>{over_wifi});
}

TEST_F(EngineTest, case_N2_two_hundred_times_off_and_on) {
    engine_.set_live(true);
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(next_request(), wire::kPathPull) << i;
        engine_.response_bytes(last_.id, pull_answer(false));
        ASSERT_EQ(engine_.status().phase, Phase::kLive) << i;
        if (i % 2 == 0) {
            engine_.set_network(Network::kNone);
            engine_.set_network(Network::kWifi);
        } else {
            engine_.request_failed(last_.id, offline());
            pass(kHerdSpread);
        }
    }
    EXPECT_EQ(next_request(), wire::kPathPull);
}

TEST_F(EngineTest, a_server_that_comes_back_meets_its_devices_spread_unless_a_person_waits) {
    const auto reconnects_after = [&] {
        engine_.response_bytes(last_.id, pull_answer(false));
        engine_.request_failed(last_.id, offline());
        collect();
        const Millis wait = timer_;
        pass(wait);
        EXPECT_EQ(next_request(), wire::kPathPull);
        return wait;
    };
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    std::vector<Millis> waits;
    for (int i = 0; i < 30; ++i) waits.push_back(reconnects_after());
    std::ranges::sort(waits);
    EXPECT_LE(waits.back(), kHerdSpread + Millis{1});
    EXPECT_GT(waits.back() - waits.front(), kHerdSpread / 2);
    engine_.set_in_front(true);
    for (int i = 0; i < 30; ++i) EXPECT_LE(reconnects_after(), kBackoffFirst);
    for (int i = 0; i < 20; ++i) {
        engine_.request_failed(last_.id, offline());
        collect();
        EXPECT_LE(timer_, kBackoffMaxInFront);
        pass(timer_);
        ASSERT_EQ(next_request(), wire::kPathPull);
    }
}

TEST_F(EngineTest, case_A1_a_queue_drains_by_itself_after_a_refused_round) {
    ASSERT_TRUE(engine_.define({.name = "writes", .round = {.kind = RoundKind::kPendingOnly}, .after_write = true}));
    store_.unsent = {"one", "two", "three"};
    engine_.app_wrote();
    pass(kAfterWrite);
    ASSERT_EQ(next_request(), wire::kPathPush);
    engine_.response_started(last_.id, 503, "text/plain", Millis{0});
    engine_.response_ended(last_.id);
    pass(kBackoffMax);
    ASSERT_EQ(next_request(), wire::kPathPush) << "without another write";
    answer(push_answer(3));
    EXPECT_TRUE(store_.unsent.empty());
}

TEST_F(EngineTest, case_A10_a_failure_that_nobody_foresaw_is_shown_and_does_not_end_the_sending) {
    ASSERT_TRUE(engine_.define({.name = "writes", .round = {.kind = RoundKind::kPendingOnly}, .after_write = true}));
    store_.unsent = {"one"};
    store_.surprise = Error{Code::kInternal, "a bug", {}};
    engine_.app_wrote();
    pass(kAfterWrite);
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(told(), (Lines{"writes started", "writes failed internal"}));
    ASSERT_TRUE(engine_.status().problem);
    EXPECT_EQ(engine_.status().problem->code, Code::kInternal);
    store_.surprise.reset();
    store_.unsent = {"one", "two"};
    engine_.app_wrote();
    pass(kBackoffMax);
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(2));
    EXPECT_TRUE(store_.unsent.empty());
    EXPECT_EQ(told(), (Lines{"writes started", "writes completed"}));
    EXPECT_FALSE(engine_.status().problem);
}

TEST_F(EngineTest, G_11_a_login_page_is_offline_with_its_reason_and_loses_nothing) {
    ASSERT_TRUE(engine_.define({.name = "writes", .after_write = true}));
    store_.unsent = {"one"};
    engine_.app_wrote();
    pass(kAfterWrite);
    for (const char* page : {"<html>Please sign in</html>", "", "{\"rows\":[]}"}) {
        ASSERT_EQ(next_request(), wire::kPathPush) << page;
        answer(page);
        EXPECT_EQ(engine_.status().phase, Phase::kOffline);
        ASSERT_TRUE(engine_.status().problem);
        EXPECT_EQ(engine_.status().problem->code, Code::kForeignAnswer);
        EXPECT_TRUE(engine_.status().offline_since);
        EXPECT_EQ(store_.unsent.size(), 1u);
        pass(kBackoffMax);
    }
    ASSERT_EQ(next_request(), wire::kPathPush) << "it goes on trying";
    answer(push_answer(1));
    serve_pull();
    EXPECT_EQ(engine_.status().phase, Phase::kIdle);
    EXPECT_FALSE(engine_.status().problem);
    EXPECT_TRUE(store_.unsent.empty());
}

TEST_F(EngineTest, P_22_suspended_at_any_moment_and_resumed_it_goes_on) {
    // Before anything was sent, with a request open, in the middle of an answer, after it.
    for (int moment = 0; moment < 4; ++moment) {
        store_.unsent = {"one"};
        engine_.sync();
        ASSERT_EQ(next_request(), wire::kPathPush) << moment;
        const Bytes whole = push_answer(1);
        if (moment >= 1) engine_.response_started(last_.id, 200, wire::kContentType, Millis{0});
        if (moment == 2) engine_.response_bytes(last_.id, BytesView(whole).substr(0, whole.size() / 2));
        if (moment == 3) engine_.response_bytes(last_.id, whole);
        const RequestId old = last_.id;
        engine_.suspended();
        collect();
        EXPECT_EQ(cancelled_.back(), old);
        engine_.response_ended(old);
        pass(Millis{3'600'000});
        EXPECT_EQ(next_request(), "") << "nothing is tried meanwhile";
        engine_.resumed();
        std::string path = next_request();
        if (path == wire::kPathPush) {
            answer(push_answer(1));
            path = next_request();
        }
        ASSERT_EQ(path, wire::kPathPull) << moment;
        answer(pull_answer());
        EXPECT_FALSE(finished()) << moment;
        EXPECT_TRUE(store_.unsent.empty());
    }
}

TEST_F(EngineTest, units_on_resume_run_when_the_app_is_back) {
    ASSERT_TRUE(engine_.define({.name = "wake", .on_resume = true}));
    engine_.suspended();
    engine_.resumed();
    EXPECT_EQ(engine_.status().running, "wake");
}

TEST_F(EngineTest, case_D7_after_a_long_sleep_it_connects_at_once) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    const RequestId before_sleep = last_.id;
    engine_.response_bytes(last_.id, pull_answer(false));
    clock_.asleep += std::chrono::hours(72);
    engine_.look_at_clocks();
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(cancelled_, std::vector<RequestId>{before_sleep});
    clock_.asleep -= std::chrono::hours(80);
    engine_.look_at_clocks();
    EXPECT_EQ(next_request(), "") << "a clock that is set back is no sleep";
}

TEST_F(EngineTest, M_56_progress_has_rows_bytes_pace_and_time_left_and_a_pause_does_not_count) {
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPull);
    store_.applies.rows = 100;
    Bytes header;
    wire::put_header(header, wire::Kind::kPullResponse);
    engine_.response_bytes(last_.id, header);
    const auto checkpoint = [&](std::uint64_t left) {
        Bytes out;
        wire::put(out, wire::Begin{.from = hash64(""), .rows_left = left});
        wire::put(out, wire::Checkpoint{"token", true});
        engine_.response_bytes(last_.id, out);
    };
    for (int i = 0; i < 5; ++i) {
        clock_.now += Millis{250};
        checkpoint(1000 - static_cast<std::uint64_t>(i) * 100);
        engine_.measure_pace();
    }
    const Status& status = engine_.status();
    EXPECT_EQ(status.rows_received, 500u);
    EXPECT_EQ(status.rows_left, 500u);
    EXPECT_GT(status.bytes_received, 100u);
    EXPECT_DOUBLE_EQ(status.pace.fraction.value_or(0), 0.5);
    EXPECT_NEAR(status.pace.rows_per_second, 400, 1);
    EXPECT_GT(status.pace.bytes_per_second, 0);
    EXPECT_NEAR(static_cast<double>(status.pace.time_left.value_or(Millis{0}).count()), 1250, 10);
    engine_.pause();
    EXPECT_TRUE(status.paused);
    pass(Millis{3'600'000});
    EXPECT_EQ(next_request(), "");
    engine_.measure_pace();
    EXPECT_FALSE(status.pace.time_left);
    engine_.resume();
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, header);
    clock_.now += Millis{250};
    checkpoint(500);
    engine_.measure_pace();
    EXPECT_NEAR(status.pace.rows_per_second, 400, 1) << "the hour of the pause does not count";
    EXPECT_EQ(status.rows_received, 600u) << "it is the same run";
    engine_.response_bytes(last_.id, BytesView(pull_answer()).substr(header.size()));
    engine_.response_ended(last_.id);
    EXPECT_FALSE(finished());
    told();
    EXPECT_LT(events_.back().report.took, Micros(Millis{10'000}));
}

TEST_F(EngineTest, a_run_can_be_cancelled_while_it_waits_and_while_it_runs) {
    const auto running = engine_.trigger("full");
    const auto waiting = engine_.trigger("pending");
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(engine_.cancel(*waiting));
    EXPECT_TRUE(engine_.cancel(*running));
    EXPECT_FALSE(engine_.cancel(*running));
    collect();
    EXPECT_EQ(cancelled_, std::vector<RequestId>{last_.id});
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(told(), (Lines{"full started", "pending failed sync_discarded", "full failed sync_discarded"}));
    EXPECT_EQ(engine_.status().phase, Phase::kIdle);
    EXPECT_FALSE(engine_.status().problem) << "that somebody cancelled is no trouble";
}

TEST_F(EngineTest, P_34_each_trouble_has_its_own_code_phase_and_advice) {
    struct Case {
        Error error;
        Phase phase;
    };
    const std::vector<Case> cases{
        {{Code::kOffline, "no route", {}}, Phase::kOffline},
        {{Code::kForeignAnswer, "a login page", {}}, Phase::kOffline},
        {{Code::kServerFailed, "its disk", {}}, Phase::kWaiting},
        {{Code::kServerBusy, "later", {}}, Phase::kWaiting},
        {{Code::kUnauthorized, "the token is unknown", {}}, Phase::kAttention},
        {{Code::kDiskFull, "no space", {}}, Phase::kAttention},
        {{Code::kCorruptStore, "malformed", {}}, Phase::kAttention},
        {{Code::kNoSuchRoute, "/v2", {}}, Phase::kAttention},
        {{Code::kProfileUnknown, "field", {}}, Phase::kAttention},
        {{Code::kPrincipalFailed, "me", {}}, Phase::kAttention},
        {{Code::kModelChange, "type", {}}, Phase::kAttention},
        {{Code::kNotSupported, "a format", {}}, Phase::kAttention},
        {{Code::kInvalidArgument, "a name", {}}, Phase::kAttention},
        {{Code::kLimitExceeded, "a frame", {}}, Phase::kAttention},
        {{Code::kTxnTooBig, "bytes", {}}, Phase::kAttention},
        {{Code::kSql, "no such table", {}}, Phase::kAttention},
        {{Code::kConstraint, "an index", {}}, Phase::kAttention},
        {{Code::kInternal, "a bug", {}}, Phase::kAttention},
        {{Code::kBusy, "five seconds", {}}, Phase::kWaiting},
        {{Code::kIo, "the disk", {}}, Phase::kWaiting},
        {{Code::kDamagedFrame, "a checksum", {}}, Phase::kWaiting},
    };
    std::set<std::string> advice;
    engine_.set_live(true);
    for (const Case& one : cases) {
        const std::string name(code_name(one.error.code));
        ASSERT_EQ(next_request(), wire::kPathPull) << name;
        engine_.request_failed(last_.id, one.error);
        EXPECT_EQ(engine_.status().phase, one.phase) << name;
        ASSERT_TRUE(engine_.status().problem) << name;
        EXPECT_EQ(engine_.status().problem->code, one.error.code);
        EXPECT_TRUE(engine_.status().retry_at) << name << ": a person may mend it, and nobody has to say so";
        advice.insert(describe(*engine_.status().problem).substr(one.error.message.size()));
        pass(kBackoffMax);
    }
    EXPECT_EQ(advice.size(), cases.size());
}

TEST_F(EngineTest, P_36_every_phase_is_shown_and_each_change_counts) {
    const Status& status = engine_.status();
    EXPECT_EQ(status.phase, Phase::kIdle);
    std::uint64_t changes = status.changes;
    const auto changed_to = [&](Phase phase) { return status.phase == phase && std::exchange(changes, status.changes) < status.changes; };
    engine_.set_live(true);
    EXPECT_TRUE(changed_to(Phase::kSyncing));
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    EXPECT_TRUE(changed_to(Phase::kLive));
    engine_.request_failed(last_.id, offline());
    EXPECT_TRUE(changed_to(Phase::kOffline));
    EXPECT_TRUE(status.retry_at);
    pass(kBackoffMax);
    EXPECT_TRUE(changed_to(Phase::kSyncing));
    EXPECT_FALSE(status.reachable);
    fail_next(wire::kPathPull, {Code::kServerFailed, "its disk", {}});
    EXPECT_TRUE(changed_to(Phase::kWaiting));
    pass(kBackoffMax);
    EXPECT_TRUE(changed_to(Phase::kSyncing));
    fail_next(wire::kPathPull, {Code::kUnauthorized, "revoked", {}});
    EXPECT_TRUE(changed_to(Phase::kAttention));
    engine_.set_live(false);
    EXPECT_TRUE(changed_to(Phase::kIdle));
    engine_.pause();
    EXPECT_GT(status.changes, changes);
}

// ---- several programs on one store ----

TEST_F(EngineTest, G_15_the_turn_is_held_while_something_runs_and_given_back_after_it) {
    engine_.sync();
    EXPECT_TRUE(store_.whose.ours);
    serve_pull();
    EXPECT_FALSE(store_.whose.ours);
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    EXPECT_TRUE(store_.whose.ours);
    engine_.pause();
    EXPECT_FALSE(store_.whose.ours) << "another program may go on";
    engine_.resume();
    EXPECT_TRUE(store_.whose.ours);
    engine_.set_network(Network::kNone);
    EXPECT_FALSE(store_.whose.ours);
    engine_.set_network(Network::kWifi);
    EXPECT_TRUE(store_.whose.ours);
    engine_.set_live(false);
    EXPECT_FALSE(store_.whose.ours);
}

TEST_F(EngineTest, G_15_live_waits_for_its_turn_says_so_and_takes_over) {
    store_.whose.elsewhere = true;
    store_.unsent = {"one"};
    engine_.set_live(true);
    EXPECT_EQ(next_request(), "") << "one at a time";
    EXPECT_EQ(engine_.status().phase, Phase::kWaiting);
    EXPECT_TRUE(engine_.status().elsewhere);
    ASSERT_TRUE(engine_.status().problem);
    EXPECT_EQ(engine_.status().problem->code, Code::kSyncElsewhere);
    EXPECT_LE(timer_, kTurnAgain);
    for (int i = 0; i < 100; ++i) pass(kTurnAgain);
    EXPECT_EQ(store_.whose.asked, 101) << "without end";
    engine_.app_wrote();
    EXPECT_EQ(store_.whose.asked, 101) << "not at each write";
    EXPECT_EQ(next_request(), "");
    store_.whose.elsewhere = false;
    pass(kTurnAgain);
    ASSERT_EQ(next_request(), wire::kPathPush) << "what the other one left unsent goes";
    EXPECT_FALSE(engine_.status().elsewhere);
    answer(push_answer(1));
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    EXPECT_EQ(engine_.status().phase, Phase::kLive);
    EXPECT_FALSE(engine_.status().problem);
}

TEST_F(EngineTest, G_15_a_run_waits_a_while_for_its_turn) {
    store_.whose.elsewhere = true;
    engine_.sync();
    pass(kTurnAgain);
    EXPECT_EQ(told(), Lines{"full started"});
    store_.whose.elsewhere = false;
    pass(kTurnAgain);
    serve_pull();
    EXPECT_EQ(told(), Lines{"full completed"});
}

TEST_F(EngineTest, G_15_a_run_that_does_not_get_its_turn_fails_by_name_and_loses_nothing) {
    store_.whose.elsewhere = true;
    store_.unsent = {"one"};
    engine_.sync();
    for (Millis waited{0}; waited < kTurnWait; waited += kTurnAgain) pass(kTurnAgain);
    EXPECT_EQ(told(), (Lines{"full started", "full failed sync_elsewhere"}));
    EXPECT_EQ(next_request(), "");
    EXPECT_EQ(store_.unsent.size(), 1u);
    const int asked = store_.whose.asked;
    pass(kTurnWait);
    EXPECT_EQ(store_.whose.asked, asked) << "nobody waits any more";
    EXPECT_FALSE(engine_.status().elsewhere);
    store_.whose.elsewhere = false;
    engine_.sync();
    ASSERT_EQ(next_request(), wire::kPathPush);
    answer(push_answer(1));
    serve_pull();
    EXPECT_EQ(told(), (Lines{"full started", "full completed"}));
}

TEST_F(EngineTest, G_15_a_turn_that_cannot_be_asked_for_is_a_problem_of_the_store) {
    store_.whose.broken = true;
    engine_.sync();
    EXPECT_EQ(told(), (Lines{"full started", "full failed io"}));
    EXPECT_EQ(next_request(), "");
}

// ---- what is wanted changes while a pull is open ----

TEST_F(EngineTest, a_choice_counts_at_once_while_live) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    ASSERT_EQ(engine_.status().phase, Phase::kLive);
    engine_.app_wrote();
    EXPECT_EQ(next_request(), "") << "nothing else is wanted";
    const RequestId before = last_.id;
    store_.facts.chosen = {{"sites", {"s1"}}};
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_EQ(cancelled_, std::vector<RequestId>{before});
    EXPECT_EQ(pull_request().chosen, store_.facts.chosen);
    EXPECT_TRUE(pull_request().live);
    EXPECT_EQ(engine_.status().phase, Phase::kSyncing) << "not in step until it has come";
    engine_.response_bytes(last_.id, pull_answer(false));
    EXPECT_EQ(engine_.status().phase, Phase::kLive);
    engine_.app_wrote();
    EXPECT_EQ(next_request(), "") << "once";
}

TEST_F(EngineTest, a_repair_that_another_program_asks_for_is_done_by_who_is_live) {
    engine_.set_live(true);
    ASSERT_EQ(next_request(), wire::kPathPull);
    engine_.response_bytes(last_.id, pull_answer(false));
    store_.facts.verify_wanted = true;
    engine_.app_wrote();
    ASSERT_EQ(next_request(), wire::kPathPull);
    EXPECT_TRUE(pull_request().verify);
    store_.facts.verify_wanted = false;
    engine_.response_bytes(last_.id, pull_answer(false));
    engine_.app_wrote();
    EXPECT_EQ(next_request(), "");
}

}  // namespace
}  // namespace skerry::engine
