// The device's database: ordinary typed tables that any SQLite program may use, and beside them what sync
// needs. One Store is one connection; the app and the engine may each have one on the same file.
//
// Invariants
//   - A write by anybody is captured by plain triggers in that writer's own transaction (schema.hpp).
//   - At most one group of captured writes is open in a file; every write transaction of this class is BEGIN
//     IMMEDIATE and first numbers what others left open (numbering.hpp).
//   - visible row = base row + unsettled operations in order. Rows without unsettled operations have no base
//     row: they are their own (rebase.hpp).
//   - A checkpoint is applied in one transaction with the cursor (checkpoint.hpp).
//
// Thread rule: a Store belongs to one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <skerry/value.hpp>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "sqlite/database.hpp"
#include "store/meta.hpp"

namespace skerry::store {

struct StoreOptions {
    std::string path;
    std::string vfs;          // empty = the operating system's
    std::string device_name;  // used when the store is made
    Bytes model;              // compiled; adopted when the store has none yet
    int busy_timeout_ms = 5000;
};

class Store {
  public:
    // Opens or makes the file. Errors: format_too_new, corrupt_store, model_mismatch (a model is passed that is
    // not the store's), io, busy.
    static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock, Random& random);

    bool has_model() const { return model_.has_value(); }
    const model::Model& model() const { return *model_; }
    std::uint64_t model_hash() const { return model_hash_; }
    // Makes the tables and triggers of a compiled model in a store that has none. model_mismatch if it has another.
    Result<void> adopt_model(BytesView compiled);
    // Another connection may have given the file its model meanwhile.
    Result<void> reload_model();

    // ---- the app's side ----
    // One statement, a transaction by itself unless begin() was called. Transaction control is refused.
    Result<Table> sql(std::string_view statement, const std::vector<Value>& parameters = {});
    Result<void> begin();
    // Numbers inside a savepoint, then commits. After an error the transaction is open still: call again or roll back.
    Result<void> commit();
    void rollback();
    bool in_transaction() const { return open_.has_value(); }
    // What a form showed and what its user made of it: writes only what differs, with `shown` as the old values,
    // so that an edit begun before a checkpoint overwrites nothing unseen. Inside begin()/commit().
    Result<void> update(std::string_view entity, std::string_view key,
                        const std::vector<std::pair<std::string, Value>>& shown,
                        const std::vector<std::pair<std::string, Value>>& edited);

    // ---- both sides ----
    // Numbers what is open (by whomever), in a transaction of its own. True if there was anything.
    Result<bool> number_open();
    Meta& meta() { return *meta_; }
    sqlite::Database& db() { return db_; }
    const Clock& clock() const { return clock_; }
    Random& random() { return random_; }

    // A number that changes whenever another connection commits; and one that grows with each own commit.
    Result<std::int64_t> data_version();

  private:
    Store(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
    Result<Table> run(std::string_view statement, const std::vector<Value>& parameters);
    Result<void> prepare_file(const StoreOptions& options);

    const Clock& clock_;
    Random& random_;
    sqlite::Database db_;
    std::unique_ptr<Meta> meta_;
    std::optional<model::Model> model_;
    std::uint64_t model_hash_ = 0;
    std::optional<sqlite::Transaction> open_;
};

}  // namespace skerry::store
