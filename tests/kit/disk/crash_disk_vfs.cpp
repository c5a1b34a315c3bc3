// What SQLite calls: the sqlite3_vfs and sqlite3_io_methods of the crash disk, after the rules that
// SQLite's own unix VFS follows where SQLite relies on them. See crash_disk.hpp for the model.

#include <sqlite3.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "crash_disk_state.hpp"

namespace skerry::kit::disk {

// One open file. Locks are per handle: connections of one process see each other's, as two
// processes would.
struct OpenFile {
    State* state;
    InodePtr inode;
    std::string name;  // empty: temporary
    int lock = SQLITE_LOCK_NONE;
    unsigned shm_shared = 0;     // bit per lock slot
    unsigned shm_exclusive = 0;  // bit per lock slot
    bool shm_mapped = false;
    bool read_only = false;
    bool persist_wal = false;
    bool directory_sync_due = false;  // a new journal or WAL, until its first sync
};

namespace {

constexpr int kPathBytesMax = 512;
// Julian day of 1970-01-01 in milliseconds, the unit of xCurrentTimeInt64.
constexpr int64_t kUnixEpochJulianMs = 210'866'760'000'000;

// Lives in the memory that SQLite provides; `base` comes first because SQLite sees only that.
struct Handle {
    sqlite3_file base;
    std::unique_ptr<OpenFile> file;
};

OpenFile& opened(sqlite3_file* f) {
    return *reinterpret_cast<Handle*>(f)->file;
}

size_t to_size(sqlite3_int64 n) {
    return static_cast<size_t>(n);
}

// Sleeping lets nobody else run, there is one thread. Busy handlers and WAL retries count their
// tries, so they still end.
int sleep(sqlite3_vfs*, int microseconds) {
    return microseconds;
}

int no_last_error(sqlite3_vfs*, int, char*) {
    return 0;
}
void* no_dl_open(sqlite3_vfs*, const char*) {
    return nullptr;
}
void no_dl_error(sqlite3_vfs*, int size, char* out) {
    sqlite3_snprintf(size, out, "%s", "no libraries on a crash disk");
}
void (*no_dl_sym(sqlite3_vfs*, void*, const char*))() {
    return nullptr;
}
void no_dl_close(sqlite3_vfs*, void*) {}

}  // namespace

// --- Names -----------------------------------------------------------------------------------

int State::open(sqlite3_vfs* v, const char* path, sqlite3_file* f, int flags, int* out) {
    f->pMethods = nullptr;
    State& state = *static_cast<State*>(v->pAppData);
    if (state.down) return SQLITE_IOERR;
    auto file = std::make_unique<OpenFile>();
    file->state = &state;
    if (path == nullptr) {
        file->inode = state.new_inode();
        file->inode->anonymous = true;
    } else {
        const auto it = state.directory.find(std::string_view(path));
        const bool found = it != state.directory.end();
        const bool writable = state.mount == Mount::kReadWrite;
        if (found && (flags & SQLITE_OPEN_EXCLUSIVE) != 0) return SQLITE_CANTOPEN;
        if (!found && ((flags & SQLITE_OPEN_CREATE) == 0 || !writable)) return SQLITE_CANTOPEN;
        file->name = path;
        file->read_only = (flags & SQLITE_OPEN_READONLY) != 0 || !writable;
        if (found) {
            file->inode = it->second;
        } else {
            if (state.enter(state.counters.creates) != Gate::kOpen) return SQLITE_IOERR;
            if (state.fires(Fault::kWriteError)) return SQLITE_CANTOPEN;
            file->inode = state.create(file->name);
            constexpr int kJournals =
                SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
            file->directory_sync_due = (flags & kJournals) != 0;
        }
        // The unix VFS unlinks at once and keeps the descriptor; a crash then leaves no stray.
        if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0) {
            state.unlink(state.directory.find(file->name));
        }
    }
    if (out != nullptr) {
        *out = flags;
        if (file->read_only) {
            *out = (*out & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
        }
    }
    file->inode->handles.push_back(file.get());
    ++state.open_handles;
    Handle* handle = ::new (static_cast<void*>(f)) Handle{};
    handle->file = std::move(file);
    handle->base.pMethods = &io_methods();
    return SQLITE_OK;
}

int State::close(sqlite3_file* f) {
    shm_unmap(f, 0);
    OpenFile& file = opened(f);
    std::erase(file.inode->handles, &file);
    --file.state->open_handles;
    reinterpret_cast<Handle*>(f)->~Handle();
    return SQLITE_OK;
}

int State::remove(sqlite3_vfs* v, const char* path, int sync_directory_too) {
    State& state = *static_cast<State*>(v->pAppData);
    if (state.down) return SQLITE_IOERR_DELETE;
    const auto it = state.directory.find(std::string_view(path));
    if (it == state.directory.end()) return SQLITE_IOERR_DELETE_NOENT;
    if (state.mount == Mount::kReadOnly) return SQLITE_IOERR_DELETE;
    if (state.enter(state.counters.deletes) != Gate::kOpen) return SQLITE_IOERR_DELETE;
    if (state.fires(Fault::kWriteError)) return SQLITE_IOERR_DELETE;
    state.unlink(it);
    if (sync_directory_too != 0 && state.syncs == Syncs::kHonest) {
        state.sync_directory(directory_of(path));
    }
    return SQLITE_OK;
}

int State::access(sqlite3_vfs* v, const char* path, int flags, int* result) {
    const State& state = *static_cast<State*>(v->pAppData);
    *result = 0;
    if (state.down) return SQLITE_IOERR_ACCESS;
    const Inode* inode = state.find(path);
    if (inode == nullptr) return SQLITE_OK;
    if (flags == SQLITE_ACCESS_EXISTS) {
        // As in the unix VFS: an empty file does not count, it can be no hot journal.
        *result = inode->current.empty() ? 0 : 1;
    } else {
        *result = flags == SQLITE_ACCESS_READ || state.mount == Mount::kReadWrite ? 1 : 0;
    }
    return SQLITE_OK;
}

int State::full_pathname(sqlite3_vfs*, const char* path, int size, char* out) {
    const size_t length = std::strlen(path);
    if (length >= to_size(size)) return SQLITE_CANTOPEN;
    std::memcpy(out, path, length + 1);
    return SQLITE_OK;
}

// --- Bytes -----------------------------------------------------------------------------------

int State::read(sqlite3_file* f, void* out, int amount, sqlite3_int64 offset) {
    const OpenFile& file = opened(f);
    if (file.state->down) return SQLITE_IOERR_READ;
    ++file.state->counters.reads;
    if (file.state->fires(Fault::kReadError)) return SQLITE_IOERR_READ;
    const std::string& image = file.inode->current;
    const size_t begin = std::min(to_size(offset), image.size());
    const size_t count = std::min(to_size(amount), image.size() - begin);
    std::memcpy(out, image.data() + begin, count);
    if (count == to_size(amount)) return SQLITE_OK;
    std::memset(static_cast<char*>(out) + count, 0, to_size(amount) - count);
    return SQLITE_IOERR_SHORT_READ;
}

int State::write(sqlite3_file* f, const void* data, int amount, sqlite3_int64 offset) {
    const OpenFile& file = opened(f);
    State& state = *file.state;
    if (state.down) return SQLITE_IOERR_WRITE;
    if (file.read_only) return SQLITE_READONLY;
    if (state.mount == Mount::kReadOnly) return SQLITE_IOERR_WRITE;
    const std::string_view bytes(static_cast<const char*>(data), to_size(amount));
    const size_t at = to_size(offset);
    const Gate gate = state.enter(state.counters.writes);
    if (gate == Gate::kPowerFails) {
        Change cut{state.next_order++, at, std::string(bytes), false};
        state.interrupted.emplace(Interrupted{file.inode, std::move(cut)});
    }
    if (gate != Gate::kOpen || state.fires(Fault::kWriteError)) return SQLITE_IOERR_WRITE;
    size_t count = state.room_for(*file.inode, at, bytes.size());
    bool full = count < bytes.size();
    if (state.fires(Fault::kDiskFull)) {
        full = true;
        const uint64_t left = state.loss_random.below(bytes.size() + 1);
        count = std::min(count, static_cast<size_t>(left));
    }
    if (count > 0) {
        state.change(*file.inode,
                     {state.next_order++, at, std::string(bytes.substr(0, count)), false});
        state.counters.bytes_written += count;
    }
    return full ? SQLITE_FULL : SQLITE_OK;
}

int State::truncate(sqlite3_file* f, sqlite3_int64 size) {
    const OpenFile& file = opened(f);
    State& state = *file.state;
    if (state.down || file.read_only || state.mount == Mount::kReadOnly)
        return SQLITE_IOERR_TRUNCATE;
    if (state.enter(state.counters.truncates) != Gate::kOpen) return SQLITE_IOERR_TRUNCATE;
    if (state.fires(Fault::kWriteError)) return SQLITE_IOERR_TRUNCATE;
    state.change(*file.inode, {state.next_order++, to_size(size), {}, true});
    return SQLITE_OK;
}

int State::sync(sqlite3_file* f, int) {
    OpenFile& file = opened(f);
    State& state = *file.state;
    if (state.enter(state.counters.syncs) != Gate::kOpen) return SQLITE_IOERR_FSYNC;
    if (state.fires(Fault::kSyncError)) return SQLITE_IOERR_FSYNC;
    if (state.syncs == Syncs::kLying) return SQLITE_OK;
    state.sync(*file.inode);
    if (file.directory_sync_due && state.options.unlink != Unlink::kDeleteSync) {
        state.sync_directory(directory_of(file.name));
    }
    file.directory_sync_due = false;
    return SQLITE_OK;
}

int State::file_size(sqlite3_file* f, sqlite3_int64* size) {
    const OpenFile& file = opened(f);
    *size = static_cast<sqlite3_int64>(file.inode->current.size());
    return file.state->down ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

int State::file_control(sqlite3_file* f, int op, void* arg) {
    OpenFile& file = opened(f);
    switch (op) {
        case SQLITE_FCNTL_PERSIST_WAL: {
            int& wanted = *static_cast<int*>(arg);
            if (wanted >= 0) file.persist_wal = wanted != 0;
            wanted = file.persist_wal ? 1 : 0;
            return SQLITE_OK;
        }
        case SQLITE_FCNTL_HAS_MOVED:
            *static_cast<int*>(arg) =
                !file.name.empty() && file.state->find(file.name) != file.inode.get() ? 1 : 0;
            return SQLITE_OK;
        case SQLITE_FCNTL_VFSNAME:
            *static_cast<char**>(arg) = sqlite3_mprintf("%s", file.state->name.c_str());
            return SQLITE_OK;
        default:
            return SQLITE_NOTFOUND;
    }
}

int State::sector_size(sqlite3_file*) {
    return static_cast<int>(kSectorBytes);
}

int State::device_characteristics(sqlite3_file* f) {
    // Nothing is atomic, appended or sequential: each of these would be a promise to break.
    return opened(f).state->options.powersafe_overwrite ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

// --- Locks of the database file --------------------------------------------------------------
//
//     NONE -> SHARED -> RESERVED -> PENDING -> EXCLUSIVE
//
// Many SHARED; one RESERVED beside them; PENDING lets readers leave but none enter; EXCLUSIVE
// alone.

int State::lock(sqlite3_file* f, int wanted) {
    OpenFile& file = opened(f);
    if (file.state->down) return SQLITE_IOERR_LOCK;
    if (file.lock >= wanted) return SQLITE_OK;
    int others = SQLITE_LOCK_NONE;
    for (const OpenFile* h : file.inode->handles) {
        if (h != &file) others = std::max(others, h->lock);
    }
    if (wanted == SQLITE_LOCK_SHARED) {
        if (others >= SQLITE_LOCK_PENDING) return SQLITE_BUSY;
        file.lock = SQLITE_LOCK_SHARED;
        return SQLITE_OK;
    }
    require(file.lock >= SQLITE_LOCK_SHARED, "a writer's lock without SHARED");
    if (others >= SQLITE_LOCK_RESERVED) return SQLITE_BUSY;
    if (wanted == SQLITE_LOCK_RESERVED) {
        file.lock = SQLITE_LOCK_RESERVED;
        return SQLITE_OK;
    }
    // PENDING stays if readers are left, so that the writer does not starve.
    file.lock = SQLITE_LOCK_PENDING;
    if (others >= SQLITE_LOCK_SHARED) return SQLITE_BUSY;
    file.lock = wanted;
    return SQLITE_OK;
}

int State::unlock(sqlite3_file* f, int level) {
    OpenFile& file = opened(f);
    file.lock = std::min(file.lock, level);
    return SQLITE_OK;
}

int State::check_reserved_lock(sqlite3_file* f, int* result) {
    const OpenFile& file = opened(f);
    *result = 0;
    if (file.state->down) return SQLITE_IOERR_CHECKRESERVEDLOCK;
    for (const OpenFile* h : file.inode->handles) {
        if (h->lock >= SQLITE_LOCK_RESERVED) *result = 1;
    }
    return SQLITE_OK;
}

// --- Shared memory of the WAL index ----------------------------------------------------------

int State::shm_map(sqlite3_file* f, int region, int region_bytes, int extend, void volatile** out) {
    OpenFile& file = opened(f);
    *out = nullptr;
    if (file.state->down) return SQLITE_IOERR_SHMMAP;
    file.shm_mapped = true;
    auto& regions = file.inode->shm;
    const size_t wanted = static_cast<size_t>(region);
    if (wanted >= regions.size() && extend == 0) return SQLITE_OK;
    // Regions never move: SQLite keeps the pointers.
    while (regions.size() <= wanted) {
        regions.push_back(std::make_unique<char[]>(static_cast<size_t>(region_bytes)));
    }
    *out = regions[wanted].get();
    return SQLITE_OK;
}

int State::shm_lock(sqlite3_file* f, int first, int count, int flags) {
    OpenFile& file = opened(f);
    const unsigned mask = ((1U << count) - 1U) << first;
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        file.shm_shared &= ~mask;
        file.shm_exclusive &= ~mask;
        return SQLITE_OK;
    }
    if (file.state->down) return SQLITE_IOERR_SHMLOCK;
    const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    for (const OpenFile* h : file.inode->handles) {
        if (h == &file) continue;
        const unsigned in_the_way = h->shm_exclusive | (exclusive ? h->shm_shared : 0U);
        if ((in_the_way & mask) != 0) return SQLITE_BUSY;
    }
    (exclusive ? file.shm_exclusive : file.shm_shared) |= mask;
    return SQLITE_OK;
}

void State::shm_barrier(sqlite3_file*) {}

int State::shm_unmap(sqlite3_file* f, int) {
    OpenFile& file = opened(f);
    file.shm_mapped = false;
    file.shm_shared = 0;
    file.shm_exclusive = 0;
    // The last one takes the memory along, whether or not SQLite asks to delete it: the unix VFS
    // clears the -shm file when the next first connection comes, which is the same.
    const auto maps = [](const OpenFile* h) { return h->shm_mapped; };
    auto& handles = file.inode->handles;
    if (std::none_of(handles.begin(), handles.end(), maps)) file.inode->shm.clear();
    return SQLITE_OK;
}

int State::fetch(sqlite3_file*, sqlite3_int64, int, void** out) {
    *out = nullptr;  // no memory-mapped reads, so that every read can fail
    return SQLITE_OK;
}
int State::unfetch(sqlite3_file*, sqlite3_int64, void*) {
    return SQLITE_OK;
}

// --- The tables SQLite reads -----------------------------------------------------------------

const sqlite3_io_methods& State::io_methods() {
    static const sqlite3_io_methods methods = {
        3,
        close,
        read,
        write,
        truncate,
        sync,
        file_size,
        lock,
        unlock,
        check_reserved_lock,
        file_control,
        sector_size,
        device_characteristics,
        shm_map,
        shm_lock,
        shm_barrier,
        shm_unmap,
        fetch,
        unfetch,
    };
    return methods;
}

void State::register_vfs() {
    vfs.iVersion = 2;
    vfs.szOsFile = static_cast<int>(sizeof(Handle));
    vfs.mxPathname = kPathBytesMax;
    vfs.zName = name.c_str();
    vfs.pAppData = this;
    vfs.xOpen = open;
    vfs.xDelete = remove;
    vfs.xAccess = access;
    vfs.xFullPathname = full_pathname;
    vfs.xDlOpen = no_dl_open;
    vfs.xDlError = no_dl_error;
    vfs.xDlSym = no_dl_sym;
    vfs.xDlClose = no_dl_close;
    vfs.xSleep = sleep;
    vfs.xGetLastError = no_last_error;
    vfs.xRandomness = [](sqlite3_vfs* v, int count, char* out) {
        static_cast<State*>(v->pAppData)->sqlite_random.fill(out, static_cast<size_t>(count));
        return count;
    };
    vfs.xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* out) {
        *out = static_cast<State*>(v->pAppData)->now_unix_ms() + kUnixEpochJulianMs;
        return SQLITE_OK;
    };
    vfs.xCurrentTime = [](sqlite3_vfs* v, double* out) {
        const int64_t now = static_cast<State*>(v->pAppData)->now_unix_ms() + kUnixEpochJulianMs;
        *out = static_cast<double>(now) / 86'400'000.0;
        return SQLITE_OK;
    };
    require(sqlite3_vfs_register(&vfs, 0) == SQLITE_OK, "the VFS cannot be registered");
}

}  // namespace skerry::kit::disk
