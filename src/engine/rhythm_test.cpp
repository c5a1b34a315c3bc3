#include "engine/rhythm.hpp"

#include <gtest/gtest.h>

namespace skerry::engine {
namespace {

struct TestClock final : Clock {
    Micros now{1'000'000};
    Micros wall() const override { return now; }
    Micros mono() const override { return now; }
};

class RhythmTest : public testing::Test {
  protected:
    RhythmTest() {
        for (const char* name : {"a", "b", "c"}) define({.name = name});
    }
    void define(Unit unit) {
        const auto defined = rhythm_.define(std::move(unit));
        EXPECT_TRUE(defined) << describe(defined.error());
    }
    RunId ask(std::string_view unit, TriggerOptions options = {}) { return rhythm_.trigger(unit, options).value_or(0); }
    // Starts what is next; its unit, or "".
    std::string start(Network network = Network::kUnknown, bool unsent = true) {
        const auto run = rhythm_.next(network, unsent);
        return run ? run->unit : "";
    }
    void end(std::optional<Error> error = {}, Millis asked_to_wait = {}) { rhythm_.ended({}, std::move(error), {}, asked_to_wait); }
    std::vector<std::string> told() {
        std::vector<std::string> lines;
        for (const RunEvent& event : rhythm_.take_events()) {
            chain_ = event.chain + 1;
            if (event.kind == RunEvent::Kind::kStarted) lines.push_back(event.unit + " started");
            else lines.push_back(event.unit + (event.error ? " " + std::string(code_name(event.error->code)) : " completed"));
        }
        return lines;
    }
    using Lines = std::vector<std::string>;
    static Error offline() { return {Code::kOffline, "no route", {}}; }

    TestClock clock_;
    SeededRandom random_{1};
    Rhythm rhythm_{clock_, random_};
    int chain_ = 0;
};

TEST_F(RhythmTest, O_3_units_run_in_the_order_asked_for_one_at_a_time) {
    ask("b");
    ask("a");
    ask("c");
    EXPECT_EQ(rhythm_.waiting(), (Lines{"b", "a", "c"}));
    EXPECT_EQ(start(), "b");
    EXPECT_TRUE(rhythm_.running());
    end();
    EXPECT_EQ(start(), "a");
    end();
    EXPECT_EQ(start(), "c");
    end();
    EXPECT_EQ(start(), "");
    EXPECT_EQ(told(), (Lines{"b started", "b completed", "a started", "a completed", "c started", "c completed"}));
}

TEST_F(RhythmTest, O_4_discard_pending_drops_what_waits_and_lets_the_running_one_finish) {
    const RunId a = ask("a");
    EXPECT_EQ(start(), "a");
    ask("b");
    const RunId c = ask("c", {.discard_pending = true});
    EXPECT_EQ(rhythm_.waiting(), Lines{"c"});
    ASSERT_TRUE(rhythm_.running());
    EXPECT_EQ(rhythm_.running()->id, a);
    end();
    EXPECT_EQ(start(), "c");
    EXPECT_EQ(rhythm_.running()->id, c);
    end();
    EXPECT_EQ(told(), (Lines{"a started", "b sync_discarded", "a completed", "c started", "c completed"}));
}

TEST_F(RhythmTest, O_4_the_unit_that_discards_keeps_its_own_place) {
    const RunId b = ask("b");
    ask("c");
    EXPECT_EQ(ask("b", {.discard_pending = true}), b);
    EXPECT_EQ(rhythm_.waiting(), Lines{"b"});
}

TEST_F(RhythmTest, O_5_runs_that_their_own_ends_ask_for_are_refused_after_a_while) {
    int runs = 0;
    ask("a");
    for (Result<RunId> next = RunId{1}; next; ++runs) {
        ASSERT_LT(runs, 100) << "an endless loop";
        ASSERT_EQ(start(), runs % 2 == 0 ? "a" : "b");
        end();
        told();
        // Also where two units ask for each other.
        next = rhythm_.trigger(runs % 2 == 0 ? "b" : "a", {.chain = chain_});
        EXPECT_EQ(next ? Code::kSyncLoop : next.error().code, Code::kSyncLoop);
    }
    EXPECT_EQ(runs, kChainMax + 1);
    EXPECT_NE(ask("a"), 0u) << "a person may always ask";
}

TEST_F(RhythmTest, O_6_a_unit_that_waits_is_not_put_there_twice) {
    const RunId first = ask("a");
    EXPECT_EQ(ask("a"), first);
    EXPECT_EQ(start(), "a");
    const RunId second = ask("a");
    EXPECT_NE(second, first) << "the one that runs may have looked already";
    EXPECT_EQ(ask("a"), second);
    EXPECT_EQ(rhythm_.waiting().size(), 1u);
}

TEST_F(RhythmTest, P_15_what_is_asked_for_first_goes_before_what_waits) {
    ask("a");
    ask("b");
    ask("c", {.first = true});
    EXPECT_EQ(rhythm_.waiting(), (Lines{"c", "a", "b"}));
    ask("b", {.first = true});
    EXPECT_EQ(rhythm_.waiting(), (Lines{"b", "c", "a"}));
}

TEST_F(RhythmTest, writes_wait_for_a_silence_but_not_for_ever) {
    define({.name = "w", .after_write = true});
    EXPECT_FALSE(rhythm_.due(Network::kUnknown));
    const Micros begun = clock_.now;
    while (clock_.now - begun < kAfterWriteMax) {
        EXPECT_EQ(start(), "") << (clock_.now - begun).count();
        rhythm_.wrote();
        clock_.now += kAfterWrite / 2;
    }
    EXPECT_EQ(start(), "w");
    end();
    rhythm_.wrote();
    EXPECT_EQ(rhythm_.due(Network::kUnknown), clock_.now + kAfterWrite);
    clock_.now += kAfterWrite;
    EXPECT_EQ(start(Network::kUnknown, false), "") << "a query was taken for a write: nothing is to be sent";
    EXPECT_FALSE(rhythm_.due(Network::kUnknown));
}

TEST_F(RhythmTest, an_interval_counts_from_the_end) {
    define({.name = "e", .every = Millis{10'000}});
    clock_.now += Millis{9'999};
    EXPECT_EQ(start(), "");
    clock_.now += Millis{1};
    EXPECT_EQ(start(), "e");
    clock_.now += Millis{60'000};
    end();
    EXPECT_EQ(rhythm_.due(Network::kUnknown), clock_.now + Millis{10'000});
    const RunId run = ask("e");
    EXPECT_FALSE(rhythm_.due(Network::kUnknown)) << "it waits";
    EXPECT_TRUE(rhythm_.discard(run));
    EXPECT_TRUE(rhythm_.due(Network::kUnknown)) << "a run that was dropped does not end the interval";
}

TEST_F(RhythmTest, case_N2_an_automatic_unit_is_tried_again_without_end) {
    define({.name = "w", .after_write = true});
    rhythm_.wrote();
    clock_.now += kAfterWrite;
    Micros longest{0};
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(start(), "w") << i;
        end(offline());
        const auto due = rhythm_.due(Network::kUnknown);
        ASSERT_TRUE(due) << i;
        longest = std::max(longest, *due - clock_.now);
        clock_.now = *due;
    }
    EXPECT_LE(longest, Micros(kBackoffMax));
    EXPECT_EQ(start(), "w");
    end();
    EXPECT_FALSE(rhythm_.due(Network::kUnknown)) << "done";
    ask("a");
    EXPECT_EQ(start(), "a");
    end(offline());
    EXPECT_FALSE(rhythm_.due(Network::kUnknown)) << "what only a person asks for is not tried again";
}

TEST_F(RhythmTest, G_2_what_failed_runs_at_once_when_the_network_is_back) {
    define({.name = "w", .after_write = true});
    define({.name = "o", .on_online = true});
    rhythm_.wrote();
    clock_.now += kAfterWrite;
    EXPECT_EQ(start(), "w");
    end(offline());
    EXPECT_EQ(start(), "");
    EXPECT_EQ(start(Network::kNone), "") << "no attempts";
    rhythm_.came_online();
    EXPECT_EQ(rhythm_.waiting(), (Lines{"w", "o"}));
}

TEST_F(RhythmTest, case_N6_what_the_server_asks_for_is_waited_for_and_spread) {
    define({.name = "e", .every = kEveryMin});
    clock_.now += kEveryMin;
    std::vector<Micros> waits;
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(start(), "e");
        end(Error{Code::kServerBusy, "later", {}}, Millis{60'000});
        waits.push_back(*rhythm_.due(Network::kUnknown) - clock_.now);
        EXPECT_GE(waits.back(), Micros(Millis{60'000})) << "nor by its interval before";
        clock_.now += waits.back();
    }
    std::ranges::sort(waits);
    EXPECT_GT(waits.back() - waits.front(), Micros(Millis{2'000})) << "devices that were all asked at once come one by one";
    ASSERT_EQ(start(), "e");
    end(Error{Code::kServerBusy, "later", {}}, Millis{1'000'000'000});
    EXPECT_LE(*rhythm_.due(Network::kUnknown) - clock_.now, Micros(kAskedToWaitMax + kHerdSpread)) << "nobody can stop a device for ever";
}

TEST_F(RhythmTest, a_unit_for_unmetered_networks_waits_and_lets_others_pass) {
    define({.name = "u", .on_start = true, .unmetered_only = true});
    ask("a");
    EXPECT_EQ(start(Network::kCellular), "a");
    end();
    EXPECT_EQ(start(Network::kMetered), "");
    EXPECT_EQ(start(Network::kWifi), "u");
}

TEST_F(RhythmTest, what_was_asked_for_fails_at_once_without_a_network_and_what_was_not_waits) {
    define({.name = "s", .on_start = true});
    EXPECT_EQ(start(Network::kNone), "");
    ask("a");
    EXPECT_EQ(start(Network::kNone), "a") << "the engine ends it with offline";
}

TEST_F(RhythmTest, what_is_no_unit_is_refused_by_name) {
    const auto refused = [&](Unit unit) { return rhythm_.define(std::move(unit)).error().code; };
    EXPECT_EQ(refused({.name = ""}), Code::kInvalidArgument);
    EXPECT_EQ(refused({.name = "two words"}), Code::kInvalidArgument);
    EXPECT_EQ(refused({.name = std::string(kUnitNameMax + 1, 'x')}), Code::kInvalidArgument);
    EXPECT_EQ(refused({.name = "x", .every = Millis{5}}), Code::kInvalidArgument);
    EXPECT_EQ(refused({.name = "x", .round = {.kind = RoundKind::kSelected}}), Code::kInvalidArgument);
    EXPECT_EQ(refused({.name = "x", .round = {.entities = {EntityIx{0}}}}), Code::kInvalidArgument);
    for (std::size_t i = 3; i < kUnitsMax; ++i) define({.name = "u" + std::to_string(i)});
    EXPECT_EQ(refused({.name = "x"}), Code::kLimitExceeded);
    EXPECT_EQ(rhythm_.trigger("x").error().code, Code::kNotFound);
    EXPECT_FALSE(rhythm_.discard(77));
}

}  // namespace
}  // namespace skerry::engine
