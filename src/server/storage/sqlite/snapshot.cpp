#include "server/storage/sqlite/snapshot.hpp"

namespace skerry::server::storage {

namespace {

using sqlite::Statement;

constexpr std::size_t kIdleMax = 8;  // each holds a page cache; more pulls at once open and close theirs

class SqliteKeyCursor final : public KeyCursor {
  public:
    explicit SqliteKeyCursor(sqlite::OwnedStatement statement) : statement_(std::move(statement)) {}
    Result<void> next(std::size_t limit, std::vector<std::string>& keys) override {
        for (std::size_t i = 0; i < limit && !done_; ++i) {
            SKERRY_ASSIGN(const bool row, statement_->step());
            if (row) keys.emplace_back(statement_->text(0));
            done_ = !row;
        }
        return {};
    }

  private:
    sqlite::OwnedStatement statement_;
    bool done_ = false;
};

class SqliteSnapshot final : public OnConnection<Snapshot> {
  public:
    SqliteSnapshot(ReadPool& pool, std::unique_ptr<sqlite::Database> db, const Tables& tables, sqlite::Transaction txn)
        : OnConnection(*db, tables), pool_(pool), owned_(std::move(db)), txn_(std::move(txn)) {}
    ~SqliteSnapshot() override {
        txn_.rollback();
        pool_.give_back(std::move(owned_));
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

    Result<std::unique_ptr<KeyCursor>> changed(const WholeScope& scope, Seq after, Seq upto, Live live) override {
        // Reverse order for leaves is the caller's: keys of one entity have no order of reference among them.
        SKERRY_ASSIGN(auto get, db_.prepare_once("SELECT key FROM skerry_member INDEXED BY skerry_member_by_seq "
                                                 "WHERE scope = ?1 AND seq > ?2 AND seq <= ?3 AND live = ?4 ORDER BY key"));
        get->bind(1, std::int64_t{scope.scope.value}).bind(2, to_sql(after.value)).bind(3, to_sql(upto.value));
        get->bind(4, std::int64_t{live == Live::kYes ? 1 : 0});
        return std::unique_ptr<KeyCursor>(std::make_unique<SqliteKeyCursor>(std::move(get)));
    }

    Result<std::uint64_t> changed_count(const WholeScope& scope, Seq after, Seq upto, std::uint64_t limit) override {
        SKERRY_ASSIGN(Statement get,
                      db_.prepare("SELECT count(*) FROM (SELECT 1 FROM skerry_member INDEXED BY skerry_member_by_seq "
                                  "WHERE scope = ?1 AND seq > ?2 AND seq <= ?3 LIMIT ?4)"));
        get.bind(1, std::int64_t{scope.scope.value}).bind(2, to_sql(after.value)).bind(3, to_sql(upto.value));
        get.bind(4, to_sql(limit));
        return count(get);
    }

    Result<std::vector<std::string>> members_after(const WholeScope& scope, const std::string& after,
                                                   std::size_t limit) override {
        SKERRY_ASSIGN(Statement get, db_.prepare("SELECT key FROM skerry_member WHERE scope = ?1 AND entity = ?2 "
                                                 "AND key > ?3 AND live = 1 ORDER BY key LIMIT ?4"));
        get.bind(1, std::int64_t{scope.scope.value}).bind(2, std::int64_t{scope.entity.value});
        get.bind_text(3, after).bind(4, static_cast<std::int64_t>(limit));
        std::vector<std::string> keys;
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            keys.emplace_back(get.text(0));
        }
        get.reset();
        return keys;
    }

    Result<std::uint64_t> member_count(const WholeScope& scope) override {
        SKERRY_ASSIGN(Statement get,
                      db_.prepare("SELECT count(*) FROM skerry_member WHERE scope = ?1 AND entity = ?2 AND live = 1"));
        get.bind(1, std::int64_t{scope.scope.value}).bind(2, std::int64_t{scope.entity.value});
        return count(get);
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
    static Result<std::uint64_t> count(Statement& get) {
        SKERRY_ASSIGN(const bool row, get.step());
        const std::uint64_t n = row ? from_sql(get.integer(0)) : 0;
        get.reset();
        return n;
    }

    ReadPool& pool_;
    std::unique_ptr<sqlite::Database> owned_;
    sqlite::Transaction txn_;
};

}  // namespace

Result<std::unique_ptr<sqlite::Database>> ReadPool::take() {
    if (!idle_.empty()) {
        auto db = std::move(idle_.back());
        idle_.pop_back();
        return db;
    }
    SKERRY_ASSIGN(auto opened, sqlite::Database::open(path_, {.vfs = vfs_, .mode = sqlite::Open::kReadWrite}));
    auto db = std::make_unique<sqlite::Database>(std::move(opened));
    // Opened for writing because WAL readers keep the shared index; nothing is written through it.
    SKERRY_TRY(db->exec("PRAGMA query_only = 1; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -8000"));
    return db;
}

void ReadPool::give_back(std::unique_ptr<sqlite::Database> db) {
    if (idle_.size() < kIdleMax && !db->in_transaction()) idle_.push_back(std::move(db));
}

Result<std::unique_ptr<Snapshot>> open_snapshot(ReadPool& pool, const Tables& tables) {
    SKERRY_ASSIGN(auto db, pool.take());
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_read(*db));
    // BEGIN alone fixes nothing; the first read does.
    SKERRY_TRY(read_last(*db));
    return std::unique_ptr<Snapshot>(
        std::make_unique<SqliteSnapshot>(pool, std::move(db), tables, std::move(txn)));
}

}  // namespace skerry::server::storage
