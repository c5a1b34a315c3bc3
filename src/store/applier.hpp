// The work of one checkpoint inside its transaction, frame by frame. Used by Staging only.
#pragma once

#include <set>
#include <string>
#include <utility>

#include "store/checkpoint.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"

namespace skerry::store {

class Applier {
  public:
    explicit Applier(Store& store) : store_(store), tables_(store.tables()) {}

    Result<void> begin(const wire::Begin& begin);
    Result<void> frame(wire::FrameType type, BytesView payload);
    Result<void> finish();

    ApplyReport take_report() { return std::move(report_); }
    bool complete() const { return !token_.empty(); }
    const Bytes& token() const { return token_; }

  private:
    using Key = std::pair<EntityIx, std::string>;

    Result<void> put_scope(const wire::ScopeInfo& scope);
    Result<void> settle(const wire::Outcome& outcome);
    Result<void> archive(const wire::Outcome& outcome, const wire::Transaction& txn);
    Result<void> body(EntityIx ix, const wire::RowEntry& entry);
    Result<void> lines(EntityIx ix, const wire::RowEntry& entry);
    Result<void> put_line(EntityIx ix, std::string_view key, wire::ScopeId scope);
    Result<void> keep_draft(const wire::Outcome& outcome, const wire::Transaction& txn, BytesView payload);
    Result<void> recompute(EntityIx ix, const std::string& key);
    Result<void> quarantine(EntityIx ix, std::string_view key, const model::Row& row, const Error& why);
    Result<void> release(EntityIx ix, std::string_view key);
    Result<void> leave(EntityIx ix, wire::ScopeId scope, const std::string& key);
    Result<void> lost_scope(wire::ScopeId scope);
    Result<void> slice(const wire::Slice& slice);
    Result<void> remove(EntityIx ix, const std::string& key);
    Result<bool> is_whole(wire::ScopeId scope);
    Result<void> changed(EntityIx ix);

    Store& store_;
    Tables& tables_;
    ApplyReport report_;
    Bytes token_;
    bool journal_empty_ = false;
    bool some_quarantined_ = false;  // before this checkpoint, or in it
    std::set<Key> recompute_;   // rows whose base or operations changed
    std::set<Key> lost_lines_;  // rows that lost a scope line: they go when it was the last
    std::set<EntityIx> changed_;
};

}  // namespace skerry::store
