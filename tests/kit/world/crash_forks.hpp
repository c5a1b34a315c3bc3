// Crash points by the thousand: before every changing call of a disk, copies of it die in several ways, are opened
// again and looked at, and the world goes on as if nothing had been.
//
// What must hold of a copy: its database is one of those that were committed since the last acknowledgement, page by
// page, or that one; never an older one, never a mixture. Each database that was never seen before is also checked
// by SQLite and opened by the production code.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kit/disk/crash_disk.hpp"

namespace skerry::kit {

// What a run adds up.
struct CrashTotals {
    std::uint64_t points = 0;   // changing calls, and moments after an acknowledgement
    std::uint64_t crashes = 0;  // copies that died and were looked at
    std::uint64_t databases = 0;  // different ones among them: checked by SQLite and opened by the production code
};

class CrashForks {
  public:
    // Opens the copy as after a restart; says what is wrong, or "".
    using Opens = std::function<std::string(CrashDisk& copy)>;
    using Fails = std::function<void(std::string what)>;
    // `file` is the database on `disk` that is judged. The disk outlives this.
    CrashForks(CrashDisk& disk, std::string file, std::uint64_t seed, Opens opens, Fails fails, CrashTotals& totals);
    ~CrashForks();

    // All that was committed has been told to somebody: no crash may lose it from here on.
    void acknowledged();
    // The disk has died or is another one: nothing is known of it.
    void forget();

  private:
    void point();
    // The pages of the database that a crash leaves; 0 if there is none yet. Nothing if it was wrong, and that was told.
    std::optional<std::uint64_t> crash(Loss loss);
    std::string wrong_with(std::uint64_t image);

    CrashDisk& disk_;
    std::string file_;
    Opens opens_;
    Fails fails_;
    CrashTotals& totals_;
    CrashDisk copy_;
    std::uint64_t seed_;
    std::uint64_t serial_ = 0;
    std::set<std::uint64_t> committed_;  // since the last acknowledgement, with what was there then
    std::set<std::uint64_t> sound_;
    bool known_ = false;
    bool busy_ = false;
};

}  // namespace skerry::kit
