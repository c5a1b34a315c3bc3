// The default VFS of SQLite in WebAssembly tests, where there is no operating system to bring one.
#include <sqlite3.h>

#include "crash_disk.hpp"

extern "C" int sqlite3_os_init() {
    // Never destroyed: handles may be open when the program ends, and SQLite outlives every static of ours.
    static auto* disk = new skerry::kit::CrashDisk("memory", 1, [] { return std::int64_t{1'700'000'000'000}; });
    sqlite3_vfs* vfs = sqlite3_vfs_find(disk->vfs_name().c_str());
    return vfs == nullptr ? SQLITE_ERROR : sqlite3_vfs_register(vfs, 1);
}

extern "C" int sqlite3_os_end() { return SQLITE_OK; }
