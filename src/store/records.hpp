// Conflict records as a person decides them. They are rows of skerry_conflict, which arrive like any other; a decision is
// one transaction of ordinary writes and the closing of the record. Thread rule: that of its Store.
#pragma once

#include <skerry/activity.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/store.hpp"

namespace skerry::store {

// What each gives and refuses: include/skerry/device.hpp.
class Records {
  public:
    explicit Records(Store& store) : store_(store) {}

    Result<std::vector<ConflictRecord>> list(bool also_closed);
    Result<ConflictRecord> get(std::string_view id);
    Result<void> resolve(std::string_view id, const Resolution& resolution);
    // Open ones that were never given out by this call; they count as told from now on.
    Result<std::vector<ConflictRecord>> take_untold();

  private:
    Result<std::vector<std::string>> ids(std::string_view query, std::string_view first = {}, std::string_view second = {});
    Result<void> decide(const ConflictRecord& record, Choice choice, const Resolution& resolution);
    Result<void> write_mine(EntityIx ix, const ConflictRecord& record);
    Result<void> bring_back(EntityIx ix, const ConflictRecord& record, const Resolution* mix);
    Result<void> write_mix(EntityIx ix, const ConflictRecord& record, const Resolution& resolution);
    Result<void> close(const ConflictRecord& record, Choice choice);

    Store& store_;
    std::int64_t seen_changes_ = -1;
};

}  // namespace skerry::store
