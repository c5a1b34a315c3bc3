// SQLite's promises hold on the crash disk at every crash point, and the settings that are known to
// break them do break. A disk that could not fail would pass the first half.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "crash_disk.hpp"
#include "crash_disk_testing.hpp"

namespace skerry::kit {
namespace {

// The bank: money moves, none is made or lost.
struct Settings {
    const char* journal = "WAL";
    const char* synchronous = "FULL";
    CrashDisk::Options options = {};
    CrashDisk::Syncs syncs = CrashDisk::Syncs::kHonest;
};

constexpr int kTransfers = 10;

// Runs until it is done or the power fails. Gives the number of the last acknowledged transfer, 0
// for the acknowledged setup, -1 for nothing.
int run_bank(const CrashDisk& disk, const Settings& settings) {
    Database db(disk);
    if (db.open_result() != SQLITE_OK) return -1;
    db.exec("PRAGMA page_size = 1024");
    db.exec("PRAGMA cache_size = 6");  // spills, so that the log grows in mid-transaction too
    if (!db.ok(std::string("PRAGMA journal_mode = ") + settings.journal)) return -1;
    db.exec(std::string("PRAGMA synchronous = ") + settings.synchronous);
    db.exec("PRAGMA wal_autocheckpoint = 12");
    if (!db.ok("BEGIN; CREATE TABLE account (id INTEGER PRIMARY KEY, money INTEGER);"
               "CREATE TABLE entry (n INTEGER PRIMARY KEY, note BLOB);"
               "INSERT INTO account SELECT value, 100 FROM json_each('[1,2,3,4,5,6,7,8]');"
               "COMMIT")) {
        return -1;
    }
    for (int n = 1; n <= kTransfers; ++n) {
        const std::string number = std::to_string(n);
        const bool committed =
            db.ok("BEGIN IMMEDIATE") &&
            db.ok("UPDATE account SET money = money - " + number + " WHERE id = 1 + " + number +
                  " % 8") &&
            db.ok("INSERT INTO entry VALUES (" + number + ", randomblob(700))") &&
            db.ok("UPDATE entry SET note = randomblob(900) WHERE n = " + number + " / 2") &&
            db.ok("UPDATE account SET money = money + " + number + " WHERE id = 1 + (" + number +
                  " * 3 + 1) % 8") &&
            db.ok("COMMIT");
        if (!committed) return n - 1;
    }
    return kTransfers;
}

enum class Verdict { kWhole, kLostAcknowledged, kBroken };

Verdict check_bank(const CrashDisk& disk, int acknowledged) {
    Database db(disk);
    if (db.text("PRAGMA integrity_check") != "ok") return Verdict::kBroken;
    const bool set_up = db.text("SELECT count(*) FROM sqlite_schema") == "2";
    if (!set_up) return acknowledged < 0 ? Verdict::kWhole : Verdict::kLostAcknowledged;
    if (db.text("SELECT sum(money) FROM account") != "800") return Verdict::kBroken;
    const int found = std::stoi(db.text("SELECT coalesce(max(n), 0) FROM entry"));
    if (db.text("SELECT count(*) FROM entry") != std::to_string(found)) return Verdict::kBroken;
    if (found > acknowledged + 1) return Verdict::kBroken;
    // Recovered means usable, not only readable.
    if (!db.ok("INSERT INTO entry VALUES (1000, 'after the crash')")) return Verdict::kBroken;
    return found < acknowledged ? Verdict::kLostAcknowledged : Verdict::kWhole;
}

struct Tally {
    uint64_t points = 0;
    uint64_t crashes = 0;
    uint64_t lost = 0;
    uint64_t broken = 0;
    std::map<Loss, uint64_t> lost_by;
    std::string first_failure;
};

// Crashes the bank at every changing call, once per loss and seed.
Tally crash_everywhere(const char* title, const Settings& settings, uint64_t seeds) {
    Tally tally;
    const auto begin = std::chrono::steady_clock::now();
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
        auto counting = make_disk(seed, settings.options);
        EXPECT_EQ(run_bank(*counting, settings), kTransfers);
        const uint64_t calls = counting->changing_calls();
        counting.reset();
        for (uint64_t nth = 1; nth <= calls; ++nth) {
            ++tally.points;
            for (const Loss loss : kAllLosses) {
                auto disk = make_disk(seed, settings.options);
                disk->set_syncs(settings.syncs);
                disk->crash_at(nth);
                const int acknowledged = run_bank(*disk, settings);
                EXPECT_TRUE(disk->is_down());
                disk->restart(loss);
                const Verdict verdict = check_bank(*disk, acknowledged);
                ++tally.crashes;
                if (verdict == Verdict::kWhole) continue;
                if (verdict == Verdict::kBroken) ++tally.broken;
                if (verdict == Verdict::kLostAcknowledged) ++tally.lost, ++tally.lost_by[loss];
                if (tally.first_failure.empty()) {
                    tally.first_failure = "seed " + std::to_string(seed) + ", call " +
                                          std::to_string(nth) + ", " + std::string(to_string(loss));
                }
            }
        }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf("[ crashes  ] %-28s %5llu points %6llu crashes %6.0f/s  lost %llu  broken %llu\n",
                title, static_cast<unsigned long long>(tally.points),
                static_cast<unsigned long long>(tally.crashes),
                static_cast<double>(tally.crashes) / took.count(),
                static_cast<unsigned long long>(tally.lost),
                static_cast<unsigned long long>(tally.broken));
    return tally;
}

void expect_whole(const Tally& tally) {
    EXPECT_EQ(tally.lost, 0U) << tally.first_failure;
    EXPECT_EQ(tally.broken, 0U) << tally.first_failure;
    EXPECT_GT(tally.points, 100U);
}

TEST(CrashDiskBank, WalFullKeepsEveryAcknowledgedTransfer) {
    expect_whole(crash_everywhere("WAL FULL", {}, 2));
}

TEST(CrashDiskBank, WalFullWithPowersafeOverwrite) {
    expect_whole(crash_everywhere("WAL FULL psow", {.options = {.powersafe_overwrite = true}}, 1));
}

TEST(CrashDiskBank, RollbackJournalsKeepEveryAcknowledgedTransfer) {
    expect_whole(crash_everywhere("TRUNCATE FULL", {.journal = "TRUNCATE"}, 1));
    expect_whole(crash_everywhere("PERSIST FULL", {.journal = "PERSIST"}, 1));
    expect_whole(
        crash_everywhere("DELETE EXTRA", {.journal = "DELETE", .synchronous = "EXTRA"}, 1));
}

// The removal of the journal is the commit, and FULL does not sync the directory: until the next
// sync of any file the journal may come back and undo an acknowledged transfer. SQLite documents
// EXTRA for exactly this.
TEST(CrashDiskBank, ControlDeleteFullMayUndoTheLastTransfer) {
    const Tally tally = crash_everywhere("DELETE FULL", {.journal = "DELETE"}, 1);
    EXPECT_GT(tally.lost, 0U);
    EXPECT_EQ(tally.broken, 0U) << tally.first_failure;
    EXPECT_EQ(tally.lost_by.count(Loss::kKill), 0U);
    EXPECT_EQ(tally.lost_by.count(Loss::kPowerAll), 0U);
}

TEST(CrashDiskBank, LateUnlinksAreHarmlessWhereTheHostSyncsDirectories) {
    const CrashDisk::Options on_directory_sync{.unlink = CrashDisk::Unlink::kDirectorySync};
    expect_whole(crash_everywhere("WAL FULL late unlink", {.options = on_directory_sync}, 1));
    const CrashDisk::Options on_delete_sync{.unlink = CrashDisk::Unlink::kDeleteSync};
    expect_whole(crash_everywhere(
        "DELETE EXTRA late unlink",
        {.journal = "DELETE", .synchronous = "EXTRA", .options = on_delete_sync}, 1));
}

// F2: turning WAL on writes one page under a rollback journal and removes it. If no directory is
// ever synced, that journal comes back and takes along all that was committed since: SQLite rolls
// back to the empty file, then drops the WAL of an empty database.
TEST(CrashDiskBank, ControlStaleJournalAfterTheSwitchToWal) {
    const CrashDisk::Options hostile{.unlink = CrashDisk::Unlink::kDeleteSync};
    const Tally tally = crash_everywhere("WAL FULL no directory sync", {.options = hostile}, 1);
    EXPECT_GT(tally.lost, 0U);
    EXPECT_EQ(tally.broken, 0U) << tally.first_failure;
}

TEST(CrashDiskBank, ControlWalNormalLosesAcknowledgedTransfersAndNothingElse) {
    const Tally tally = crash_everywhere("WAL NORMAL", {.synchronous = "NORMAL"}, 1);
    EXPECT_GT(tally.lost, 0U);
    EXPECT_EQ(tally.broken, 0U) << tally.first_failure;
    EXPECT_EQ(tally.lost_by.count(Loss::kKill), 0U);
    EXPECT_EQ(tally.lost_by.count(Loss::kKillTorn), 0U);
    EXPECT_EQ(tally.lost_by.count(Loss::kPowerAll), 0U);
}

TEST(CrashDiskBank, ControlNoSyncsBreakTheDatabase) {
    EXPECT_GT(crash_everywhere("WAL OFF", {.synchronous = "OFF"}, 1).broken, 0U);
    EXPECT_GT(crash_everywhere("WAL FULL lying", {.syncs = CrashDisk::Syncs::kLying}, 1).broken,
              0U);
}

// Power fails again while SQLite is recovering from the first failure, at every call of that.
TEST(CrashDiskBank, CrashesDuringRecoveryLoseNothingEither) {
    uint64_t crashes = 0;
    for (const Settings& settings :
         {Settings{}, Settings{.journal = "DELETE", .synchronous = "EXTRA"}}) {
        for (uint64_t nth = 20; nth < 200; nth += 3) {
            for (uint64_t second = 1;; ++second) {
                auto disk = make_disk(nth);
                disk->crash_at(nth);
                const int acknowledged = run_bank(*disk, settings);
                disk->restart(Loss::kPowerTorn);
                disk->crash_at(second);
                Database(*disk).text("PRAGMA wal_checkpoint(TRUNCATE)");
                const bool recovered = !disk->is_down();
                disk->restart(Loss::kPowerTorn);
                ASSERT_EQ(check_bank(*disk, acknowledged), Verdict::kWhole)
                    << settings.journal << ", call " << nth << ", then " << second;
                ++crashes;
                if (recovered) break;
            }
        }
    }
    std::printf("[ crashes  ] during recovery: %llu\n", static_cast<unsigned long long>(crashes));
    EXPECT_GT(crashes, 500U);
}

TEST(CrashDiskBank, SameSeedSameBytes) {
    const auto run = [](uint64_t seed, Loss loss) {
        auto disk = make_disk(seed);
        disk->crash_at(70);
        run_bank(*disk, {});
        disk->restart(loss);
        return disk->fingerprint();
    };
    for (const Loss loss : kAllLosses) {
        EXPECT_EQ(run(5, loss), run(5, loss)) << to_string(loss);
        EXPECT_NE(run(5, loss), run(6, loss)) << to_string(loss);
    }
}

}  // namespace
}  // namespace skerry::kit
