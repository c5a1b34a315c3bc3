// Many worlds, one after the other: what they add up to, and what is told of one that fails.
#pragma once

#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <string>

#include "kit/world/crash_forks.hpp"
#include "kit/world/runner.hpp"

namespace skerry::kit {

// The commit that was built, with "-dirty" behind it if something was changed; "unknown" outside a repository.
extern const char* const kCommit;

struct ExploreOptions {
    bool trace = false;
    bool crash_points = false;  // every changing call of every disk is one
    std::string dump_to;
    int plant = 0;
    std::chrono::seconds shrink_for{60};  // 0: a failed plan stays as it is
    std::function<bool()> interrupted = [] { return false; };  // then a plan is not made smaller any more
    std::string plan_to;  // a file that gets the shrunk plan of the last failure; "" = none, it is only printed
};

class Explorer {
  public:
    explicit Explorer(ExploreOptions options) : options_(std::move(options)) {}

    // Runs it and adds it up. A failure is told on stdout: what, where, how to replay it, and a smaller plan.
    bool run(const Plan& plan);
    std::uint64_t worlds() const { return worlds_; }
    std::uint64_t failed() const { return failed_; }
    // A line of sums, then every mark.
    std::string summary() const;
    // One line of JSON for docs/ledger.jsonl.
    std::string ledger_line(std::uint64_t first_seed) const;

  private:
    void tell(const Plan& plan, const Report& report);
    double seconds() const;

    ExploreOptions options_;
    std::map<std::string, std::uint64_t> marks_;
    CrashTotals crashes_;
    std::uint64_t worlds_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t events_ = 0;
    std::uint64_t virtual_ms_ = 0;
    std::uint64_t trace_hash_ = 0;  // of all worlds together: equal runs print equal ones, whatever the compiler
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace skerry::kit
