// A write transaction on the backend's one writing connection.
#pragma once

#include <optional>

#include "server/storage/sqlite/reading.hpp"

namespace skerry::server::storage {

class SqliteWriteTxn final : public OnConnection<WriteTxn> {
  public:
    // `tables` remembers which updates are kept prepared; both outlive the transaction.
    static Result<std::unique_ptr<WriteTxn>> begin(sqlite::Database& db, Tables& tables, Patience patience);

    Result<void> put_device(DeviceRow& device) override;
    Result<void> put_token(const TokenRow& token) override;
    Result<std::optional<std::uint64_t>> seen(DeviceIx device, TxnNo no) override;
    Result<void> put_seen(DeviceIx device, TxnNo no, std::uint64_t id8) override;
    Result<void> put_outcome(DeviceIx device, const wire::Outcome& outcome) override;
    Result<void> put_result(DeviceIx device, const ResultRow& result) override;
    Result<std::optional<ResultRow>> result(DeviceIx device, TxnNo no, const KeyRef& at,
                                            std::string_view attribute) override;
    Result<void> purge_below(DeviceIx device, TxnNo keep_from) override;
    Result<std::optional<Record>> record(RecordId id) override;
    Result<std::optional<Record>> open_record(const KeyRef& at, std::string_view attribute,
                                              std::string_view author) override;
    Result<void> put_record(Record& record) override;
    Result<void> put_history(const HistoryRow& row) override;
    Result<void> put_draft(const Draft& draft) override;
    Result<void> insert(EntityIx entity, std::string_view key, const model::Row& row) override;
    Result<void> update(EntityIx entity, std::string_view key, std::span<const Assignment> values) override;
    Result<void> remove(EntityIx entity, std::string_view key) override;
    Result<void> savepoint() override;
    Result<void> release() override;
    Result<void> rollback_to() override;
    Result<Mark> sequence(std::uint64_t mark, std::span<const WholeScope> scopes, Micros now) override;
    Result<void> commit() override;

  private:
    SqliteWriteTxn(sqlite::Database& db, Tables& tables, sqlite::Transaction txn)
        : OnConnection(db, tables), writing_(tables), txn_(std::move(txn)) {}
    Result<void> run(std::string_view sql);

    Tables& writing_;
    sqlite::Transaction txn_;
};

}  // namespace skerry::server::storage
