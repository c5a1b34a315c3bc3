// The rows that this device holds of the server's, for comparing: base rows, never what unsettled operations make of them.
//
// A row is here as the server has it in skerry_quarantine where it could not be stored, else in skerry_base_<entity> where
// operations are unsettled, else in its table. Which rows count follows skerry_scope: an entity held whole has all of
// them, without lines; any other those with a line of a complete scope, with these lines, and strays: rows without any
// line, which nothing brought.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/value.hpp"
#include "sqlite/database.hpp"
#include "wire/check.hpp"

namespace skerry::store {

class Store;

// Entities of which at least one scope is complete, by position.
Result<std::vector<EntityIx>> held_entities(Store& store);

// Reads by key, ascending. One at a time for each entity, inside a transaction that keeps the view.
class HeldRows {
  public:
    static Result<std::unique_ptr<HeldRows>> open(Store& store, const wire::KeyRange& range);
    ~HeldRows();
    HeldRows(const HeldRows&) = delete;
    HeldRows& operator=(const HeldRows&) = delete;
    // False at the end.
    Result<bool> next(wire::HeldRow& row);

  private:
    // Rows of one of the three places; the row at hand is the one with `key`.
    struct Source {
        sqlite::Statement get;
        std::optional<std::string> key;
        std::optional<model::Row> row;  // empty: what is there does not decode
        bool encoded = false;
    };
    HeldRows(const model::Entity& entity, const wire::KeyRange& range) : entity_(entity), range_(range) {}
    Result<void> step(Source& source);
    Result<void> step_lines();
    // The lines of `key`; false: the row does not count.
    Result<bool> lines_of(const std::string& key, std::vector<wire::ScopeId>& lines);

    const model::Entity& entity_;
    const wire::KeyRange range_;  // bound: it stays where it is
    bool whole_ = false;
    bool strays_ = false;  // no whole scope of the entity is on its way, which could have brought a row without a line
    Source sources_[3];    // in the order in which they count
    sqlite::Statement lines_;
    std::optional<std::string> line_key_;
};

}  // namespace skerry::store
