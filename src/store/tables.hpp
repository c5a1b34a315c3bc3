// Reading and writing the rows of one entity, with statements prepared once. Rows are model::Row.
//
// Writes of rows that the app sees happen inside an Applying: the triggers that capture stand aside, and the app's own
// fire, behind guards (guards.cpp). Without triggers of the app all of them are switched off: rows then arrive at the
// speed of plain inserts, which a trigger whose WHEN is false would halve.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/value.hpp"
#include "sqlite/database.hpp"
#include "store/schema.hpp"
#include "wire/transaction.hpp"

namespace skerry::store {

class EntityTable {
  public:
    EntityTable(sqlite::Database& db, const model::Entity& entity, const bool& guarded);

    const model::Entity& entity() const { return entity_; }
    const EntitySql& sql() const { return sql_; }

    // Positions of attributes with more than one spelling, and of associations.
    const std::vector<std::uint32_t>& respelled() const { return respelled_; }
    const std::vector<std::uint32_t>& associations() const { return associations_; }

    Result<std::optional<model::Row>> visible(std::string_view key);
    Result<std::optional<model::Row>> base(std::string_view key);
    Result<bool> is_here(std::string_view key);  // visible
    // Visible and base rows whose lines are marks (lines.hpp).
    Result<void> erase_marked(EntityIx ix);
    Result<void> put_base(std::string_view key, const model::Row& row);
    Result<void> erase_base(std::string_view key);
    // UPDATE, then INSERT if there was no row: an upsert would fire the app's triggers of both.
    Result<void> put_visible(std::string_view key, const model::Row& row);
    Result<void> insert_visible(std::string_view key, const model::Row& row);
    Result<void> erase_visible(std::string_view key);
    // As the app would: captured, checked, not_found when there is no row.
    Result<void> set(std::string_view key, std::uint32_t attribute, const Value& value);
    Result<void> forget_named();
    Result<std::vector<std::string>> keys_in_range(std::string_view after, const std::optional<std::string>& upto, std::size_t limit);

  private:
    Result<std::optional<model::Row>> read(const std::string& sql, std::string_view key);
    Result<void> write(const std::string& sql, std::string_view key, const model::Row& row);

    Result<void> name(std::string_view key, const model::Row& row);

    sqlite::Database& db_;
    const model::Entity& entity_;
    EntitySql sql_;
    const bool& guarded_;
    bool named_ = false;  // skerry_named_<entity> holds a row
    std::vector<std::uint32_t> respelled_;
    std::vector<std::uint32_t> associations_;
};

// One operation of the journal on a row.
struct JournalOp {
    TxnNo txn;
    wire::Op op;
};

// All rows of a store: tables by entity, and the unsettled operations on them. Lives as long as its model does.
class Tables {
  public:
    Tables(sqlite::Database& db, const model::Model& model);
    Tables(const Tables&) = delete;
    Tables& operator=(const Tables&) = delete;
    EntityTable& of(EntityIx ix) { return *tables_[ix.value]; }
    const model::Model& model() const { return model_; }

    Result<bool> journal_is_empty();
    // Unsettled operations on a row, oldest first.
    Result<std::vector<JournalOp>> ops(EntityIx entity, std::string_view key);
    Result<bool> has_ops(EntityIx entity, std::string_view key);
    // visible = base + unsettled operations: writes the row anew, and drops the base row when none is left.
    Result<void> recompute(EntityIx entity, std::string_view key);
    Result<void> mark_changed(EntityIx entity);
    // The app has triggers of its own, which fire behind guards while an Applying lives.
    bool guarded() const { return guarded_; }

  private:
    friend class Applying;
    sqlite::Database& db_;
    const model::Model& model_;
    bool guarded_ = false;
    std::vector<std::unique_ptr<EntityTable>> tables_;
};

// While it lives, writes are the engine's own. Inside a write transaction; after an error that ends it, the transaction
// is rolled back, which takes the rest back.
class Applying {
  public:
    explicit Applying(Tables& tables) : tables_(tables) {}
    Applying(const Applying&) = delete;
    Applying& operator=(const Applying&) = delete;
    ~Applying();
    Result<void> begin();
    Result<void> end();

  private:
    Tables& tables_;
};

// base + ops: the row that the app sees, or none.
std::optional<model::Row> rebase(const model::Entity& entity, std::optional<model::Row> base, const std::vector<JournalOp>& ops);

}  // namespace skerry::store
