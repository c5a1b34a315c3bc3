// The live queries of a Device. Each stands alone: one that fails holds no other up; it is tried again whenever the file has
// changed, and once a second, because what failed may be the file. Thread rule: the Device's; callbacks run inside add() and poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "store/live.hpp"

namespace skerry::api {

class Watches {
  public:
    Watches(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

    // Runs it once. Errors: sql, invalid_argument (not one statement that only reads); nothing is added then.
    Result<std::uint64_t> add(std::string query, std::function<void(const Table&)> callback);
    void remove(std::uint64_t id);
    // Runs what may have changed. A query that fails is no error of this call but the problem().
    Result<void> poll();
    // Of the oldest query that fails now; null: none does.
    const Error* problem() const;

  private:
    struct Watch {
        std::string query;
        std::function<void(const Table&)> callback;
        std::shared_ptr<store::LiveQueries> live;  // null: it fails. Shared with the call that runs it, whose callback may remove() it
        std::optional<Error> problem;
    };
    Watch* find(std::uint64_t id);
    void run(std::uint64_t id);
    void start(std::uint64_t id);

    store::Store& store_;
    const Clock& clock_;
    std::map<std::uint64_t, Watch> watches_;
    std::uint64_t next_ = 1;
    std::int64_t seen_version_ = -1;
    Micros try_at_{0};  // mono; what fails
};

}  // namespace skerry::api
