// Every crash point of short scenarios: the disk stops at its 1st, 2nd, … last changing call, comes back with
// what a kill or a power loss leaves, and the scenario goes on. Nothing acknowledged may be lost, nothing may
// happen twice, and everybody must agree at the end.
#include <gtest/gtest.h>

#include "kit/world/world.hpp"

namespace skerry::kit {
namespace {

constexpr Loss kLosses[] = {Loss::kKill, Loss::kPowerNothing, Loss::kPowerPrefix, Loss::kPowerTorn};
constexpr std::uint64_t kSeed = 31;

// Of how many calls one is tried with each loss, another one for each. A world under a sanitizer takes ten times as long.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kStep = 8;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::uint64_t kStep = 8;
#else
constexpr std::uint64_t kStep = 1;
#endif
#else
constexpr std::uint64_t kStep = 1;
#endif

enum class Victim { kDevice, kServer };

// A part of the world's model: every death is a world, and most of a world's time goes into making its tables.
const model::Model& small_model() {
    static const model::Model model = [] {
        model::Model m;
        m.app = "crash";
        for (const char* name : {"note", "grp", "total", "card"}) m.entities.push_back(*world_model().find(name));
        model::complete(m);
        return m;
    }();
    return model;
}

// A scenario's world. Steps tolerate that somebody has just died: revive() brings everybody back, as a person would.
struct Stage {
    World w{kSeed, {.model = &small_model(), .slice_rows = 40}};

    Device& ann() { return w.device("ann"); }
    Device& ben() { return w.device("ben"); }

    void revive() {
        if (!w.server().is_up()) w.server().restart();
        for (Device* device : w.devices())
            if (!device->is_up()) device->restart();
    }
    void say(Device& device, const char* sql) {
        static_cast<void>(device.transaction([&](store::Store& s) -> Result<void> {
            auto said = s.sql(sql);
            if (!said && said.error().code != Code::kConstraint) return fail(std::move(said.error()));
            return {};
        }));
        revive();
    }
    void say_all(Device& device, const std::vector<std::string>& statements) {
        static_cast<void>(device.transaction([&](store::Store& s) -> Result<void> {
            for (const std::string& sql : statements) {
                auto said = s.sql(sql);
                if (!said && said.error().code != Code::kConstraint) return fail(std::move(said.error()));
            }
            return {};
        }));
        revive();
    }
    void sync(Device& device) {
        static_cast<void>(w.try_sync(device));
        revive();
    }
};

struct Scenario {
    const char* name;
    std::function<void(Stage&)> prepare;  // nobody dies here
    std::function<void(Stage&)> act;
};

const Scenario kOffline{
    "transactions made offline, then a sync",
    [](Stage& s) {
        s.say(s.ann(), "INSERT INTO note(id, text, n) VALUES('k1', 'x', 1)");
        s.sync(s.ann());
    },
    [](Stage& s) {
        s.say(s.ann(), "UPDATE note SET n = 2 WHERE id = 'k1'");
        s.say_all(s.ann(), {"INSERT INTO grp(id, g, n, k) VALUES('a', 'g', 2, 0)", "INSERT INTO grp(id, g, n, k) VALUES('b', 'g', 2, 1)",
                            "INSERT INTO total(id, n) VALUES('g', 2)"});
        static_cast<void>(s.ann().foreign(std::vector<std::string>{"UPDATE note SET text = 'other' WHERE id = 'k1'", "REPLACE INTO note(id) VALUES('k2')"}));
        s.revive();
        s.say(s.ann(), "DELETE FROM note WHERE id = 'k2'");
        s.sync(s.ann());
        s.sync(s.ann());
    }};

const Scenario kFirstSync{
    "a first sync by slices",
    [](Stage& s) {
        std::string sql = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200) "
                          "INSERT INTO note(id, text, n) SELECT printf('k%04d', i), 'row ' || i, i FROM c";
        s.w.server().sql({sql});
        static_cast<void>(s.ann());
    },
    [](Stage& s) {
        s.sync(s.ann());
        s.say(s.ann(), "UPDATE note SET n = 0 WHERE id < 'k0005'");
        s.sync(s.ann());
    }};

const Scenario kVerdicts{
    "a rejected and a conflicting transaction beside another device, live",
    [](Stage& s) {
        s.say_all(s.ben(), {"INSERT INTO note(id, n) VALUES('k1', 1)", "INSERT INTO note(id, n) VALUES('k2', 1)"});
        s.sync(s.ben());
        s.sync(s.ann());
    },
    [](Stage& s) {
        s.ann().set_live(true);
        s.w.run_for(Millis{300});
        s.revive();
        s.w.net().set_partition(s.ann().options().link, Partition::kBoth);
        s.say_all(s.ann(), {"INSERT INTO note(id, text) VALUES('taken', 'anns')", "UPDATE note SET n = 5 WHERE id = 'k1'"});
        s.say(s.ann(), "UPDATE note SET n = 6 WHERE id = 'k1'");
        s.say(s.ann(), "UPDATE note SET text = 'gone?' WHERE id = 'k2'");
        s.say_all(s.ben(), {"INSERT INTO note(id, text) VALUES('taken', 'bens')", "DELETE FROM note WHERE id = 'k2'"});
        s.sync(s.ben());
        s.w.net().set_partition(s.ann().options().link, Partition::kNone);
        s.ann().network_available();
        s.w.run_for(Millis{20'000});
        s.revive();
        s.w.run_for(Millis{5'000});
        s.revive();
    }};

const Scenario kIdentity{
    "a clone takes a new identity, over chains of delete and create",
    [](Stage& s) {
        s.say(s.ben(), "INSERT INTO note(id, n) VALUES('k1', 1)");
        s.sync(s.ben());
        s.say(s.ben(), "DELETE FROM note WHERE id = 'k1'");
        static_cast<void>(s.w.clone(s.ben(), "ann"));
        s.say(s.ben(), "INSERT INTO note(id, n) VALUES('k1', 2)");
        s.sync(s.ben());
    },
    [](Stage& s) {
        s.say(s.ann(), "INSERT INTO note(id, n) VALUES('k1', 3)");
        s.say(s.ann(), "INSERT INTO note(id, n) VALUES('anns', 4)");
        s.say(s.ann(), "UPDATE note SET n = 5 WHERE id = 'anns'");
        s.sync(s.ann());
        s.sync(s.ann());
    }};

const Scenario kDecisions{
    "a conflict decided and a draft mended",
    [](Stage& s) {
        s.say(s.ben(), "INSERT INTO card(id, who, visits) VALUES('c', 'p', 5)");
        s.say(s.ben(), "INSERT INTO note(id, text) VALUES('taken', 'bens')");
        s.sync(s.ben());
        s.say(s.ann(), "UPDATE note SET n = 1");
        s.say(s.ann(), "INSERT INTO note(id, text) VALUES('taken', 'anns')");
        s.sync(s.ann());
        s.say(s.ben(), "UPDATE card SET who = 'bens', visits = 6 WHERE id = 'c'");
        s.say(s.ann(), "UPDATE card SET who = 'anns', visits = 7 WHERE id = 'c'");
        s.sync(s.ben());
        s.sync(s.ann());
    },
    [](Stage& s) {
        s.ann().resolve(0, Choice::kMine, 0);
        s.revive();
        s.ann().mend_draft(0, Device::Mend::kEdit, 1);
        s.revive();
        s.sync(s.ann());
        s.ann().mend_draft(0, Device::Mend::kDiscard, 1);
        s.revive();
        s.sync(s.ann());
    }};

CrashDisk& disk_of(Stage& stage, Victim victim) { return victim == Victim::kServer ? stage.w.server().disk() : stage.ann().disk(); }

void every_crash_point(const Scenario& scenario, Victim victim) {
    std::uint64_t points = 0;
    {
        Stage dry;
        scenario.prepare(dry);
        const std::uint64_t before = disk_of(dry, victim).changing_calls();
        scenario.act(dry);
        points = disk_of(dry, victim).changing_calls() - before;
        ASSERT_TRUE(dry.w.finish()) << scenario.name << "\n" << dry.w.report();
    }
    ASSERT_GT(points, 0u);
    std::uint64_t deaths = 0;
    for (std::uint64_t n = 1; n <= points; ++n) {
        for (const Loss loss : kLosses) {
            if ((n + static_cast<std::uint64_t>(loss)) % kStep != 0) continue;
            Stage stage;
            scenario.prepare(stage);
            if (victim == Victim::kServer) {
                stage.w.server().crash_at(n, loss);
            } else {
                stage.ann().crash_at(n, loss);
            }
            scenario.act(stage);
            deaths += stage.w.scene().trace.marks().contains(victim == Victim::kServer ? "server.down" : "device.down") ? 1 : 0;
            ASSERT_TRUE(stage.w.finish()) << scenario.name << ": " << (victim == Victim::kServer ? "server" : "device") << " dies at call "
                                          << n << " of " << points << ", " << to_string(loss) << "\n" << stage.w.report();
        }
    }
    std::printf("%s: %s dies at 1 in %llu of %llu calls, %zu losses, %llu deaths\n", scenario.name, victim == Victim::kServer ? "server" : "device",
                static_cast<unsigned long long>(kStep), static_cast<unsigned long long>(points), std::size(kLosses), static_cast<unsigned long long>(deaths));
}

TEST(CrashPoints, offline_device) { every_crash_point(kOffline, Victim::kDevice); }
TEST(CrashPoints, offline_server) { every_crash_point(kOffline, Victim::kServer); }
TEST(CrashPoints, first_sync_device) { every_crash_point(kFirstSync, Victim::kDevice); }
TEST(CrashPoints, first_sync_server) { every_crash_point(kFirstSync, Victim::kServer); }
TEST(CrashPoints, verdicts_device) { every_crash_point(kVerdicts, Victim::kDevice); }
TEST(CrashPoints, case_B12_verdicts_server) { every_crash_point(kVerdicts, Victim::kServer); }
TEST(CrashPoints, identity_device) { every_crash_point(kIdentity, Victim::kDevice); }
TEST(CrashPoints, identity_server) { every_crash_point(kIdentity, Victim::kServer); }
TEST(CrashPoints, decisions_device) { every_crash_point(kDecisions, Victim::kDevice); }
TEST(CrashPoints, decisions_server) { every_crash_point(kDecisions, Victim::kServer); }

}  // namespace
}  // namespace skerry::kit
