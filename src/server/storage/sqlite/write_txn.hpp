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
    Result<std::optional<std::string>> open_record(std::string_view entity, std::string_view key, std::string_view attribute,
                                                   std::string_view author) override;
    Result<std::optional<model::Row>> gone(const KeyRef& at) override;
    Result<void> put_history(const HistoryRow& row) override;
    Result<void> put_draft(const Draft& draft) override;
    Result<void> close_drafts(DeviceIx device, std::span<const TxnNo> numbers, DraftState state) override;
    Result<void> put_log(const LogRow& row) override;
    Result<bool> purge_older(Micros than, std::size_t limit) override;
    Result<Forgotten> forget_tombstones(const std::function<Seq(wire::ScopeId)>& needless, const TombstoneAt& after, Seq upto,
                                        std::size_t limit) override;
    Result<ForgottenScopes> forget_scopes(const std::function<bool(wire::ScopeId)>& wanted, wire::ScopeId after, std::size_t limit) override;
    Result<bool> forget_marks(Seq old, std::size_t limit) override;
    Result<bool> forget_grant_sets(Micros made_before, std::size_t limit) override;
    Result<std::int64_t> judging() override;
    Result<std::vector<KeyRef>> follow_deletes(std::int64_t begin) override;
    Result<std::optional<Breach>> breach(std::int64_t begin) override;
    Result<bool> holds(const KeyRef& at, std::string_view expression) override;
    Result<void> insert(EntityIx entity, std::string_view key, const model::Row& row) override;
    Result<void> update(EntityIx entity, std::string_view key, std::span<const Assignment> values) override;
    Result<void> remove(EntityIx entity, std::string_view key) override;
    Result<void> savepoint() override;
    Result<void> release() override;
    Result<void> rollback_to() override;
    Result<Sequenced> sequence(std::uint64_t mark, std::span<const ScopeRule> rules, Micros now) override;
    Result<void> adopt_rules(std::span<const ScopeRule> rules, std::uint64_t mark, Micros now) override;
    Result<void> make_scopes(std::span<const ScopeKey> keys) override;
    Result<void> put_grant_set(std::uint64_t hash, Scopes scopes, Micros now) override;
    Result<void> commit() override;

  private:
    SqliteWriteTxn(sqlite::Database& db, Tables& tables, sqlite::Transaction txn)
        : OnConnection(db, tables), writing_(tables), txn_(std::move(txn)) {}
    Result<void> run(std::string_view sql);
    // Entities with rows written since.
    Result<std::vector<EntityIx>> written(std::int64_t begin);
    Result<std::vector<std::string>> orphans(const RelationSql& relation, std::int64_t begin);
    Result<void> put_batch(const Mark& batch, Micros now);
    Result<std::vector<EntityIx>> touch(Micros now);
    Result<std::uint64_t> finish_batch(Seq seq);
    // True: it wrote to the rows.
    Result<bool> look_at_queued(EntityIx entity, Micros now);
    Result<const RuleSet*> rules_in_force(std::span<const ScopeRule> rules);
    Result<void> follow_rules(const RuleSet& set, std::span<const EntityIx> touched, Seq seq);
    Result<void> place_rows(const RuleSet& set, const RuleSql& rule);
    Result<void> put_rules(std::span<const ScopeRule> rules);
    Result<void> forget_rule(std::int64_t id, EntityIx entity);
    // `without_trace`: the seq of rows that are in no scope.
    Result<void> fill_rule(const RuleSet& set, const RuleSql& rule, Seq without_trace);
    Result<void> set_quarantined(const KeyRef& at, const std::string& reason, Micros now);

    Tables& writing_;
    sqlite::Transaction txn_;
    bool judging_ = false;  // the constraint triggers stand aside
};

}  // namespace skerry::server::storage
