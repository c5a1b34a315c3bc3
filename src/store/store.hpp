// The device's database: ordinary typed tables that any SQLite program may use, and beside them what sync
// needs. One Store is one connection; the app and the engine may each have one on the same file.
//
// Invariants
//   - A write by anybody is captured by plain triggers in that writer's own transaction (schema.hpp).
//   - At most one group of captured writes is open in a file; every write transaction of this class is BEGIN
//     IMMEDIATE and first numbers what others left open (numbering.hpp).
//   - visible row = base row + unsettled operations in order. Rows without unsettled operations have no base
//     row: they are their own (tables.hpp).
//   - A checkpoint is applied in one transaction with the cursor (checkpoint.hpp).
//
// Thread rule: a Store belongs to one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <skerry/value.hpp>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "sqlite/database.hpp"
#include "store/meta.hpp"
#include "store/numbering.hpp"
#include "store/tables.hpp"

namespace skerry::store {

struct StoreOptions {
    std::string path;
    std::string vfs;          // empty = the operating system's
    std::string device_name;  // used when the store is made
    Bytes model;              // compiled; taken when the store has none yet, or an older one
    int busy_timeout_ms = 5000;
};

// The app's statements are kept prepared: preparing one brings in the triggers of its table, which takes longer than
// running it.
inline constexpr std::size_t kKeptStatementsMax = 100;       // each holds some 10 KB
inline constexpr std::size_t kKeptStatementBytesMax = 4096;  // longer texts hold their values and hardly come twice

class Store {
  public:
    // Opens or makes the file. Errors: format_too_new, corrupt_store, model_mismatch (a model is passed that is
    // neither the store's nor one before or after it), io, busy.
    static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock, Random& random);

    bool has_model() const { return model_.has_value(); }
    const model::Model& model() const { return *model_; }
    std::uint64_t model_hash() const { return model_hash_; }
    // Makes the tables and triggers of a compiled model in a store that has none, or takes the file over to a successor of
    // the model that it has (model/evolve.hpp): what is open is numbered first, columns and tables are added, triggers
    // made anew, all in one transaction; rows, journal and drafts stay. The same model again is nothing to do.
    // model_mismatch: another app's, an older one, or one that is no successor.
    Result<void> adopt_model(BytesView compiled);
    // Another connection may have given the file its model, or a newer one, meanwhile. Cheap when nothing changed.
    Result<void> reload_model();
    // Precondition: has_model(). Valid until reload_model() or a call that begins a transaction.
    Tables& tables() { return *tables_; }

    // ---- the app's side ----
    // One statement, a transaction by itself unless begin() was called. Transaction control is refused.
    Result<Table> sql(std::string_view statement, const std::vector<Value>& parameters = {});
    Result<void> begin(Terms terms = {});
    // Numbers inside a savepoint, then commits. After an error the transaction is open still: call again or roll back.
    Result<void> commit();
    void rollback();
    bool in_transaction() const { return open_.has_value(); }
    // Of the open transaction; they count when it commits.
    Terms& terms() { return terms_; }
    // Adds to the open transaction's terms. assert_failed when the row is here and it is definitely not so.
    Result<void> assert_row(std::string_view entity, std::string_view key, std::string_view expression);
    // What a form showed and what its user made of it: writes only what differs, with `shown` as the old values,
    // so that an edit begun before a checkpoint overwrites nothing unseen; counters and sets take the difference.
    // Inside begin()/commit().
    Result<void> update(std::string_view entity, std::string_view key,
                        const std::vector<std::pair<std::string, Value>>& shown,
                        const std::vector<std::pair<std::string, Value>>& edited);

    // The same for one attribute of a row whose entity is known.
    Result<void> change(EntityIx entity, std::string_view key, std::uint32_t attribute, const Value& shown, const Value& edited);
    // not_found names it.
    Result<EntityIx> entity_named(std::string_view name) const;
    Result<std::uint32_t> attribute_named(EntityIx entity, std::string_view name) const;

    // ---- both sides ----
    // Numbers what is open (by whomever), in a transaction of its own. True if there was anything.
    Result<bool> number_open();
    // Explicit sending: what an entity that the profile keeps on the device has collected becomes transactions, after what else
    // is open. True if there was anything; false too where the entity is an ordinary one. invalid_argument inside a transaction.
    Result<bool> number_kept(EntityIx entity);
    // After rows were taken away whose right was lost: their old pages go from the WAL too, unless somebody reads it now; then
    // the next call does it.
    Result<void> empty_wal();
    Meta& meta() { return *meta_; }
    sqlite::Database& db() { return db_; }
    const Clock& clock() const { return clock_; }
    Random& random() { return random_; }

    // A number that changes whenever another connection commits; and one that grows with each own commit.
    Result<std::int64_t> data_version();

  private:
    Store(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
    using Statements = std::unordered_map<std::string, sqlite::OwnedStatement, sqlite::TextHash, std::equal_to<>>;  // the app's, by their text
    using Kept = Statements::node_type;
    // Taken out while it runs.
    Result<Kept> take_statement(std::string_view text);
    void keep_statement(Kept kept);
    Result<Table> run(sqlite::Statement& statement, const std::vector<Value>& parameters);
    Result<void> prepare_file(const StoreOptions& options);
    Result<bool> number(const Terms& terms);
    Result<void> number_released();
    Result<std::optional<Value>> joined_with_own(EntityIx ix, std::string_view key, std::uint32_t at, const Value& shown, const Value& edited);
    Result<void> update_each(EntityIx ix, std::string_view key, const std::vector<std::pair<std::string, Value>>& shown,
                             const std::vector<std::pair<std::string, Value>>& edited);
    void use_model(model::Model model);
    Result<void> open_with(BytesView compiled);
    Result<void> make_tables(const model::Model& model);
    Result<void> evolve_tables(const model::Model& next);
    Result<void> make_triggers(const model::Model& model);

    const Clock& clock_;
    Random& random_;
    sqlite::Database db_;
    std::unique_ptr<Meta> meta_;
    std::optional<model::Model> model_;
    std::uint64_t model_hash_ = 0;
    std::unique_ptr<Tables> tables_;
    std::int64_t schema_seen_ = -1;  // PRAGMA schema_version when the model was last looked at
    Statements statements_;
    std::optional<sqlite::Transaction> open_;
    Terms terms_;  // of the open transaction
};

}  // namespace skerry::store
