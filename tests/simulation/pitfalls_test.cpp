// Known pitfalls of sync, one counter-example each, end to end: devices, server and network.
#include <gtest/gtest.h>

#include "kit/world/world.hpp"

namespace skerry::kit {
namespace {

using Lines = std::vector<std::string>;

constexpr std::uint64_t kSeed = 11;

// A world in which ann and ben both hold note k1 = ('x', 5, NULL), settled.
struct Pair {
    World w{kSeed};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    Pair() {
        ann.sql("INSERT INTO note(id, text, n) VALUES('k1', 'x', 5)");
        w.sync(ann);
        w.sync(ben);
    }
};

TEST(Kit, a_row_travels_from_ann_to_ben) {
    Pair p;
    EXPECT_EQ(p.ann.verdict(1), "applied");
    EXPECT_EQ(p.ben.rows("note"), (Lines{"k1: 'x' 5 NULL"}));
    EXPECT_EQ(p.w.server().rows("note"), (Lines{"k1: 'x' 5 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Kit, G_3_a_commit_that_returned_survives_any_loss_and_is_still_pending) {
    for (const Loss loss : kAllLosses) {
        SCOPED_TRACE(static_cast<int>(loss));
        Pair p;
        p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
        p.ann.crash(loss);
        p.ann.restart();
        EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 6 NULL"}));
        EXPECT_EQ(p.ann.unsettled(), 1u);
        p.w.sync(p.ann);
        EXPECT_EQ(p.w.server().rows("note"), (Lines{"k1: 'x' 6 NULL"}));
        EXPECT_TRUE(p.w.finish()) << p.w.report();
    }
}

TEST(Kit, X_4_a_device_reads_its_own_writes_and_never_goes_back) {
    Pair p;
    const auto n = [&] { return p.ann.rows("note"); };
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    EXPECT_EQ(n(), (Lines{"k1: 'x' 6 NULL"}));
    // Sent, its verdict lost; somebody else's change of another attribute arrives meanwhile, and the device restarts.
    p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
    EXPECT_TRUE(p.w.try_sync(p.ann).has_value());
    EXPECT_EQ(n(), (Lines{"k1: 'x' 6 NULL"}));
    p.ben.sql("UPDATE note SET text = 'y' WHERE id = 'k1'");
    p.w.sync(p.ben);
    p.ann.crash();
    p.ann.restart();
    EXPECT_EQ(n(), (Lines{"k1: 'x' 6 NULL"}));
    p.w.sync(p.ann);
    EXPECT_EQ(n(), (Lines{"k1: 'y' 6 NULL"}));
    p.ann.crash(Loss::kPowerNothing);
    p.ann.restart();
    EXPECT_EQ(n(), (Lines{"k1: 'y' 6 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 2: a change that is settled is not applied once more on top of its own effect.
TEST(Pitfall, pitfall_2_settled_changes_leave_the_overlay) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.w.sync(p.ann);
    p.w.sync(p.ben);
    p.ben.sql("UPDATE note SET n = 9 WHERE id = 'k1'");
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.unsettled(), 0u);
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 9 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 3: the reply to the push is lost, so the pull brings the effect; the verdict comes with it.
TEST(Pitfall, pitfall_3_effect_and_verdict_arrive_together) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
    EXPECT_TRUE(p.w.try_sync(p.ann).has_value());
    EXPECT_EQ(p.ann.verdict(2), "");
    EXPECT_EQ(p.w.server().rows("note"), (Lines{"k1: 'x' 6 NULL"}));
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "applied");
    EXPECT_EQ(p.ann.unsettled(), 0u);
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 6 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 4: a transaction that changes nothing on the server has an outcome like any other.
TEST(Pitfall, pitfall_4_what_changes_nothing_settles_too) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.ben.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.w.sync(p.ann);
    p.w.sync(p.ben);
    EXPECT_EQ(p.ben.verdict(1), "applied");
    EXPECT_EQ(p.ben.unsettled(), 0u);
    p.ben.sql("DELETE FROM note WHERE id = 'k1'");
    p.ann.sql("DELETE FROM note WHERE id = 'k1'");
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(3), "applied");
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 9: OR REPLACE in the app's statement must not replace the saved pre-image: the rejection restores the server's row.
TEST(Pitfall, pitfall_9_outer_conflict_clause_leaves_the_base_alone) {
    Pair p;
    p.ben.sql("INSERT INTO note(id, text) VALUES('taken', 'bens')");
    p.w.sync(p.ben);
    const auto done = p.ann.transaction([](store::Store& s) -> Result<void> {
        for (const char* sql : {"INSERT OR REPLACE INTO note(id, text, n) VALUES('k1', 'edited', 1)",
                                "UPDATE OR REPLACE note SET text = 'edited twice' WHERE id = 'k1'",
                                "INSERT INTO note(id, text) VALUES('taken', 'anns')"})
            if (auto said = s.sql(sql); !said) return fail(std::move(said.error()));
        return {};
    });
    ASSERT_TRUE(done) << describe(done.error());
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "rejected key_taken");
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 5 NULL", "taken: 'bens' NULL NULL"}));
    EXPECT_EQ(p.ann.drafts(), 1u);
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 10: REPLACE by a program that fires no delete triggers, on either side.
TEST(Pitfall, pitfall_10_replace_by_other_programs_is_seen) {
    Pair p;
    ASSERT_TRUE(p.ann.foreign({std::string("REPLACE INTO note(id, text) VALUES('k1', 'replaced')")}, false));
    p.ann.look();
    p.w.sync(p.ann);
    p.w.sync(p.ben);
    EXPECT_EQ(p.ben.rows("note"), (Lines{"k1: 'replaced' NULL NULL"}));
    p.w.server().sql({"REPLACE INTO note(id, n) VALUES('k1', 77)"});
    p.w.sync_all();
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: NULL 77 NULL"}));
    EXPECT_EQ(p.ben.rows("note"), (Lines{"k1: NULL 77 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 12: the author's second edit is compared with what his first one left, not with what others hold.
TEST(Pitfall, pitfall_12_nobody_conflicts_with_himself) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.ann.sql("UPDATE note SET n = 7 WHERE id = 'k1'");
    p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
    static_cast<void>(p.w.try_sync(p.ann));
    p.ann.sql("UPDATE note SET n = 8 WHERE id = 'k1'");
    p.w.sync(p.ann);
    for (const std::uint64_t no : {2u, 3u, 4u}) EXPECT_EQ(p.ann.verdict(no), "applied") << no;
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 14, 15: what builds on a rejected creation is rejected into its group, the rest is not; every number is judged.
TEST(Pitfall, pitfall_14_15_rejections_take_along_what_builds_on_them_and_no_more) {
    Pair p;
    p.ben.sql("INSERT INTO note(id, text) VALUES('taken', 'bens')");
    p.w.sync(p.ben);
    const auto creates = p.ann.transaction([](store::Store& s) -> Result<void> {
        if (auto said = s.sql("INSERT INTO note(id) VALUES('taken')"); !said) return fail(std::move(said.error()));
        if (auto said = s.sql("INSERT INTO note(id) VALUES('mine')"); !said) return fail(std::move(said.error()));
        if (auto said = s.sql("UPDATE note SET n = 1 WHERE id = 'k1'"); !said) return fail(std::move(said.error()));
        return {};
    });
    ASSERT_TRUE(creates);
    p.ann.sql("UPDATE note SET text = 'on a rejected row' WHERE id = 'mine'");
    p.ann.sql("UPDATE note SET n = 2 WHERE id = 'k1'");
    p.ann.sql("UPDATE note SET tag = 'fine' WHERE id = 'k1'");
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "rejected key_taken");
    EXPECT_EQ(p.ann.verdict(3), "rejected dependency");
    EXPECT_EQ(p.ann.verdict(4), "rejected dependency");
    EXPECT_EQ(p.ann.verdict(5), "applied");
    EXPECT_EQ(p.ann.drafts(), 3u);
    p.ann.sql("UPDATE note SET n = 3 WHERE id = 'k1'");
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(6), "applied");
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 3 'fine'", "taken: 'bens' NULL NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 22: what other programs committed is one transaction, never part of the app's next one.
TEST(Pitfall, pitfall_22_other_programs_writes_are_a_transaction_of_their_own) {
    Pair p;
    ASSERT_TRUE(p.ann.foreign(std::vector<std::string>{"UPDATE note SET n = 1 WHERE id = 'k1'", "INSERT INTO note(id) VALUES('f1')", "INSERT INTO note(id) VALUES('f2')"}));
    p.ann.sql("INSERT INTO note(id) VALUES('mine')");
    EXPECT_EQ(p.ann.last_no(), 3u);  // 1 from the beginning, 2 the others', 3 the app's
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "applied");
    EXPECT_EQ(p.ann.verdict(3), "applied");
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 24: what was rejected in the backup is settled on the device; what built on it is judged again as what it is, whether the device
// comes with something new (the server finds the gap) or with nothing (the device finds it).
TEST(Pitfall, pitfall_24_what_is_sent_again_to_a_restored_server_still_builds_on_what_was_rejected) {
    for (const bool something_new : {true, false}) {
        SCOPED_TRACE(something_new);
        Pair p;
        p.ben.sql("INSERT INTO note(id) VALUES('k2')");
        p.w.sync(p.ben);
        p.ann.sql("INSERT INTO note(id) VALUES('k2')");
        p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
        EXPECT_TRUE(p.w.try_sync(p.ann).has_value());
        const auto backup = p.w.server().back_up();
        p.ann.sql("UPDATE note SET n = 7 WHERE id = 'k2'");
        p.w.sync(p.ann);
        EXPECT_EQ(p.ann.verdict(2), "rejected key_taken");
        EXPECT_EQ(p.ann.verdict(3), "rejected dependency");
        p.w.server().restore(*backup);
        if (something_new) p.ann.sql("INSERT INTO note(id) VALUES('new')");
        p.w.sync(p.ann);
        EXPECT_EQ(p.w.server().rows("note").front(), "k1: 'x' 5 NULL");
        EXPECT_TRUE(p.w.finish()) << p.w.report();
    }
}

// 24: a device was off, with a verdict on its disk, while the server that gave it was replaced by its backup.
TEST(Pitfall, pitfall_24_a_verdict_of_a_lost_server_is_kept_and_its_transaction_judged_again) {
    Pair p;
    const auto backup = p.w.server().back_up();
    p.ann.sql("UPDATE note SET n = 7 WHERE id = 'k1'");
    p.w.sync(p.ann);
    p.ann.crash();
    p.w.server().restore(*backup);
    p.ann.restart();
    p.w.sync_all();
    EXPECT_EQ(p.w.server().rows("note"), (Lines{"k1: 'x' 7 NULL"}));
    EXPECT_EQ(p.ben.rows("note"), (Lines{"k1: 'x' 7 NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 25 (b): a restored phone sends again what was confirmed long ago: nothing is applied twice.
TEST(Pitfall, pitfall_25_case_E2_a_restored_device_sends_nothing_twice) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.ann.sql("INSERT INTO note(id) VALUES('before')");
    const auto backup = p.ann.copy();
    p.w.sync(p.ann);
    p.ann.sql("INSERT INTO note(id) VALUES('after')");
    p.w.sync(p.ann);
    p.ben.sql("UPDATE note SET n = 60 WHERE id = 'k1'");
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    p.ann.crash();
    p.ann.become(*backup);
    p.ann.start();
    p.ann.sql("INSERT INTO note(id) VALUES('other life')");  // the number of 'after', with another id
    p.w.sync_all();
    EXPECT_EQ(p.ann.rows("note"), (Lines{"after: NULL NULL NULL", "before: NULL NULL NULL", "k1: 'x' 60 NULL", "other life: NULL NULL NULL"}));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 25: of two devices with one file the later one takes a new identity, and only what the server does not know moves.
TEST(Pitfall, pitfall_25_case_E1_a_clone_takes_a_new_identity) {
    Pair p;
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    Device& twin = p.w.clone(p.ann, "twin");
    p.ann.sql("INSERT INTO note(id) VALUES('anns')");
    twin.sql("INSERT INTO note(id) VALUES('twins')");
    p.w.sync(p.ann);
    p.w.sync_all();
    EXPECT_NE(*twin.store().meta().device(), *p.ann.store().meta().device());
    EXPECT_EQ(twin.rows("note"), (Lines{"anns: NULL NULL NULL", "k1: 'x' 6 NULL", "twins: NULL NULL NULL"}));
    EXPECT_EQ(p.ann.rows("note"), twin.rows("note"));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// 25: a copy made of a restored device before it found out: what both carry moves, and is applied once.
TEST(Pitfall, pitfall_25_a_clone_of_a_restored_device_sends_nothing_twice) {
    Pair p;
    const auto backup = p.ann.copy();
    p.ann.sql("INSERT INTO note(id) VALUES('lost in the restore')");
    p.w.sync(p.ann);
    p.ann.crash();
    p.ann.become(*backup);
    p.ann.start();
    p.ann.sql("INSERT INTO note(id) VALUES('in both')");
    Device& twin = p.w.clone(p.ann, "twin");
    twin.sql("INSERT INTO note(id) VALUES('twins')");
    p.ann.sql("INSERT INTO note(id) VALUES('anns')");
    p.w.sync_all();
    EXPECT_EQ(p.w.server().rows("note").size(), 5u);
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// A cut at any byte of an answer costs a request, nothing else.
TEST(Network, an_answer_cut_at_any_byte_is_asked_for_again) {
    for (std::uint64_t byte = 0; byte < 400; byte += 7) {
        for (const char* path : {"push", "pull", "enroll"}) {
            World w(byte);
            Device& ann = w.device("ann");
            w.server().sql({"INSERT INTO note(id, text) VALUES('s', 'from the server')"});
            ann.sql("INSERT INTO note(id, text) VALUES('a', 'from ann')");
            w.net().cut_next_response_at(byte, path);
            static_cast<void>(w.try_sync(ann));
            ASSERT_TRUE(w.finish()) << "cut " << path << " at " << byte << "\n" << w.report();
        }
    }
}

// Live: what one writes the other sees, without being asked.
TEST(Live, changes_arrive_by_themselves) {
    Pair p;
    p.ann.set_live(true);
    p.ben.set_live(true);
    p.w.run_for(Millis{1'000});
    p.ann.sql("UPDATE note SET text = 'live' WHERE id = 'k1'");
    EXPECT_TRUE(p.w.run_until([&] { return p.ben.rows("note") == Lines{"k1: 'live' 5 NULL"}; }, Millis{5'000})) << p.w.report();
    p.w.server().sql({"UPDATE note SET n = 99 WHERE id = 'k1'"});
    EXPECT_TRUE(p.w.run_until([&] { return p.ben.rows("note") == Lines{"k1: 'live' 99 NULL"}; }, Millis{5'000})) << p.w.report();
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

// A half-open connection is noticed by its silence.
TEST(Live, silence_is_noticed_and_the_device_comes_back) {
    Pair p;
    p.w.net().next_fate({.kind = FateKind::kSilence, .at_byte = 0}, "pull");
    p.ann.set_live(true);
    p.w.run_for(Millis{60'000});
    p.ben.sql("UPDATE note SET n = 7 WHERE id = 'k1'");
    p.w.sync(p.ben);
    EXPECT_TRUE(p.w.run_until([&] { return p.ann.rows("note") == Lines{"k1: 'x' 7 NULL"}; }, Millis{60'000})) << p.w.report();
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

}  // namespace
}  // namespace skerry::kit
