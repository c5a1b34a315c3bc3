// The crash disk: a SQLite VFS that lives in memory and can lose power at any call.
//
// Role: each simulated node owns one CrashDisk and opens its databases with vfs_name(). SQLite runs
// unchanged on top; the disk counts every call that changes it, stops at the call a test chooses,
// and comes back with what a real disk could have kept. Fault injection (full, failing, lying,
// read-only) is here too, because the same call counter drives it.
//
// Model. Every file has two images and the list of changes between them:
//
//     durable image --[ writes and truncates since the last xSync ]--> current image
//
// SQLite reads the current image. A kill keeps it; a power loss starts from the durable image and
// adds some of the pending changes, cut into 512-byte sectors. Names are kept apart from files: a
// new name is durable at the first sync of its file, a removed one as Options::unlink says.
// Shared memory is heap memory that dies with the last connection, locks are per handle.
//
// Invariants: the same seed and the same calls give the same bytes and the same losses (no clock,
// no pointer order, no library distribution takes part); after restart nothing is pending, unless
// the loss was a kill; a disk that is down never changes.
//
// Threads: none. One thread uses the disk and all its connections. Misuse (a restart with open
// connections, an import over an open file) is a bug of the test and aborts with a message.
//
// Not promised: one directory entry is the whole string SQLite passes ("./a" and "a" are two
// files); all connections die together, one of several processes cannot be killed alone; a sync
// that fails leaves its changes pending, they are not dropped behind SQLite's back. Databases
// opened through "multipleciphers-<name>" work, but their bytes differ from run to run: that layer
// draws its salts and nonces from the operating system.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace skerry::kit {

namespace disk {
struct State;
}

// What a restart finds. "Pending" are the changes since the last sync of each file.
enum class Loss {
    kKill,          // process death: everything written stays, and stays pending
    kKillTorn,      // as kKill, and the write that was cut short left a prefix, sector by sector
    kPowerNothing,  // power loss, no pending change reached the disk
    kPowerAll,      // power loss, all of them did
    kPowerPrefix,   // a prefix in the order of the calls, over all files, cut at any sector
    kPowerRandom,   // any subset of sectors in any order; each file draws its own odds
    kPowerTorn,     // as kPowerRandom, and some sectors that were lost hold garbage or zeros
};

inline constexpr Loss kAllLosses[] = {Loss::kKill,     Loss::kKillTorn,    Loss::kPowerNothing,
                                      Loss::kPowerAll, Loss::kPowerPrefix, Loss::kPowerRandom,
                                      Loss::kPowerTorn};
std::string_view to_string(Loss loss);

enum class Fault {
    kReadError,   // xRead fails with SQLITE_IOERR_READ
    kWriteError,  // xWrite, xTruncate, xDelete (SQLITE_IOERR_*), creation (SQLITE_CANTOPEN) fail
    kSyncError,   // xSync fails with SQLITE_IOERR_FSYNC, what it should sync stays pending
    kDiskFull,    // xWrite fails with SQLITE_FULL; as write(2) does, it may leave a prefix
};

class CrashDisk {
 public:
    // When the removal of a name survives a power loss. What is not yet durable may come back.
    enum class Unlink {
        kAnySync,        // as ext4: at the next sync of any file, in the order it happened
        kDirectorySync,  // only when the directory is synced: xDelete asks for it, or a new journal
                         // or WAL is synced for the first time (SQLite's own unix VFS does that)
        kDeleteSync,     // only when xDelete asks for it; hosts that never sync a directory
    };

    struct Options {
        Unlink unlink = Unlink::kAnySync;
        // Declares SQLITE_IOCAP_POWERSAFE_OVERWRITE. Then garbage stays inside the bytes written;
        // without it a torn sector takes its neighbours along and SQLite pads its WAL for that.
        bool powersafe_overwrite = false;
    };

    enum class Mount { kReadWrite, kReadOnly };
    enum class Syncs { kHonest, kLying };  // lying: xSync answers ok and makes nothing durable

    struct FaultPlan {
        Fault fault;
        uint64_t skip = 0;   // calls of that kind which still succeed
        uint64_t count = 1;  // calls that fail then; kForever until clear_faults
    };
    static constexpr uint64_t kForever = UINT64_MAX;

    // Calls that reached the disk, since construction. All but reads are changing calls.
    struct Counters {
        uint64_t reads = 0;
        uint64_t creates = 0;
        uint64_t writes = 0;
        uint64_t truncates = 0;
        uint64_t syncs = 0;
        uint64_t deletes = 0;
        uint64_t bytes_written = 0;
    };

    // Registers a VFS called `name` ("sim-<node>"), not as the default, and initialises
    // SQLite. `now_unix_ms` is what SQL sees as the current time.
    CrashDisk(std::string name, uint64_t seed, std::function<int64_t()> now_unix_ms,
              Options options);
    CrashDisk(std::string name, uint64_t seed, std::function<int64_t()> now_unix_ms);
    // Unregisters. Every connection is closed by then, and a "multipleciphers-<name>" VFS on top
    // has been destroyed with sqlite3mc_vfs_destroy.
    ~CrashDisk();
    CrashDisk(const CrashDisk&) = delete;
    CrashDisk& operator=(const CrashDisk&) = delete;

    const std::string& vfs_name() const;

    // SQLite keeps one random generator for the whole process (WAL salts, randomblob) and seeds it
    // from the default VFS. This seeds it from this disk's seed instead. A world calls it once, at
    // its start, on one of its disks; without it two runs differ in their bytes.
    void seed_sqlite_randomness();

    // --- Crash switch ------------------------------------------------------------------------
    // The count of calls that change the disk: create, write, truncate, sync, delete. Calls that
    // are refused by an injected fault count, calls while the disk is down do not.
    uint64_t changing_calls() const;
    const Counters& counters() const;
    // The nth changing call from now (1 = the next) does not happen; it and every later call fail
    // with SQLITE_IOERR_*. 0 disarms. Closing and unlocking still work and change nothing.
    void crash_at(uint64_t nth);
    // Called before each changing call that is going to happen. It may look and fork.
    void watch(std::function<void()> before_change);
    // Goes down now, between two calls.
    void crash_now();
    bool is_down() const;
    // Brings the disk back. Requires that every connection is closed. Works on a disk that is up
    // as well: then it is a power loss or kill at rest. Disarms crash_at, keeps injected faults.
    void restart(Loss loss);
    // Handles SQLite holds open; 0 before a restart.
    uint64_t open_handles() const;
    // Writes, truncates and name changes that a power loss could still undo.
    uint64_t pending_changes() const;

    // --- Faults ------------------------------------------------------------------------------
    // One plan per kind of fault; a new plan replaces the old one.
    void inject(FaultPlan plan);
    void clear_faults();
    // Whether there was one since they were cleared, so that a program may find that the disk fails.
    bool has_faults() const;
    // Bytes the named files may hold together; a write beyond fails with SQLITE_FULL after a
    // prefix, space is free again when files shrink or go.
    void set_capacity(uint64_t bytes_max);
    // Whether there is such a limit, so that a program may find the disk full.
    bool has_limit() const;
    // Read-only: no file can be created or changed, opening for writing gives a read-only handle.
    void remount(Mount mount);
    void set_syncs(Syncs syncs);
    // Rot: xors one byte of both images. False if the file or the offset does not exist.
    bool corrupt(std::string_view name, uint64_t offset, uint8_t mask);

    // --- Looking from outside ----------------------------------------------------------------
    // The current images, as a process that is alive sees them. Sorted by name.
    std::vector<std::string> files() const;
    bool exists(std::string_view name) const;
    // Valid until the next call that changes the file; empty if there is no such file.
    std::string_view bytes(std::string_view name) const;
    uint64_t total_bytes() const;
    // Files whose current image holds `needle`: the canary scan, over WAL and free pages too.
    std::vector<std::string> files_containing(std::string_view needle) const;
    // Hash over names, both images and the changing-call count; equal for equal runs.
    uint64_t fingerprint() const;
    // Writes the current image to the host's file system, for stock sqlite3. A WAL database needs
    // its "-wal" beside it. False if there is no such file or the host refuses.
    bool export_file(std::string_view name, const std::string& host_path) const;
    // Puts a file on the disk, durable at once. No handle may be open on that name.
    void import_file(std::string_view name, std::string_view bytes);
    // Makes this disk a copy of the other's current images, durable at once: a cloned device. The
    // other may be in use; then the copy is what an image of a running device holds.
    void clone_from(const CrashDisk& other);
    // The same with all that a power loss could still undo, and with a new seed for what it takes:
    // restart() then loses the power of the copy, and the other goes on. The other may be in use,
    // in the middle of a call even.
    void fork_from(const CrashDisk& other, uint64_t loss_seed);

 private:
    std::unique_ptr<disk::State> state_;
};

}  // namespace skerry::kit
