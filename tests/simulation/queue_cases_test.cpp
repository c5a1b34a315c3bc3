// Failures that users really met, replayed: what waits to be sent, on lines that break and before servers that refuse.
#include "engine/backoff.hpp"
#include "kit/events/seeds.hpp"
#include "server/outflow/limits.hpp"
#include "simulation/cases.hpp"

namespace skerry::kit {
namespace {

std::int64_t open_drafts(Device& device) {
    const auto count = device.store().sql("SELECT count(*) FROM skerry_draft WHERE state = 1");
    return count ? std::get<std::int64_t>(count->rows.at(0).at(0)) : -1;
}

TEST(Cases, case_A2_a_refused_transaction_is_a_draft_and_stops_nothing) {
    Pair p;
    p.ben.sql(note("taken", "bens", 0));
    p.w.sync(p.ben);
    p.ann.sql(note("taken", "anns", 0));
    p.ann.sql(note("fine", "anns", 1));
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "rejected key_taken");
    EXPECT_EQ(p.ann.verdict(3), "applied");
    EXPECT_EQ(p.ann.verdict(4), "applied");
    EXPECT_EQ(open_drafts(p.ann), 1);
    EXPECT_EQ(p.w.server().rows("note"), (Lines{"fine: 'anns' 1 NULL", "k1: 'x' 6 NULL", "taken: 'bens' 0 NULL"}));
    const std::uint64_t requests = p.w.net().requests_handled();
    p.w.sync(p.ann);
    EXPECT_EQ(p.w.net().requests_handled(), requests + 1) << "it is not sent again unchanged: one pull";
    // Once its cause is gone it can be sent again; the next one is dropped.
    p.ben.sql("DELETE FROM note WHERE id = 'taken'");
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    p.ann.mend_draft(0, Device::Mend::kRetry, 0);
    p.w.sync(p.ann);
    EXPECT_EQ(open_drafts(p.ann), 0);
    p.w.sync(p.ben);
    EXPECT_EQ(p.ben.rows("note"), (Lines{"fine: 'anns' 1 NULL", "k1: 'x' 6 NULL", "taken: 'anns' 0 NULL"}));
    p.ann.sql(note("second", "anns", 0));
    p.ben.sql(note("second", "bens", 0));
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    EXPECT_EQ(open_drafts(p.ann), 1);
    p.ann.mend_draft(0, Device::Mend::kDiscard, 0);
    p.w.sync(p.ann);
    EXPECT_EQ(open_drafts(p.ann), 0);
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Cases, case_A3_a_session_that_ended_keeps_the_queue_until_the_user_is_back) {
    Pair p;
    p.w.scene().allowed_problems.insert(Code::kUnauthorized);
    p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
    p.ann.sql(note("offline", "anns", 1));
    p.ann.use_good_token(false);
    p.ann.set_live(true);
    EXPECT_TRUE(p.w.run_until([&] { return p.ann.status().phase == engine::Phase::kAttention; }, Millis{60'000})) << p.w.report();
    ASSERT_TRUE(p.ann.status().problem);
    EXPECT_EQ(p.ann.status().problem->code, Code::kUnauthorized);
    p.w.run_for(Millis{600'000});
    EXPECT_EQ(p.ann.unsettled(), 2u);
    EXPECT_EQ(p.ann.rows("note"), (Lines{"k1: 'x' 6 NULL", "offline: 'anns' 1 NULL"}));
    p.ann.use_good_token(true);
    EXPECT_TRUE(p.w.run_until([&] { return p.ann.unsettled() == 0; }, engine::kBackoffMax + Millis{10'000})) << p.w.report();
    EXPECT_EQ(p.w.server().rows("note"), p.ann.rows("note"));
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Cases, case_A4_an_answer_that_was_lost_is_given_again_and_nothing_is_done_twice) {
    Pair p;
    p.ben.sql(note("taken", "bens", 0));
    p.w.sync(p.ben);
    p.ann.sql(note("once", "anns", 1));
    p.ann.sql(note("taken", "anns", 2));
    for (int attempt = 0; attempt < 3; ++attempt) {
        p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
        EXPECT_TRUE(p.w.try_sync(p.ann).has_value());
        EXPECT_FALSE(p.w.net().fate_pending());
        p.ann.crash();
        p.ann.restart();
        EXPECT_EQ(p.ann.unsettled(), 2u);
    }
    EXPECT_EQ(p.w.server().rows("note"), (Lines{"k1: 'x' 5 NULL", "once: 'anns' 1 NULL", "taken: 'bens' 0 NULL"}));
    // What others do meanwhile changes nothing of the verdicts.
    p.w.sync(p.ben);
    p.ben.sql("DELETE FROM note WHERE id IN ('once', 'taken')");
    p.w.sync(p.ben);
    p.w.sync(p.ann);
    EXPECT_EQ(p.ann.verdict(2), "applied");
    EXPECT_EQ(p.ann.verdict(3), "rejected key_taken");
    EXPECT_EQ(p.ann.rows("note"), Lines{"k1: 'x' 5 NULL"});
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Cases, case_A8_killed_between_sending_and_the_answer_everything_is_sent_after_the_restart) {
    World w{kSeed};
    Device& ann = w.device("ann");
    w.sync(ann);
    ann.sql(note("sent", "x", 0));
    ann.start_sync();
    ASSERT_TRUE(w.run_until([&] { return w.server().rows("note").size() == 1; })) << w.report();
    ASSERT_FALSE(ann.sync_ended());
    ASSERT_EQ(ann.unsettled(), 1u) << "the answer is on its way";
    ann.crash();
    ann.restart();
    for (int i = 0; i < 50; ++i) ann.sql(note(numbered("new", i), "x", i));
    w.sync(ann);
    EXPECT_EQ(ann.unsettled(), 0u);
    EXPECT_EQ(ann.status().phase, engine::Phase::kIdle);
    EXPECT_EQ(w.server().rows("note").size(), 51u);
    EXPECT_EQ(w.server().rows("note"), ann.rows("note"));
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, case_A9_after_any_partition_everybody_is_equal_again_by_himself) {
    const std::uint64_t seed = sub_seed(kSeed, "partitions", 9);
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    World w{kSeed};
    const std::vector<Device*> all{&w.device("ann"), &w.device("ben"), &w.device("carl")};
    for (Device* device : all) device->set_live(true);
    constexpr Partition kWays[] = {Partition::kNone, Partition::kRequests, Partition::kResponses, Partition::kBoth};
    const auto equal = [&] {
        for (Device* device : all)
            if (device->unsettled() != 0 || device->rows("note") != w.server().rows("note")) return false;
        return true;
    };
    for (int round = 0; round < 12; ++round) {
        for (Device* device : all) w.net().set_partition(device->options().link, kWays[random.u64() % 4]);
        for (int write = 0; write < 4; ++write) {
            Device& device = *all[random.u64() % all.size()];
            device.sql(note(numbered("r", round * 10 + write), device.name(), write));
            device.sql("UPDATE note SET n = n + 1 WHERE id = 'r000'");
            w.run_for(Millis{static_cast<std::int64_t>(random.u64() % 2'500)});
        }
        w.net().heal();
        // Nobody writes, asks or says that the network is back: a dead connection is found by its silence.
        ASSERT_TRUE(w.run_until(equal, engine::kSilenceMax + engine::kBackoffMax + Millis{30'000})) << "round " << round << "\n" << w.report();
    }
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, case_N1_silence_is_taken_for_death_after_two_heartbeats) {
    EXPECT_GT(engine::kSilenceMax, 2 * server::outflow::kHeartbeat) << "one that is late is not the end";
    EXPECT_LT(engine::kSilenceMax + engine::kBackoffFirst, Millis{8'000}) << "eleven seconds after a fault everybody is equal";
}

TEST(Cases, case_A11_a_burst_of_messages_arrives_whole_and_in_the_order_of_each_author) {
    model::Model small;
    small.app = "chat";
    small.entities.push_back(*world_model().find("note"));
    model::complete(small);
    World w{kSeed, {.model = &small}};
    const std::vector<Device*> authors{&w.device("ann"), &w.device("ben")};
    Device& carl = w.device("carl");
    for (Device* device : w.devices()) device->set_live(true);
    constexpr int kEach = 100;
    const auto in_order = [&] {
        for (const char* prefix : {"ann", "ben"}) {
            int seen = 0;
            for (const std::string& line : carl.rows("note"))
                if (line.starts_with(prefix) && !line.starts_with(numbered(prefix, seen++))) return false;
        }
        return true;
    };
    bool ordered = true;
    for (int i = 0; i < kEach; ++i) {
        for (Device* author : authors) {
            const std::string key = numbered(author->name(), i);
            author->sql(note(key, "", i));
            author->sql("UPDATE note SET text = 'words' WHERE id = '" + key + "'");
            author->sql("UPDATE note SET tag = 'sent' WHERE id = '" + key + "'");
        }
        if (i % 10 == 9) w.run_for(Millis{30});
        ordered = ordered && in_order();
    }
    EXPECT_TRUE(w.run_until([&] {
        ordered = ordered && in_order();
        return authors[0]->unsettled() == 0 && authors[1]->unsettled() == 0 && carl.rows("note") == w.server().rows("note");
    }, Millis{120'000})) << w.report();
    EXPECT_TRUE(ordered);
    EXPECT_EQ(carl.rows("note").size(), 2u * kEach);
    for (const std::string& line : carl.rows("note")) EXPECT_TRUE(line.ends_with("'sent'")) << line;
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, case_N3_an_empty_or_foreign_answer_is_no_network_and_never_nothing_there) {
    std::vector<Fate> fates{{.kind = FateKind::kPortal}, {.kind = FateKind::kEmpty}, {.kind = FateKind::kBadGateway}};
    for (const std::uint64_t byte : {0u, 3u, 12u, 30u}) fates.push_back({.kind = FateKind::kTruncate, .at_byte = byte});
    for (const Fate& fate : fates) {
        for (const char* path : {"push", "pull"}) {
            SCOPED_TRACE(std::string(fate_name(fate.kind)) + " " + path + " " + std::to_string(fate.at_byte));
            Pair p;
            for (const Code code : {Code::kForeignAnswer, Code::kTruncated, Code::kServerFailed}) p.w.scene().allowed_problems.insert(code);
            p.ben.sql("UPDATE note SET text = 'y' WHERE id = 'k1'");
            p.w.sync(p.ben);
            p.ann.sql("UPDATE note SET n = 6 WHERE id = 'k1'");
            p.w.net().next_fate(fate, path);
            const auto problem = p.w.try_sync(p.ann);
            ASSERT_FALSE(p.w.net().fate_pending());
            ASSERT_TRUE(problem) << p.w.report();
            EXPECT_TRUE(problem->code == Code::kForeignAnswer || problem->code == Code::kTruncated || problem->code == Code::kServerFailed) << describe(*problem);
            const Lines rows = p.ann.rows("note");
            if (problem->code != Code::kTruncated || std::string_view(path) == "pull") {
                EXPECT_EQ(rows, Lines{"k1: 'x' 6 NULL"});
                EXPECT_EQ(p.ann.unsettled(), 1u);
            } else {
                EXPECT_EQ(rows.size(), 1u) << "its pull may have come after it";
            }
            p.w.sync(p.ann);
            EXPECT_EQ(p.ann.rows("note"), Lines{"k1: 'y' 6 NULL"});
            EXPECT_TRUE(p.w.finish()) << p.w.report();
        }
    }
}

}  // namespace
}  // namespace skerry::kit
