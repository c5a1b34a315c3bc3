// A commit that was refused stays refused, whatever a crash then brings back from the write-ahead log.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crash_disk.hpp"
#include "sqlite/database.hpp"

namespace skerry::kit {
namespace {

using sqlite::Transaction;

struct RefusedCommit : testing::TestWithParam<Loss> {
    static sqlite::Database open(const CrashDisk& disk) {
        auto db = sqlite::Database::open("/data/app.db", {.vfs = disk.vfs_name()});
        EXPECT_TRUE(db);
        EXPECT_TRUE(db->exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0"));
        return std::move(*db);
    }
    static Result<void> insert(sqlite::Database& db, int first) {
        auto txn = Transaction::begin_write(db);
        if (!txn) return fail(std::move(txn.error()));
        // Some pages, so that a part of them can have been written.
        for (int i = 0; i < 3; ++i) SKERRY_TRY(db.exec("INSERT INTO t VALUES(" + std::to_string(first + i) + ", zeroblob(3000))"));
        return txn->commit();
    }
    // True if the commit was refused.
    static bool round(std::uint64_t seed, bool powersafe, const std::function<void(CrashDisk&)>& prepare, const std::function<void(CrashDisk&)>& after) {
        CrashDisk disk("sim-refused", seed, [] { return std::int64_t{1'750'000'000'000}; }, {.powersafe_overwrite = powersafe});
        disk.seed_sqlite_randomness();
        Result<void> second;
        {
            sqlite::Database db = open(disk);
            EXPECT_TRUE(db.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, b); PRAGMA user_version = 7"));
            EXPECT_TRUE(insert(db, 1));
            prepare(disk);
            second = insert(db, 11);
            if (!second) {
                EXPECT_EQ(*db.integer("SELECT count(*) FROM t"), 3);
            }
            after(disk);
            // What syncs the log for reasons of its own.
            if (seed % 2 == 1) static_cast<void>(db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
            disk.crash_now();
        }
        disk.restart(GetParam());
        sqlite::Database db = open(disk);
        EXPECT_EQ(*db.integer("SELECT count(*) FROM t"), second ? 6 : 3) << "seed " << seed;
        EXPECT_EQ(*db.integer("PRAGMA user_version"), 7);
        EXPECT_EQ(*db.integer("SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0) << "seed " << seed;
        return !second;
    }
};

TEST_P(RefusedCommit, seed_4010050c_does_not_come_back_after_a_full_disk) {
    int refused = 0;
    bool last_fitted = false;
    for (std::uint64_t room = 0; !last_fitted; room += 1031) {
        for (const bool powersafe : {false, true}) {
            const bool was_refused = round(room, powersafe, [&](CrashDisk& disk) { disk.set_capacity(disk.total_bytes() + room); }, [](CrashDisk&) {});
            refused += was_refused ? 1 : 0;
            last_fitted = !was_refused;
        }
    }
    EXPECT_GT(refused, 10);
}

TEST_P(RefusedCommit, does_not_come_back_after_a_sync_that_failed) {
    for (std::uint64_t seed = 0; seed < 4; ++seed)
        for (const bool powersafe : {false, true})
            EXPECT_TRUE(round(seed, powersafe, [](CrashDisk& disk) { disk.inject({Fault::kSyncError}); }, [](CrashDisk& disk) { disk.clear_faults(); }));
}

INSTANTIATE_TEST_SUITE_P(AnyLoss, RefusedCommit, testing::ValuesIn(kAllLosses), [](const auto& one) {
    std::string name(to_string(one.param));
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

}  // namespace
}  // namespace skerry::kit
