// Reading and writing the rows of one entity, with statements prepared once. Rows are model::Row.
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
    EntityTable(sqlite::Database& db, const model::Entity& entity) : db_(db), entity_(entity), sql_(entity) {}

    const model::Entity& entity() const { return entity_; }
    const EntitySql& sql() const { return sql_; }

    Result<std::optional<model::Row>> visible(std::string_view key);
    Result<std::optional<model::Row>> base(std::string_view key);
    Result<void> put_base(std::string_view key, const model::Row& row);
    Result<void> erase_base(std::string_view key);
    // UPDATE, then INSERT if there was no row: an upsert would fire the app's triggers of both.
    Result<void> put_visible(std::string_view key, const model::Row& row);
    Result<void> insert_visible(std::string_view key, const model::Row& row);
    Result<void> erase_visible(std::string_view key);
    Result<std::vector<std::string>> keys_in_range(std::string_view after, const std::optional<std::string>& upto, std::size_t limit);

  private:
    Result<std::optional<model::Row>> read(const std::string& sql, std::string_view key);
    Result<void> write(const std::string& sql, std::string_view key, const model::Row& row);

    sqlite::Database& db_;
    const model::Entity& entity_;
    EntitySql sql_;
};

// One operation of the journal on a row.
struct JournalOp {
    TxnNo txn;
    wire::Op op;
};

// All rows of a store: tables by entity, and the unsettled operations on them.
class Tables {
  public:
    Tables(sqlite::Database& db, const model::Model& model);
    EntityTable& of(EntityIx ix) { return *tables_[ix.value]; }
    const model::Model& model() const { return model_; }

    Result<bool> journal_is_empty();
    // Unsettled operations on a row, oldest first.
    Result<std::vector<JournalOp>> ops(EntityIx entity, std::string_view key);
    Result<bool> has_ops(EntityIx entity, std::string_view key);
    // visible = base + unsettled operations: writes the row anew, and drops the base row when none is left.
    Result<void> recompute(EntityIx entity, std::string_view key);
    Result<void> mark_changed(EntityIx entity);

  private:
    sqlite::Database& db_;
    const model::Model& model_;
    std::vector<std::unique_ptr<EntityTable>> tables_;
};

// base + ops: the row that the app sees, or none.
std::optional<model::Row> rebase(std::optional<model::Row> base, const std::vector<JournalOp>& ops);

}  // namespace skerry::store
