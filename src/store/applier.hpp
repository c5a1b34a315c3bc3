// The work of one checkpoint inside its transaction, frame by frame. Used by Staging only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "store/checkpoint.hpp"
#include "store/left.hpp"
#include "store/lines.hpp"
#include "store/modes.hpp"
#include "store/settling.hpp"
#include "store/store.hpp"

namespace skerry::store {

class Applier {
  public:
    explicit Applier(Store& store) : store_(store), tables_(store.tables()), settling_(store), lines_(store), left_(store) {}

    // Before the Applying begins, because a change of profile may number what it releases.
    Result<void> take_profile(const std::string& profile);
    Result<void> begin(const wire::Begin& begin);
    Result<void> frame(wire::FrameType type, BytesView payload);
    Result<void> finish();

    ApplyReport take_report() { return std::move(report_); }
    bool complete() const { return !token_.empty(); }
    const Bytes& token() const { return token_; }

  private:
    using Key = std::pair<EntityIx, std::string>;

    Result<void> settle(const wire::Outcome& outcome);
    Result<void> keep_as_base(TxnNo no, const wire::Op& op);
    Result<void> body(EntityIx ix, const wire::RowEntry& entry);
    Result<void> quarantine(EntityIx ix, std::string_view key, const model::Row& row, const Error& why);
    Result<void> release(EntityIx ix, std::string_view key);
    Result<void> leave(const wire::Leaves& leaves);
    Result<void> slice(const wire::Slice& slice);
    Result<void> remove(EntityIx ix, const std::string& key, wire::Left why);
    Result<void> sweep(EntityIx ix);
    Result<void> recompute(EntityIx ix, const std::string& key);

    Store& store_;
    Tables& tables_;
    Settling settling_;
    Lines lines_;
    LeftRows left_;
    Modes modes_;
    ApplyReport report_;
    Bytes token_;
    bool caught_up_ = false;
    bool journal_empty_ = false;
    bool some_quarantined_ = false;  // before this checkpoint, or in it
    bool right_lost_ = false;        // rows went that the user may not have any more
    std::set<Key> recompute_;        // rows whose base or operations changed
    std::set<Key> written_;          // rows with a change from here that landed in this checkpoint and is not their deletion
    std::map<Key, wire::Left> gone_; // rows that the server took away
    std::set<EntityIx> changed_;
};

}  // namespace skerry::store
