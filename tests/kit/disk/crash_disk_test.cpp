// The crash disk in detail: what each loss keeps, locks between connections, files, faults. The
// exhaustive crashes are in crash_disk_bank_test.cpp.

#include "crash_disk.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <cstdio>
#include <string>
#include <vector>

#include "crash_disk_testing.hpp"

namespace skerry::kit {
namespace {

// --- Crashes in detail -----------------------------------------------------------------------

TEST(CrashDisk, KillKeepsEverythingWritten) {
    auto disk = make_disk(1);
    {
        Database db(*disk);
        ASSERT_TRUE(
            db.ok("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; "
                  "CREATE TABLE t (x); INSERT INTO t VALUES (1)"));
        EXPECT_GT(disk->pending_changes(), 0U);
        disk->crash_now();
        EXPECT_EQ(db.exec("INSERT INTO t VALUES (2)"), SQLITE_IOERR);
    }
    const uint64_t before = disk->fingerprint();
    disk->restart(Loss::kKill);
    EXPECT_EQ(disk->fingerprint(), before);
    EXPECT_GT(disk->pending_changes(), 0U) << "a kill makes nothing durable";
    EXPECT_EQ(Database(*disk).text("SELECT group_concat(x) FROM t"), "1");
}

TEST(CrashDisk, NothingChangesWhileDown) {
    auto disk = make_disk(1);
    Database one(*disk);
    Database two(*disk);
    ASSERT_TRUE(
        one.ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); BEGIN IMMEDIATE; "
               "INSERT INTO t VALUES (1)"));
    disk->crash_at(1);
    EXPECT_FALSE(one.ok("COMMIT"));
    EXPECT_TRUE(disk->is_down());
    const uint64_t before = disk->fingerprint();
    EXPECT_NE(two.exec("INSERT INTO t VALUES (2)"), SQLITE_OK);
    one.close();
    two.close();
    EXPECT_EQ(Database(*disk).open_result(), SQLITE_IOERR);
    EXPECT_EQ(disk->fingerprint(), before);
    EXPECT_EQ(disk->open_handles(), 0U);
    disk->restart(Loss::kPowerAll);
    EXPECT_EQ(Database(*disk).text("SELECT count(*) FROM t"), "0");
}

TEST(CrashDisk, PowerLossAtRestUndoesOnlyWhatIsPending) {
    auto disk = make_disk(1);
    {
        Database db(*disk);
        ASSERT_TRUE(
            db.ok("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                  "CREATE TABLE t (x); PRAGMA synchronous = NORMAL; "
                  "INSERT INTO t VALUES (1)"));
        disk->crash_now();
    }
    disk->restart(Loss::kPowerNothing);
    EXPECT_EQ(disk->pending_changes(), 0U);
    EXPECT_EQ(Database(*disk).text("SELECT count(*) FROM t"), "0");
}

TEST(CrashDisk, UnsyncedFileHasNoDurableName) {
    auto disk = make_disk(1);
    Database(*disk).ok("PRAGMA synchronous = OFF; CREATE TABLE t (x)");
    EXPECT_TRUE(disk->exists(kFile));
    disk->restart(Loss::kPowerNothing);
    EXPECT_FALSE(disk->exists(kFile));
}

TEST(CrashDisk, ClockAndRandomnessComeFromTheWorld) {
    auto disk = make_disk(9);
    EXPECT_EQ(Database(*disk).text("SELECT unixepoch('now', 'subsec') * 1000"), "1750000000000.0");
    const auto draw = [](uint64_t seed) {
        auto other = make_disk(seed, {}, "sim-b");
        return Database(*other).text("SELECT hex(randomblob(16))");
    };
    EXPECT_EQ(draw(9), draw(9));
    EXPECT_NE(draw(9), draw(10));
}

// --- Connections among each other ------------------------------------------------------------

TEST(CrashDiskLocks, WalReaderKeepsItsSnapshotAndOneWriterWrites) {
    auto disk = make_disk(1);
    Database writer(*disk);
    Database reader(*disk);
    Database third(*disk);
    ASSERT_TRUE(
        writer.ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); "
                  "INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(reader.ok("BEGIN"));
    EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "1");
    ASSERT_TRUE(writer.ok("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"));
    EXPECT_EQ(third.exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
    ASSERT_TRUE(writer.ok("COMMIT"));
    EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "1");
    EXPECT_EQ(third.text("SELECT count(*) FROM t"), "2");
    // A stale snapshot cannot become a writer, and a reader holds the log open.
    EXPECT_EQ(reader.exec("INSERT INTO t VALUES (3)"), SQLITE_BUSY);
    EXPECT_EQ(writer.text("PRAGMA wal_checkpoint(TRUNCATE)"), "1");
    ASSERT_TRUE(reader.ok("COMMIT"));
    EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "2");
    EXPECT_EQ(writer.text("PRAGMA wal_checkpoint(TRUNCATE)"), "0");
    EXPECT_EQ(disk->bytes("/data/bank.db-wal").size(), 0U);
}

TEST(CrashDiskLocks, RollbackJournalReadersBlockCommit) {
    auto disk = make_disk(1);
    Database writer(*disk);
    Database reader(*disk);
    ASSERT_TRUE(writer.ok("CREATE TABLE t (x); INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(reader.ok("BEGIN"));
    EXPECT_EQ(reader.text("SELECT count(*) FROM t"), "1");
    ASSERT_TRUE(writer.ok("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"));
    EXPECT_EQ(writer.exec("COMMIT"), SQLITE_BUSY);
    // The writer is PENDING now: who reads may finish, nobody new comes in.
    Database late(*disk);
    EXPECT_EQ(late.text("SELECT count(*) FROM t"), "error 5");
    ASSERT_TRUE(reader.ok("COMMIT"));
    ASSERT_TRUE(writer.ok("COMMIT"));
    EXPECT_EQ(late.text("SELECT count(*) FROM t"), "2");
}

TEST(CrashDiskLocks, BusyTimeoutEndsWithoutAClock) {
    auto disk = make_disk(1);
    Database one(*disk);
    Database two(*disk);
    ASSERT_TRUE(one.ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); BEGIN IMMEDIATE"));
    sqlite3_busy_timeout(two.get(), 60'000);
    EXPECT_EQ(two.exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
}

TEST(CrashDiskLocks, SurvivorsOfACrashedWriterRecoverFromALostWalIndex) {
    auto disk = make_disk(1);
    for (int round = 0; round < 5; ++round) {
        Database one(*disk);
        Database two(*disk);
        one.ok("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS t (x)");
        ASSERT_TRUE(one.ok("INSERT INTO t VALUES (1)"));
        ASSERT_TRUE(two.ok("INSERT INTO t VALUES (2)"));
        disk->crash_now();
        one.close();
        two.close();
        disk->restart(round % 2 == 0 ? Loss::kKill : Loss::kPowerTorn);
        EXPECT_EQ(Database(*disk).text("SELECT count(*) FROM t"), std::to_string(2 * round + 2));
    }
}

// --- Files -----------------------------------------------------------------------------------

TEST(CrashDiskFiles, TemporaryFilesHaveNoNameAndLeaveNoTrace) {
    auto disk = make_disk(1);
    Database db(*disk);
    ASSERT_TRUE(
        db.ok("PRAGMA temp_store = FILE; PRAGMA cache_size = 2; PRAGMA temp.cache_size = 2; CREATE "
              "TABLE t (x)"));
    ASSERT_TRUE(
        db.ok("CREATE TEMP TABLE s AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL "
              "SELECT x + 1 FROM c WHERE x < 3000) SELECT x, randomblob(400) AS b FROM c"));
    ASSERT_TRUE(db.ok("INSERT INTO t SELECT b FROM s ORDER BY b; VACUUM"));
    EXPECT_GT(disk->open_handles(), 1U) << "nothing was spilled, the test proves nothing";
    EXPECT_EQ(disk->files(), std::vector<std::string>{kFile});
    EXPECT_EQ(db.text("SELECT count(*) FROM t"), "3000");
}

TEST(CrashDiskFiles, DeletedFileLivesUntilItsLastHandleCloses) {
    auto disk = make_disk(1);
    sqlite3_vfs* vfs = sqlite3_vfs_find("sim-a");
    ASSERT_NE(vfs, nullptr);
    const auto open = [vfs](std::vector<uint64_t>& memory, int more_flags) {
        memory.assign(static_cast<size_t>(vfs->szOsFile) / 8 + 1, 0);
        auto* file = reinterpret_cast<sqlite3_file*>(memory.data());
        EXPECT_EQ(vfs->xOpen(vfs, "f", file,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | more_flags, nullptr),
                  SQLITE_OK);
        return file;
    };
    std::vector<uint64_t> m1, m2, m3;
    sqlite3_file* old_file = open(m1, 0);
    EXPECT_EQ(old_file->pMethods->xWrite(old_file, "old", 3, 0), SQLITE_OK);
    EXPECT_EQ(vfs->xDelete(vfs, "f", 0), SQLITE_OK);
    EXPECT_EQ(vfs->xDelete(vfs, "f", 0), SQLITE_IOERR_DELETE_NOENT);
    sqlite3_file* new_file = open(m2, 0);
    EXPECT_EQ(new_file->pMethods->xWrite(new_file, "new", 3, 0), SQLITE_OK);
    char got[5] = "????";
    EXPECT_EQ(old_file->pMethods->xRead(old_file, got, 4, 0), SQLITE_IOERR_SHORT_READ);
    EXPECT_EQ(std::string(got), "old");
    EXPECT_EQ(disk->bytes("f"), "new");
    sqlite3_file* passing = open(m3, SQLITE_OPEN_DELETEONCLOSE);
    EXPECT_FALSE(disk->exists("f"));
    for (sqlite3_file* f : {old_file, new_file, passing}) f->pMethods->xClose(f);
    EXPECT_EQ(disk->open_handles(), 0U);
    disk->restart(Loss::kPowerAll);
    EXPECT_TRUE(disk->files().empty());
}

TEST(CrashDiskFiles, TornSectorsStayInsideTheWriteWhenPowersafe) {
    for (const bool powersafe : {true, false}) {
        bool neighbour_hurt = false;
        bool write_torn = false;
        for (uint64_t seed = 0; seed < 64; ++seed) {
            auto disk = make_disk(seed, {.powersafe_overwrite = powersafe});
            disk->import_file("f", std::string(1024, 'a'));
            sqlite3_vfs* vfs = sqlite3_vfs_find("sim-a");
            std::vector<uint64_t> memory(static_cast<size_t>(vfs->szOsFile) / 8 + 1);
            auto* file = reinterpret_cast<sqlite3_file*>(memory.data());
            ASSERT_EQ(vfs->xOpen(vfs, "f", file, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
            ASSERT_EQ(file->pMethods->xWrite(file, "bbbb", 4, 100), SQLITE_OK);
            file->pMethods->xClose(file);
            disk->restart(Loss::kPowerTorn);
            const std::string image(disk->bytes("f"));
            ASSERT_EQ(image.size(), 1024U);
            const std::string rest = image.substr(0, 100) + image.substr(104);
            if (rest != std::string(1020, 'a')) neighbour_hurt = true;
            const std::string written = image.substr(100, 4);
            if (written != "aaaa" && written != "bbbb") write_torn = true;
            EXPECT_EQ(image.substr(512), std::string(512, 'a'));
        }
        EXPECT_TRUE(write_torn);
        EXPECT_EQ(neighbour_hurt, !powersafe);
    }
}

TEST(CrashDiskFiles, ExportedImageIsAnOrdinaryDatabaseAndImportsAgain) {
    auto disk = make_disk(1);
    ASSERT_TRUE(
        Database(*disk).ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); "
                           "INSERT INTO t VALUES (800)"));
    const std::string host = testing::TempDir() + "crash_disk_export.db";
    ASSERT_TRUE(disk->export_file(kFile, host));
    sqlite3* stock = nullptr;
    ASSERT_EQ(sqlite3_open(host.c_str(), &stock), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(stock, "SELECT x FROM t", nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(stock);
    std::remove(host.c_str());
    EXPECT_FALSE(disk->export_file("absent", host));

    auto other = make_disk(2, {}, "sim-b");
    other->import_file("copy.db", disk->bytes(kFile));
    other->restart(Loss::kPowerNothing);
    EXPECT_EQ(Database(*other, "copy.db").text("SELECT x FROM t"), "800");
}

TEST(CrashDiskFiles, CloneOfARunningDeviceOpensAndGoesItsOwnWay) {
    auto disk = make_disk(1);
    auto clone = make_disk(2, {}, "sim-b");
    Database db(*disk);
    ASSERT_TRUE(
        db.ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); "
              "INSERT INTO t VALUES ('canary-7')"));
    clone->clone_from(*disk);
    EXPECT_EQ(clone->total_bytes(), disk->total_bytes());
    EXPECT_EQ(clone->files_containing("canary-7"), std::vector<std::string>{"/data/bank.db-wal"});
    ASSERT_TRUE(db.ok("DELETE FROM t"));
    EXPECT_EQ(Database(*clone).text("SELECT x FROM t"), "canary-7");
}

// --- Faults ----------------------------------------------------------------------------------

TEST(CrashDiskFaults, FullDiskAtEveryWriteRollsBackAndRecovers) {
    for (uint64_t skip = 0;; ++skip) {
        auto disk = make_disk(skip);
        Database db(*disk);
        ASSERT_TRUE(
            db.ok("PRAGMA journal_mode = WAL; CREATE TABLE t (x); "
                  "INSERT INTO t VALUES (1)"));
        disk->inject({.fault = Fault::kDiskFull, .skip = skip, .count = CrashDisk::kForever});
        const int result = db.exec("INSERT INTO t VALUES (randomblob(9000))");
        disk->clear_faults();
        if (result == SQLITE_OK) {
            EXPECT_GT(skip, 4U);
            break;
        }
        EXPECT_EQ(result, SQLITE_FULL);
        EXPECT_EQ(db.text("SELECT count(*) FROM t"), "1");
        EXPECT_TRUE(db.ok("INSERT INTO t VALUES (2)"));
        EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
    }
}

TEST(CrashDiskFaults, CapacityIsGivenBackWhenFilesShrink) {
    auto disk = make_disk(1);
    Database db(*disk);
    ASSERT_TRUE(db.ok("CREATE TABLE t (x); INSERT INTO t VALUES (randomblob(100000))"));
    disk->set_capacity(disk->total_bytes() + 20'000);
    EXPECT_EQ(db.exec("INSERT INTO t VALUES (randomblob(100000))"), SQLITE_FULL);
    EXPECT_LE(disk->total_bytes(), 140'000U);
    EXPECT_EQ(db.text("SELECT count(*) FROM t"), "1");
    disk->set_capacity(UINT64_MAX);
    EXPECT_TRUE(db.ok("INSERT INTO t VALUES (randomblob(100000))"));
    EXPECT_EQ(db.text("PRAGMA integrity_check"), "ok");
}

TEST(CrashDiskFaults, ErrorsReachTheCallerAndPass) {
    auto disk = make_disk(1);
    {
        Database db(*disk);
        ASSERT_TRUE(
            db.ok("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                  "CREATE TABLE t (x); INSERT INTO t VALUES (1)"));
        for (const Fault fault : {Fault::kWriteError, Fault::kSyncError}) {
            disk->inject({.fault = fault});
            EXPECT_EQ(db.exec("INSERT INTO t VALUES (2)"), SQLITE_IOERR);
            EXPECT_EQ(db.text("SELECT count(*) FROM t"), "1");
        }
        ASSERT_TRUE(db.ok("INSERT INTO t VALUES (3)"));
    }
    disk->inject({.fault = Fault::kReadError, .skip = 1});
    EXPECT_EQ(Database(*disk).text("SELECT count(*) FROM t"), "error 10");
    EXPECT_EQ(Database(*disk).text("SELECT count(*) FROM t"), "2");
}

TEST(CrashDiskFaults, ReadOnlyDiskCanBeReadAndNotChanged) {
    auto disk = make_disk(1);
    ASSERT_TRUE(Database(*disk).ok("CREATE TABLE t (x); INSERT INTO t VALUES (1)"));
    disk->remount(CrashDisk::Mount::kReadOnly);
    const uint64_t before = disk->fingerprint();
    {
        Database db(*disk);
        EXPECT_EQ(db.text("SELECT x FROM t"), "1");
        EXPECT_EQ(db.exec("INSERT INTO t VALUES (2)"), SQLITE_READONLY);
        EXPECT_EQ(Database(*disk, "new.db").open_result(), SQLITE_CANTOPEN);
    }
    EXPECT_EQ(disk->fingerprint(), before);
    disk->remount(CrashDisk::Mount::kReadWrite);
    EXPECT_TRUE(Database(*disk).ok("INSERT INTO t VALUES (2)"));
}

TEST(CrashDiskFaults, RotIsFoundByIntegrityCheck) {
    auto disk = make_disk(1);
    // EXTRA, or the power loss brings back a journal that mends the page.
    ASSERT_TRUE(
        Database(*disk).ok("PRAGMA synchronous = EXTRA; CREATE TABLE t (x); "
                           "INSERT INTO t VALUES (1)"));
    ASSERT_TRUE(disk->corrupt(kFile, 4096, 0xff));  // the type of the table's root page
    EXPECT_FALSE(disk->corrupt(kFile, 1 << 20, 0xff));
    EXPECT_NE(Database(*disk).text("PRAGMA integrity_check"), "ok");
    disk->restart(Loss::kPowerNothing);
    EXPECT_NE(Database(*disk).text("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace skerry::kit
