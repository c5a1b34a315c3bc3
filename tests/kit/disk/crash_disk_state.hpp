// The inside of the crash disk, shared by crash_disk.cpp (power loss, public face) and
// crash_disk_vfs.cpp (what SQLite calls). Nobody else includes it. The model: crash_disk.hpp.
//
// Everything iterates in name, id or call order, never in pointer order: a run must be repeatable.

#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "crash_disk.hpp"

namespace skerry::kit::disk {

constexpr size_t kSectorBytes = 512;

// Misuse by a test; stays on in every build.
void require(bool holds, const char* message);

// splitmix64. The distributions of <random> differ between standard libraries, this does not.
class Random {
 public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t next() {
        state_ += 0x9e3779b97f4a7c15;
        uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
    uint64_t below(uint64_t bound) { return next() % bound; }
    bool chance(uint64_t of_256) { return below(256) < of_256; }
    void fill(char* out, size_t count) {
        for (size_t i = 0; i < count; ++i) out[i] = static_cast<char>(next() >> 56);
    }

 private:
    uint64_t state_;
};

inline std::string_view directory_of(std::string_view name) {
    const size_t slash = name.rfind('/');
    return slash == std::string_view::npos ? std::string_view{} : name.substr(0, slash);
}

// One write or truncate that the file's next sync makes durable.
struct Change {
    uint64_t order;  // position among all changes of the disk
    size_t offset;   // of the write; the new size of a truncate
    std::string bytes;
    bool truncates;
};

inline void put_bytes(std::string& image, size_t offset, std::string_view bytes) {
    if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size(), '\0');
    std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

inline void apply_to(std::string& image, const Change& change) {
    if (change.truncates) {
        // xTruncate may extend as well; ftruncate fills with zeros.
        image.resize(change.offset, '\0');
    } else {
        put_bytes(image, change.offset, change.bytes);
    }
}

struct OpenFile;

struct Inode {
    uint64_t id = 0;
    bool anonymous = false;  // has no name and never gets one: nothing of it survives a restart
    std::string current;
    std::string durable;
    std::vector<Change> pending;
    std::vector<OpenFile*> handles;
    std::vector<std::unique_ptr<char[]>> shm;  // WAL index regions, while any handle maps them
};
// Shared, because a file lives as long as a name, a not yet durable name or a handle refers to it.
using InodePtr = std::shared_ptr<Inode>;
using Directory = std::map<std::string, InodePtr, std::less<>>;

struct NameChange {
    uint64_t order;
    std::string name;
    InodePtr inode;
    bool unlinks;
};

inline void apply_to(Directory& directory, const NameChange& change) {
    if (!change.unlinks) {
        directory[change.name] = change.inode;
        return;
    }
    // The name may already belong to a younger file whose creation was synced.
    const auto it = directory.find(change.name);
    if (it != directory.end() && it->second == change.inode) directory.erase(it);
}

// The smallest thing a power loss keeps or drops: a sector's share of a write, a truncate, a name.
struct Piece {
    enum class Fate { kDropped, kKept, kGarbage };
    uint64_t order = 0;
    Inode* inode = nullptr;
    const Change* change = nullptr;     // either this
    const NameChange* entry = nullptr;  // or this
    size_t begin = 0;                   // range of a write in the file
    size_t end = 0;
    Fate fate = Fate::kDropped;
    bool is_write() const { return change != nullptr && !change->truncates; }
};

struct FaultState {
    uint64_t skip = 0;
    uint64_t count = 0;
};

struct Interrupted {
    InodePtr inode;
    Change change;
};

struct State {
    using Options = CrashDisk::Options;
    using Unlink = CrashDisk::Unlink;
    using Mount = CrashDisk::Mount;
    using Syncs = CrashDisk::Syncs;

    // What the door of the disk says to a changing call: do it; the power fails right here; or it
    // has failed before.
    enum class Gate { kOpen, kPowerFails, kShut };

    std::string name;
    uint64_t seed;
    std::function<int64_t()> now_unix_ms;
    std::function<void()> before_change;
    Options options;
    Random loss_random;
    Random sqlite_random;
    sqlite3_vfs vfs{};

    Directory directory;
    Directory durable_directory;
    std::vector<NameChange> name_changes;  // in order
    uint64_t next_inode = 1;
    uint64_t next_order = 1;
    uint64_t open_handles = 0;

    CrashDisk::Counters counters;
    uint64_t changing_calls = 0;
    uint64_t crash_in = 0;
    bool down = false;
    std::optional<Interrupted> interrupted;
    std::array<FaultState, 4> faults{};
    bool faulty = false;
    uint64_t capacity = UINT64_MAX;
    Mount mount = Mount::kReadWrite;
    Syncs syncs = Syncs::kHonest;

    State(std::string vfs_name, uint64_t disk_seed, std::function<int64_t()> now, Options opts)
        : name(std::move(vfs_name)),
          seed(disk_seed),
          now_unix_ms(std::move(now)),
          options(opts),
          loss_random(Random(disk_seed ^ 0x6c6f7373).next()),
          sqlite_random(Random(disk_seed ^ 0x73716c).next()) {}

    // --- Files and names ---------------------------------------------------------------------
    InodePtr new_inode() {
        auto inode = std::make_shared<Inode>();
        inode->id = next_inode++;
        return inode;
    }
    const Inode* find(std::string_view file) const {
        const auto it = directory.find(file);
        return it == directory.end() ? nullptr : it->second.get();
    }
    uint64_t total_bytes() const {
        uint64_t total = 0;
        for (const auto& [file, inode] : directory) total += inode->current.size();
        return total;
    }
    InodePtr create(const std::string& file) {
        InodePtr inode = new_inode();
        directory[file] = inode;
        name_changes.push_back({next_order++, file, inode, false});
        return inode;
    }
    void unlink(Directory::iterator it) {
        name_changes.push_back({next_order++, it->first, it->second, true});
        directory.erase(it);
    }
    void change(Inode& inode, Change made) {
        apply_to(inode.current, made);
        if (!inode.anonymous) inode.pending.push_back(std::move(made));
    }
    std::map<uint64_t, InodePtr> reachable_inodes() const {
        std::map<uint64_t, InodePtr> inodes;
        for (const auto& [file, inode] : directory) inodes.emplace(inode->id, inode);
        for (const auto& [file, inode] : durable_directory) inodes.emplace(inode->id, inode);
        for (const NameChange& c : name_changes) inodes.emplace(c.inode->id, c.inode);
        return inodes;
    }

    // --- Who may pass ------------------------------------------------------------------------
    // Every changing call passes here, before anything else can refuse it.
    Gate enter(uint64_t& counter) {
        if (down) return Gate::kShut;
        ++changing_calls;
        if (crash_in != 0 && --crash_in == 0) {
            down = true;
            return Gate::kPowerFails;
        }
        if (before_change) before_change();
        ++counter;
        return Gate::kOpen;
    }
    bool fires(Fault fault) {
        FaultState& state = faults[static_cast<size_t>(fault)];
        if (state.count == 0) return false;
        if (state.skip > 0) {
            --state.skip;
            return false;
        }
        if (state.count != CrashDisk::kForever) --state.count;
        return true;
    }
    // How many bytes of a write fit. Overwriting what a file has already needs no room.
    size_t room_for(const Inode& inode, size_t offset, size_t count) const {
        if (capacity == UINT64_MAX || inode.anonymous) return count;
        const uint64_t others = total_bytes() - inode.current.size();
        const uint64_t size_max = std::max<uint64_t>(
            inode.current.size(), capacity > others ? capacity - others : uint64_t{0});
        return size_max > offset ? std::min<size_t>(count, size_max - offset) : 0;
    }

    // --- What becomes durable ----------------------------------------------------------------
    template <typename Predicate>
    void settle_names(Predicate becomes_durable) {
        std::vector<NameChange> rest;
        for (NameChange& c : name_changes) {
            if (!becomes_durable(c)) {
                rest.push_back(std::move(c));
                continue;
            }
            // Removing a name for good also cancels its creation, or a later power loss could
            // keep the creation and drop the removal that is already on the platter.
            std::erase_if(rest, [&c](const NameChange& r) {
                return c.unlinks && r.inode == c.inode && r.name == c.name;
            });
            apply_to(durable_directory, c);
        }
        name_changes = std::move(rest);
    }
    void sync_directory(std::string_view path) {
        settle_names([path](const NameChange& c) { return directory_of(c.name) == path; });
    }
    void sync(Inode& inode) {
        for (const Change& c : inode.pending) apply_to(inode.durable, c);
        inode.pending.clear();
        const bool unlinks_too = options.unlink == Unlink::kAnySync;
        settle_names([&](const NameChange& c) {
            if (c.unlinks) return unlinks_too;
            // A file whose name is gone again has no name that a sync could make durable.
            return c.inode.get() == &inode && find(c.name) == &inode;
        });
    }

    void lose_power(Loss loss);
    void restart(Loss loss);
    void choose_fates(std::vector<Piece>& pieces, Loss loss);
    std::vector<Piece> pending_pieces(const std::map<uint64_t, InodePtr>& inodes) const;
    void apply_piece(const Piece& piece);

    // --- The VFS -----------------------------------------------------------------------------
    void register_vfs();
    static const sqlite3_io_methods& io_methods();
    static int open(sqlite3_vfs*, const char*, sqlite3_file*, int, int*);
    static int remove(sqlite3_vfs*, const char*, int);
    static int access(sqlite3_vfs*, const char*, int, int*);
    static int full_pathname(sqlite3_vfs*, const char*, int, char*);
    static int close(sqlite3_file*);
    static int read(sqlite3_file*, void*, int, sqlite3_int64);
    static int write(sqlite3_file*, const void*, int, sqlite3_int64);
    static int truncate(sqlite3_file*, sqlite3_int64);
    static int sync(sqlite3_file*, int);
    static int file_size(sqlite3_file*, sqlite3_int64*);
    static int lock(sqlite3_file*, int);
    static int unlock(sqlite3_file*, int);
    static int check_reserved_lock(sqlite3_file*, int*);
    static int file_control(sqlite3_file*, int, void*);
    static int sector_size(sqlite3_file*);
    static int device_characteristics(sqlite3_file*);
    static int shm_map(sqlite3_file*, int, int, int, void volatile**);
    static int shm_lock(sqlite3_file*, int, int, int);
    static void shm_barrier(sqlite3_file*);
    static int shm_unmap(sqlite3_file*, int);
    static int fetch(sqlite3_file*, sqlite3_int64, int, void**);
    static int unfetch(sqlite3_file*, sqlite3_int64, void*);
};

}  // namespace skerry::kit::disk
