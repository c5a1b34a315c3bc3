// Live queries: a query is run again when a table that it reads has changed, by whatever connection, and its
// callback is called when the result differs. Tables are found by SQLite's authorizer when the query is
// prepared, through views too. One that fails holds no other up; it is tried again whenever the file has changed, and once a
// second, because what failed may be the file. Thread rule: that of its Store; callbacks run inside add() and poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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
    // Numbers what other programs left open, then runs what may have changed. A query that fails is no error of this call but the
    // problem(), and its callback is called when it succeeds again, whatever it was told before.
    Result<void> poll();
    // Of the oldest query that fails now; null: none does.
    const Error* problem() const;

  private:
    struct Query {
        std::string text;
        std::function<void(const Table&)> callback;
        std::set<std::string> entities;
        bool reads_other_tables = false;  // tables that are not the model's: run at every change of the file
        std::uint64_t last_result = 0;
        std::optional<Error> problem{};
    };
    Result<sqlite::OwnedStatement> prepare(Query& query);
    Result<Table> run(Query& query);
    static std::uint64_t fingerprint(const Table& table);
    void run_again(std::uint64_t id);
    Result<std::set<std::string>> changed_entities();

    Store& store_;
    std::map<std::uint64_t, Query> queries_;
    std::uint64_t next_ = 1;
    std::int64_t seen_version_ = -1;
    std::map<std::string, std::int64_t> seen_changes_;
    Micros try_at_{0};  // mono; what fails
};

}  // namespace skerry::store
