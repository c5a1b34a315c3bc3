// Units, pauses and the network, end to end: devices, server and a network in one world.
#include <gtest/gtest.h>

#include "kit/world/world.hpp"

namespace skerry::kit {
namespace {

using Lines = std::vector<std::string>;
using engine::Engine;
using engine::RoundKind;

constexpr std::uint64_t kSeed = 23;

EntityIx entity(Device& device, std::string_view name) {
    const auto ix = device.store().entity_named(name);
    EXPECT_TRUE(ix);
    return ix.value_or(EntityIx{});
}

// Asks for a unit and waits until its run has ended; how.
engine::RunEvent run(World& w, Device& device, const std::string& unit) {
    engine::RunEvent end;
    device.take_events();
    device.ask([&](Engine& e) { EXPECT_TRUE(e.trigger(unit)); });
    const bool ended = w.run_until([&] {
        for (engine::RunEvent& event : device.take_events())
            if (event.unit == unit && event.kind != engine::RunEvent::Kind::kStarted) end = std::move(event);
        return end.run != 0;
    });
    EXPECT_TRUE(ended) << w.report();
    return end;
}

TEST(Rhythm, M_11_pending_only_sends_and_downloads_nothing) {
    World w{kSeed};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    w.sync(ann);
    ben.sql("INSERT INTO note(id, text, n) VALUES('b1', 'x', 1)");
    w.sync(ben);
    ann.sql("INSERT INTO note(id, text, n) VALUES('a1', 'x', 1)");
    ann.sql("INSERT INTO note(id, text, n) VALUES('a2', 'x', 2)");
    ann.sql("DELETE FROM note WHERE id = 'a1'");
    const auto end = run(w, ann, "pending");
    EXPECT_FALSE(end.error);
    EXPECT_EQ(end.report.sent, 3u);
    ASSERT_EQ(end.report.hints.size(), 3u);
    for (const wire::Outcome& hint : end.report.hints) EXPECT_EQ(hint.verdict, wire::Verdict::kApplied);
    EXPECT_EQ(w.server().rows("note"), (Lines{"a2: 'x' 2 NULL", "b1: 'x' 1 NULL"}));
    EXPECT_EQ(ann.rows("note"), Lines{"a2: 'x' 2 NULL"}) << "nothing was downloaded";
    EXPECT_EQ(ann.verdict(3), "") << "settling waits for the next checkpoint";
    w.sync(ann);
    EXPECT_EQ(ann.verdict(3), "applied");
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Rhythm, M_31_a_row_deleted_on_the_server_goes_with_a_full_and_with_a_selected_sync) {
    for (const bool selected : {false, true}) {
        World w{kSeed};
        Device& ann = w.device("ann");
        Device& ben = w.device("ben");
        ann.sql("INSERT INTO note(id, text, n) VALUES('k1', 'x', 5)");
        w.sync(ann);
        w.sync(ben);
        ben.sql("DELETE FROM note WHERE id = 'k1'");
        w.sync(ben);
        const EntityIx note = entity(ann, "note");
        ann.ask([&](Engine& e) { EXPECT_TRUE(e.define({.name = "list", .round = {.kind = RoundKind::kSelected, .entities = {note}}})); });
        EXPECT_FALSE(run(w, ann, selected ? "list" : "full").error) << w.report();
        EXPECT_TRUE(ann.rows("note").empty());
        EXPECT_TRUE(w.finish()) << w.report();
    }
}

TEST(Rhythm, M_12_a_selected_sync_sends_its_changes_and_brings_those_of_others) {
    World w{kSeed};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    ann.sql("INSERT INTO note(id, text, n) VALUES('clean', 'x', 1)");
    ann.sql("INSERT INTO note(id, text, n) VALUES('changed', 'x', 1)");
    ann.sql("INSERT INTO note(id, text, n) VALUES('deleted', 'x', 1)");
    ann.sql("INSERT INTO note(id, text, n) VALUES('vanished', 'x', 1)");
    w.sync(ann);
    w.sync(ben);
    ben.sql("UPDATE note SET n = 2 WHERE id = 'clean'");
    ben.sql("DELETE FROM note WHERE id = 'vanished'");
    w.sync(ben);
    ann.sql("UPDATE note SET n = 7 WHERE id = 'changed'");
    ann.sql("DELETE FROM note WHERE id = 'deleted'");
    const EntityIx note = entity(ann, "note");
    ann.ask([&](Engine& e) { EXPECT_TRUE(e.define({.name = "list", .round = {.kind = RoundKind::kSelected, .entities = {note}}})); });
    const auto end = run(w, ann, "list");
    EXPECT_FALSE(end.error) << w.report();
    EXPECT_EQ(end.report.sent, 2u);
    EXPECT_EQ(ann.rows("note"), (Lines{"changed: 'x' 7 NULL", "clean: 'x' 2 NULL"}));
    EXPECT_EQ(w.server().rows("note"), ann.rows("note"));
    EXPECT_EQ(ann.unsettled(), 0u);
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Rhythm, G_2_and_case_A6_what_was_written_offline_goes_by_itself_also_after_a_pause) {
    World w{kSeed};
    Device& ann = w.device("ann");
    w.sync(ann);
    ann.ask([](Engine& e) {
        EXPECT_TRUE(e.define({.name = "writes", .on_online = true, .after_write = true}));
        e.set_network(engine::Network::kNone);
    });
    ann.sql("INSERT INTO note(id, text, n) VALUES('k1', 'x', 1)");
    ann.look();
    w.run_for(Millis{60'000});
    EXPECT_TRUE(w.server().rows("note").empty());
    EXPECT_EQ(ann.status().phase, engine::Phase::kOffline);
    ann.ask([](Engine& e) { e.set_network(engine::Network::kWifi); });
    EXPECT_TRUE(w.run_until([&] { return ann.unsettled() == 0; }, Millis{10'000})) << w.report();
    ann.ask([](Engine& e) { e.pause(); });
    ann.sql("UPDATE note SET n = 2 WHERE id = 'k1'");
    ann.look();
    w.run_for(Millis{60'000});
    EXPECT_EQ(w.server().rows("note"), Lines{"k1: 'x' 1 NULL"});
    ann.ask([](Engine& e) { e.resume(); });
    EXPECT_TRUE(w.run_until([&] { return ann.unsettled() == 0; }, Millis{10'000})) << w.report();
    EXPECT_EQ(w.server().rows("note"), Lines{"k1: 'x' 2 NULL"});
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Rhythm, M_16_and_P_19_the_app_writes_between_any_two_events_of_a_sync_and_nothing_is_lost) {
    World w{kSeed, {.two_connections = true, .slice_rows = 3}};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    for (int i = 0; i < 20; ++i) ben.sql("INSERT INTO note(id, text, n) VALUES('b" + std::to_string(i) + "', 'x', 0)");
    w.sync(ben);
    w.device("ann");
    ann.start_sync();
    int written = 0;
    EXPECT_TRUE(w.run_until([&] {
        if (ann.sync_ended() || written == 40) return ann.sync_ended();
        ann.sql("INSERT INTO note(id, text, n) VALUES('a" + std::to_string(written) + "', 'x', 1)");
        ++written;
        return false;
    })) << w.report();
    EXPECT_GE(written, 5) << "the sync was over too soon to tell";
    EXPECT_FALSE(ann.sync_problem());
    w.sync(ann);
    EXPECT_EQ(ann.rows("note").size(), 20u + static_cast<unsigned>(written));
    EXPECT_EQ(w.server().rows("note"), ann.rows("note"));
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Rhythm, P_22_suspended_after_any_time_and_resumed_a_first_sync_ends) {
    for (int step = 0; step < 12; ++step) {
        World w{kSeed, {.slice_rows = 3}};
        Device& ann = w.device("ann");
        Device& ben = w.device("ben");
        for (int i = 0; i < 10; ++i) ben.sql("INSERT INTO note(id, text, n) VALUES('b" + std::to_string(i) + "', 'x', 0)");
        w.sync(ben);
        ann.sql("INSERT INTO note(id, text, n) VALUES('a', 'x', 1)");
        ann.start_sync();
        w.run_for(Millis{20 * step});
        ann.ask([](Engine& e) { e.suspended(); });
        w.run_for(Millis{3'600'000});
        ann.ask([](Engine& e) { e.resumed(); });
        EXPECT_TRUE(w.run_until([&] { return ann.sync_ended(); }, Millis{60'000})) << step << w.report();
        EXPECT_FALSE(ann.sync_problem()) << step;
        EXPECT_EQ(ann.rows("note").size(), 11u) << step;
        EXPECT_TRUE(w.finish()) << w.report();
    }
}

}  // namespace
}  // namespace skerry::kit
