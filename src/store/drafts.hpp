// Drafts: transactions that the server rejected, kept for a person to mend. A draft and those that were rejected only
// because of it are one group and go together: sent again as one new transaction that names them (redo_of), or dropped
// by a transaction that does nothing but name them. Mended drafts stay for the log. Thread rule: that of its Store.
#pragma once

#include <skerry/activity.hpp>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "store/activity.hpp"
#include "store/store.hpp"

namespace skerry::store {

// Stored in skerry_draft.state: do not change.
enum class DraftState : std::int64_t { kOpen = 1, kRedone = 2, kDiscarded = 3 };
// "open", "redone", "discarded"; empty for anything else.
std::string_view draft_state_name(std::int64_t state);

// What each gives and refuses: include/skerry/device.hpp.
class Drafts {
  public:
    explicit Drafts(Store& store) : store_(store) {}

    Result<std::vector<Draft>> list();
    Result<Draft> get(std::uint64_t number);
    Result<void> edit(std::uint64_t number, std::string_view entity, std::string_view key, const Values& values);
    Result<DraftRetry> retry(std::uint64_t number);
    // 0: the draft is of an earlier identity of this file, of which the server need not be told.
    Result<TxnNo> discard(std::uint64_t number);
    // Open ones that were never given out by this call; they count as told from now on.
    Result<std::vector<Draft>> take_untold();

  private:
    struct Kept;
    Result<std::vector<Kept>> load(std::string_view condition, std::int64_t value);
    // By transaction number, the one named among them. not_found.
    Result<std::vector<Kept>> group_of(std::uint64_t number);
    Result<Draft> shown(const Kept& kept);
    Result<void> save(const Kept& kept);
    Result<void> move_key(std::vector<Kept>& group, EntityIx ix, const std::string& from, const std::string& to);
    // Names the conflict records that it leaves out. False: it did nothing else either.
    Result<bool> do_again(const Kept& kept, std::vector<std::string>& decided);
    Result<bool> is_decided(const wire::Op& op);
    Result<void> decide_again(const wire::Op& op);
    Result<void> mark(const std::vector<Kept>& group, DraftState state);
    Result<DraftRetry> mend(std::uint64_t number, DraftState state);

    Store& store_;
};

}  // namespace skerry::store
