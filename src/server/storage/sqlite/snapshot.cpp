#include "server/storage/sqlite/snapshot.hpp"

#include "server/storage/sqlite/members.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::Statement;

constexpr std::size_t kIdleMax = 8;  // each holds a page cache; more pulls at once open and close theirs

class SqliteSnapshot final : public OnConnection<Snapshot> {
  public:
    SqliteSnapshot(ReadPool& pool, std::unique_ptr<ReadConnection> connection, const Tables& tables, sqlite::Transaction txn)
        : OnConnection(connection->db, tables), pool_(pool), owned_(std::move(connection)), txn_(std::move(txn)) {}
    ~SqliteSnapshot() override {
        txn_.rollback();
        pool_.give_back(std::move(owned_));
    }

    // Of one connection it moves with every commit of another one; this one commits nothing.
    Result<ViewOf> of() override {
        SKERRY_ASSIGN(const std::int64_t version, db_.integer("PRAGMA data_version"));
        return ViewOf{owned_->number, from_sql(version)};
    }

    Result<bool> knows(const Mark& mark) override {
        SKERRY_ASSIGN(const auto known, mark_of(mark.seq));
        return known && *known == mark.mark;
    }

    Result<std::optional<std::uint64_t>> mark_of(Seq seq) override {
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT mark FROM skerry_batch WHERE seq = ?1"));
        SKERRY_ASSIGN(const bool row, get.bind(1, to_sql(seq.value)).step());
        if (!row) return std::nullopt;
        const std::uint64_t mark = from_sql(get.integer(0));
        get.reset();
        return mark;
    }

    Result<std::vector<wire::Outcome>> outcomes_between(DeviceIx device, Seq after, Seq upto) override {
        SKERRY_ASSIGN(Statement get,
                      db_.prepare("SELECT no, verdict, code, root, message, id8 FROM skerry_outcome CROSS JOIN skerry_seen USING(device, no) "
                                  "WHERE device = ?1 AND seq > ?2 AND seq <= ?3 ORDER BY no"));
        get.bind(1, device.value).bind(2, to_sql(after.value)).bind(3, to_sql(upto.value));
        return outcomes(get);
    }

    Result<std::vector<wire::Outcome>> outcomes_from(DeviceIx device, TxnNo from) override {
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT no, verdict, code, root, message, id8 FROM skerry_outcome CROSS JOIN skerry_seen USING(device, no) "
                                                 "WHERE device = ?1 AND no >= ?2 ORDER BY no"));
        get.bind(1, device.value).bind(2, to_sql(from.value));
        return outcomes(get);
    }

    Result<std::vector<KeyRef>> result_keys_from(DeviceIx device, TxnNo from) override {
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT DISTINCT entity, key FROM skerry_result "
                                                 "WHERE device = ?1 AND no >= ?2 ORDER BY entity, key"));
        get.bind(1, device.value).bind(2, to_sql(from.value));
        std::vector<KeyRef> keys;
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            keys.push_back({EntityIx{static_cast<std::uint32_t>(get.integer(0))}, std::string(get.text(1))});
        }
        get.reset();
        return keys;
    }

    Result<std::vector<std::optional<wire::ScopeId>>> scopes(std::span<const ScopeKey> keys) override {
        SKERRY_ASSIGN(const std::uint64_t hash, read_rules_hash(db_));
        if (!tables_.rules || tables_.rules->hash != hash)
            return fail(Code::kInternal, "the scopes of the server's database were made from other rules");
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT id FROM skerry_scope WHERE rule = ?1 AND key = ?2"));
        std::vector<std::optional<wire::ScopeId>> found;
        found.reserve(keys.size());
        for (const ScopeKey& key : keys) {
            const RuleSql& rule = tables_.rules->rules[key.rule];
            SKERRY_ASSIGN(const bool row, get.bind(1, rule.id).bind_text(2, key.key).step());
            found.push_back(row ? std::optional(wire::ScopeId{static_cast<std::uint32_t>(get.integer(0))}) : std::nullopt);
            get.reset();
        }
        return found;
    }

    Result<std::optional<std::vector<wire::ScopeId>>> grant_set(std::uint64_t hash) override {
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT scopes FROM skerry_grant_set WHERE hash = ?1"));
        SKERRY_ASSIGN(const bool row, get.bind(1, to_sql(hash)).step());
        if (!row) return std::nullopt;
        SKERRY_ASSIGN(auto scopes, unpacked(get.blob(0)));
        get.reset();
        return scopes;
    }

    Result<std::vector<std::optional<EntityIx>>> entities_of(Scopes scopes) override { return read_entities_of(db_, scopes); }

    Result<std::vector<std::string>> principal_values(const std::string& name, const std::string& query, const Parameters& parameters) override {
        return read_principal_values(owned_->db, owned_->guarded, {name, query, parameters});
    }

    Result<std::unique_ptr<MemberCursor>> changed(EntityIx entity, Scopes scopes, Seq after, Seq upto, Live live) override {
        return read_changed(db_, entity, scopes, after, upto, live);
    }
    Result<Changed> changed_in(Scopes scopes, Seq after, Seq upto, std::uint64_t limit) override {
        return read_changed_in(db_, scopes, after, upto, limit);
    }
    Result<std::vector<Member>> members_after(EntityIx entity, Scopes scopes, const std::string& after, const std::optional<std::string>& upto,
                                              std::size_t limit) override {
        return read_members(db_, entity, scopes, {after, upto}, limit);
    }
    Result<std::uint64_t> member_count(EntityIx entity, Scopes scopes) override { return count_members(db_, entity, scopes); }
    Result<std::vector<Member>> memberships(EntityIx entity, Scopes scopes, std::span<const std::string> keys) override {
        return read_memberships(db_, entity, scopes, keys);
    }
    Result<std::vector<Member>> kept_by(EntityIx entity, Scopes in, wire::ScopeId lost, Seq after) override {
        return read_kept_by(db_, entity, in, lost, after);
    }
    Result<Seq> floor(Scopes scopes) override { return read_floor(db_, scopes); }
    Result<std::vector<DeviceRow>> devices() override { return read_devices(db_); }
    Result<std::vector<Holding>> holdings(Micros heard_since) override { return read_holdings(db_, heard_since); }
    Result<std::vector<std::uint64_t>> grant_sets_since(Micros made) override { return read_grant_sets_since(db_, made); }
    Result<Seq> last_before(Micros than) override {
        SKERRY_ASSIGN(const std::int64_t first, read_first_batch_since(db_, than));
        return Seq{from_sql(first - 1)};
    }

  private:
    static Result<std::vector<wire::Outcome>> outcomes(Statement& get) {
        std::vector<wire::Outcome> found;
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            found.push_back(outcome_from(get));
        }
        get.reset();
        return found;
    }

    ReadPool& pool_;
    std::unique_ptr<ReadConnection> owned_;
    sqlite::Transaction txn_;
};

}  // namespace

Result<std::unique_ptr<ReadConnection>> ReadPool::take() {
    if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
    }
    SKERRY_ASSIGN(auto opened, sqlite::Database::open(path_, {.vfs = vfs_, .mode = sqlite::Open::kReadWrite}));
    auto connection = std::make_unique<ReadConnection>(ReadConnection{{}, std::move(opened), ++opened_});
    // Opened for writing because WAL readers keep the shared index; nothing is written through it.
    SKERRY_TRY(connection->db.exec("PRAGMA query_only = 1; PRAGMA cache_size = -8000"));
    keep_plans(connection->db);
    guard(connection->db, connection->guarded);
    return connection;
}

void ReadPool::give_back(std::unique_ptr<ReadConnection> connection) {
    if (idle_.size() < kIdleMax && !connection->db.in_transaction()) idle_.push_back(std::move(connection));
}

Result<std::unique_ptr<Snapshot>> open_snapshot(ReadPool& pool, const Tables& tables) {
    SKERRY_ASSIGN(auto connection, pool.take());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_read(connection->db));
    // BEGIN alone fixes nothing; the first read does.
    SKERRY_TRY(read_last(connection->db));
    return std::unique_ptr<Snapshot>(
        std::make_unique<SqliteSnapshot>(pool, std::move(connection), tables, std::move(txn)));
}

}  // namespace skerry::server::storage
