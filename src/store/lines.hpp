// Scope lines: why a row is here. A line is (entity, key, scope); rows of a whole entity's scope have none.
//
// A row that loses a line does not go at once: another frame of the same checkpoint may give it one. So a lost line becomes a
// mark, a line of a negative scope that tells the reason; at the checkpoint's end the rows with marks and without lines go:
//
//   (house, k, 70001)  --leave, lost scope, slice-->  (house, k, -why)   no other line: the row goes
//
// All of it is SQL on sets: a lost right may concern a hundred thousand rows. Used by Applier only.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "store/tables.hpp"
#include "wire/messages.hpp"

namespace skerry::store {

class Store;

class Lines {
  public:
    explicit Lines(Store& store) : store_(store) {}

    // Scopes that are granted from now on.
    Result<void> grant(const std::vector<wire::ScopeInfo>& scopes);
    // All that are granted. Numbers may mean something else than before (a restored server): lines follow the scopes' names.
    Result<void> replace_all(const std::vector<wire::ScopeInfo>& scopes);
    Result<void> complete(wire::ScopeId scope);
    Result<void> lost(wire::ScopeId scope);
    Result<bool> is_whole(wire::ScopeId scope);

    Result<void> add(EntityIx ix, std::string_view key, wire::ScopeId scope);
    // For a row that is here, visible or as a base; else nothing.
    Result<void> add_if_here(EntityIx ix, const std::vector<std::string>& keys, wire::ScopeId scope);
    Result<void> leave(EntityIx ix, const std::vector<std::string>& keys, wire::ScopeId scope, wire::Left why);
    // The slice's rows are all of its range in its scopes. Writes only what differs.
    Result<void> slice(const wire::Slice& part);
    Result<void> drop(EntityIx ix, std::string_view key);  // lines and marks

    // ---- at the end ----
    Result<std::vector<EntityIx>> marked_entities();
    // After it only rows that go have marks.
    enum class Keep { kHeld, kAll };
    Result<void> settle_marks(EntityIx ix, Keep keep);
    struct Marked {
        std::string key;
        wire::Left why;
    };
    // Of the marked rows those with unsettled operations, or all.
    enum class Which { kWithOps, kAll };
    Result<std::vector<Marked>> marked(EntityIx ix, Which which);
    Result<bool> right_lost(EntityIx ix);  // some row is marked for another reason than its deletion
    Result<void> drop_marks(EntityIx ix);

  private:
    Result<void> mark_strays(const wire::Slice& part);
    struct Known {
        EntityIx entity;
        bool whole = false;
        bool granted = false;
    };
    Result<Known> find(wire::ScopeId scope);
    Result<void> check_line(EntityIx ix, wire::ScopeId scope);
    Result<void> put_scope(const wire::ScopeInfo& scope);
    Result<void> mark_scope(wire::ScopeId scope, EntityIx entity, bool whole);
    Result<std::map<std::string, std::vector<wire::ScopeId>, std::less<>>> in_range(const wire::Slice& part);

    Store& store_;
    bool marks_ = false;
    std::unordered_map<std::uint32_t, Known> known_;  // scopes looked up in this checkpoint
};

}  // namespace skerry::store
