// The reads that a snapshot and a write transaction share, over one connection.
#pragma once

#include "server/storage/sqlite/relations.hpp"
#include "server/storage/sqlite/rule_sql.hpp"
#include "server/storage/storage.hpp"
#include "sqlite/database.hpp"

namespace skerry::server::storage {

// Statements that are kept stay planned: without it SQLite plans one that says "LIMIT ?" anew for every value that it is given.
void keep_plans(sqlite::Database& db);

// The statements of one entity's table, built once.
struct EntitySql {
    std::string select;  // one row by key: attributes in model order
    std::string range;   // -> attributes and key of the rows from ?1 to ?2, by key
    std::string insert;
    std::string remove;
    std::string sequence;  // moves what was touched to a batch, in the scope of all rows; ?1 scope, ?2 entity, ?3 seq
    std::string queued;    // -> key and attributes of rows that were touched; ?1 entity
    std::string gone;      // last image by key
    // Which updates are kept prepared: any set of attributes may be named, so the number is bounded.
    std::vector<std::string> kept_updates;
};

struct Tables {
    explicit Tables(const model::Model& model);
    const model::Model& model;
    std::vector<EntitySql> entities;
    Relations relations;
    std::optional<RuleSet> rules{};  // as they were adopted last, if by this process
};

inline constexpr std::string_view kDeviceColumns = "ix, user, name, seen, keep_from, acked, enrolled_us, held, heard_us, forgotten, id";
DeviceRow device_from(const sqlite::Statement& row);
Result<std::optional<DeviceRow>> read_device(sqlite::Database& db, const DeviceId& id);
Result<std::vector<DeviceRow>> read_devices(sqlite::Database& db);
Result<std::vector<Holding>> read_holdings(sqlite::Database& db, Micros heard_since);
Result<std::vector<std::uint64_t>> read_grant_sets_since(sqlite::Database& db, Micros made);
Result<std::int64_t> read_first_batch_since(sqlite::Database& db, Micros than);
Result<std::optional<TokenRow>> read_token(sqlite::Database& db, BytesView hash);
Result<FoundRows> read_rows(sqlite::Database& db, const Tables& tables, EntityIx entity,
                            std::span<const std::string> keys);
// One row from a statement over `key` that gives the attributes.
Result<std::optional<model::Row>> read_row(sqlite::Statement& get, const model::Entity& entity, std::string_view key);
Result<std::optional<wire::Outcome>> read_outcome(sqlite::Database& db, DeviceIx device, TxnNo no);
Result<Mark> read_last(sqlite::Database& db);
Result<bool> read_queue_empty(sqlite::Database& db);

// From the columns no, verdict, code, root, message.
wire::Outcome outcome_from(const sqlite::Statement& row);

inline std::int64_t to_sql(std::uint64_t v) { return static_cast<std::int64_t>(v); }
inline std::uint64_t from_sql(std::int64_t v) { return static_cast<std::uint64_t>(v); }

// Implements Reads for whichever of its two children.
template <class Base>
class OnConnection : public Base {
  public:
    OnConnection(sqlite::Database& db, const Tables& tables) : db_(db), tables_(tables) {}
    Result<std::optional<DeviceRow>> device(const DeviceId& id) override { return read_device(db_, id); }
    Result<std::optional<TokenRow>> token(BytesView hash) override { return read_token(db_, hash); }
    Result<FoundRows> rows(EntityIx entity, std::span<const std::string> keys) override {
        return read_rows(db_, tables_, entity, keys);
    }
    Result<std::optional<wire::Outcome>> outcome(DeviceIx device, TxnNo no) override {
        return read_outcome(db_, device, no);
    }
    Result<Mark> last() override { return read_last(db_); }
    Result<bool> queue_empty() override { return read_queue_empty(db_); }

  protected:
    sqlite::Database& db_;
    const Tables& tables_;
};

}  // namespace skerry::server::storage
