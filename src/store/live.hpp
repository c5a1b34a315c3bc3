// Live queries: a query is run again when a table that it reads has changed, by whatever connection, and its
// callback is called when the result differs. Tables are found by SQLite's authorizer when the query is
// prepared, through views too. Thread rule: that of its Store; callbacks run inside poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "store/store.hpp"

namespace skerry::store {

class LiveQueries {
  public:
    explicit LiveQueries(Store& store) : store_(store) {}

    // Runs it once. Refuses what is not one read-only statement (invalid_argument).
    Result<std::uint64_t> add(std::string query, std::function<void(const Table&)> callback);
    void remove(std::uint64_t id);
    // The model's entities that such a query reads.
    Result<std::vector<EntityIx>> entities_of(std::string query);
    // Numbers what other programs left open, then runs what may have changed.
    Result<void> poll();

  private:
    struct Query {
        std::string text;
        std::function<void(const Table&)> callback;
        std::set<std::string> entities;
        bool reads_other_tables = false;  // tables that are not the model's: run at every change of the file
        std::uint64_t last_result = 0;
    };
    Result<sqlite::OwnedStatement> prepare(Query& query);
    Result<Table> run(Query& query);
    static std::uint64_t fingerprint(const Table& table);

    Store& store_;
    std::map<std::uint64_t, Query> queries_;
    std::uint64_t next_ = 1;
    std::int64_t seen_version_ = -1;
    std::map<std::string, std::int64_t> seen_changes_;
};

}  // namespace skerry::store
