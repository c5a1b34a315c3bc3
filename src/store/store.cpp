#include "store/store.hpp"

#include <sqlite3.h>

#include "base/planted.hpp"
#include "merge/merge.hpp"
#include "rules/rules.hpp"

namespace skerry::store {

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock, Random& random) {
    std::unique_ptr<Store> store(new Store(clock, random));
    sqlite::OpenOptions open_options{.vfs = options.vfs, .mode = sqlite::Open::kReadWriteCreate, .busy_timeout_ms = options.busy_timeout_ms};
    SKERRY_ASSIGN(store->db_, sqlite::Database::open(options.path, open_options));
    store->meta_ = std::make_unique<Meta>(store->db_);
    if (auto prepared = store->prepare_file(options); !prepared)
        return fail(std::move(prepared.error()), "opening the store " + options.path);
    SKERRY_TRY(store->reload_model());
    if (!options.model.empty()) SKERRY_TRY(store->open_with(options.model));
    // What was left open before a restart becomes a transaction now.
    SKERRY_TRY(store->number_open());
    SKERRY_TRY(store->empty_wal());
    return store;
}

Result<void> Store::prepare_file(const StoreOptions& options) {
    // In one look: another process may be making this very store.
    SKERRY_ASSIGN(const std::int64_t known, db_.integer("SELECT ifnull(max(name = 'skerry_meta'), 0) FROM sqlite_schema"));
    if (known == 0) {
        SKERRY_ASSIGN(const std::int64_t foreign, db_.integer("SELECT ifnull(min(name <> 'skerry_meta'), 0) FROM sqlite_schema"));
        if (foreign != 0)
            return fail(Code::kAlreadyExists, "the file is a SQLite database of another program; Skerry adds no tables to it");
    } else {
        SKERRY_ASSIGN(const auto format, meta_->integer(key::kFormat));
        if (format && *format > kStoreFormat)
            return fail(Code::kFormatTooNew, "the store has format " + std::to_string(*format) +
                                                 "; this program knows formats up to " + std::to_string(kStoreFormat));
        if (format && *format < kStoreFormat)
            return fail(Code::kNotSupported, "the store has format " + std::to_string(*format) + ", which was never released");
    }
    // FULL, not NORMAL: with NORMAL a power loss takes back commits that had returned.
    SKERRY_TRY(db_.exec("PRAGMA journal_mode = WAL"));
    SKERRY_TRY(db_.exec(planted(Plant::kStoreSynchronousNormal) ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL"));
    // REPLACE then fires the app's delete triggers, which its FTS5 tables need.
    SKERRY_TRY(db_.exec("PRAGMA recursive_triggers = ON; PRAGMA cache_size = -16384"));
    // Rows whose right is lost leave nothing in free pages; all the time, because a row lost tomorrow may have moved today.
    SKERRY_TRY(db_.exec("PRAGMA secure_delete = ON"));
    // A process that was killed inside a commit may have written it without syncing it: SQLite then finds it in the
    // WAL, everybody sees it, and a power loss would still take it back. A checkpoint syncs the WAL first.
    SKERRY_TRY(db_.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    if (known != 0) {
        SKERRY_ASSIGN(const auto device, meta_->bytes(key::kDevice));
        if (device) return {};
    }
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(db_.exec(internal_schema()));
    SKERRY_ASSIGN(const auto device, meta_->bytes(key::kDevice));
    if (!device) {
        SKERRY_TRY(meta_->set(key::kFormat, kStoreFormat));
        SKERRY_TRY(meta_->set_bytes(key::kDevice, random_.id<DeviceId>().view()));
        SKERRY_TRY(meta_->set_text(key::kDeviceName, options.device_name));
        SKERRY_TRY(meta_->set(key::kNextNo, 1));
    }
    return txn.commit();
}

Result<bool> Store::number_open() {
    if (!model_) return false;
    SKERRY_ASSIGN(const std::int64_t open, db_.integer("SELECT open_rows FROM skerry_state"));
    if (open == 0) return false;
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(reload_model());
    SKERRY_ASSIGN(const bool numbered, number({}));
    SKERRY_TRY(txn.commit());
    return numbered;
}

Result<bool> Store::number_kept(EntityIx entity) {
    if (open_) return fail(Code::kInvalidArgument, "number_kept() inside a transaction");
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(reload_model());
    if (!model_ || !model_->has(entity)) return fail(Code::kNotFound, "the model has no such entity");
    SKERRY_TRY(number({}));
    SKERRY_ASSIGN(const bool numbered, Numbering(db_, *meta_, *tables_, clock_, random_).number_kept(entity));
    SKERRY_TRY(txn.commit());
    return numbered;
}

Result<void> Store::number_released() {
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(reload_model());
    SKERRY_TRY(Numbering(db_, *meta_, *tables_, clock_, random_).number_released());
    return txn.commit();
}

Result<void> Store::empty_wal() {
    SKERRY_ASSIGN(const auto wanted, meta_->integer(key::kScrub));
    if (wanted.value_or(0) == 0) return {};
    // A reader may be at it for minutes: it is not waited for.
    SKERRY_ASSIGN(const std::int64_t timeout, db_.integer("PRAGMA busy_timeout"));
    SKERRY_TRY(db_.exec("PRAGMA busy_timeout = 0"));
    const auto blocked = db_.integer("PRAGMA wal_checkpoint(TRUNCATE)");
    SKERRY_TRY(db_.exec("PRAGMA busy_timeout = " + std::to_string(timeout)));
    if (!blocked) return fail(blocked.error());
    if (*blocked != 0) return {};
    auto done = meta_->erase(key::kScrub);
    // Somebody writes just now: the WAL is emptied once more then.
    return !done && done.error().code == Code::kBusy ? Result<void>{} : done;
}

Result<bool> Store::number(const Terms& terms) {
    return Numbering(db_, *meta_, *tables_, clock_, random_).number(terms);
}

Result<void> Store::begin(Terms terms) {
    if (open_) return fail(Code::kInvalidArgument, "a transaction is open already");
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_TRY(reload_model());
    // What other programs committed before us is a transaction of its own, never part of ours.
    if (model_) SKERRY_TRY(number({}));
    open_.emplace(std::move(txn));
    terms_ = std::move(terms);
    return {};
}

Result<void> Store::commit() {
    if (!open_) return fail(Code::kInvalidArgument, "no transaction is open");
    if (model_) {
        // In a savepoint: if the commit fails, pre-images are back and a retry is one transaction, not two.
        SKERRY_ASSIGN(sqlite::Statement savepoint, db_.prepare("SAVEPOINT skerry_numbering"));
        SKERRY_TRY(savepoint.run());
        auto done = number(terms_);
        Result<void> committed;
        if (done) {
            committed = open_->commit();
        } else {
            committed = fail(std::move(done.error()));
        }
        if (!committed) {
            if (db_.in_transaction()) SKERRY_TRY(db_.exec("ROLLBACK TO skerry_numbering; RELEASE skerry_numbering"));
            return committed;
        }
    } else {
        SKERRY_TRY(open_->commit());
    }
    open_.reset();
    return {};
}

void Store::rollback() {
    if (!open_) return;
    open_->rollback();
    open_.reset();
}

Result<Table> Store::sql(std::string_view statement, const std::vector<Value>& parameters) {
    if (sqlite::is_transaction_control(statement))
        return fail(Code::kInvalidArgument, "transactions are managed for you: use transaction() instead of this statement");
    SKERRY_ASSIGN(Kept kept, take_statement(statement));
    sqlite::OwnedStatement& prepared = kept.mapped();
    if (!prepared) return fail(Code::kInvalidArgument, "there is no statement");
    // A statement that only reads needs no write lock and is not numbered.
    if (open_ || prepared->read_only()) {
        auto table = run(*prepared, parameters);
        keep_statement(std::move(kept));
        return table;
    }
    SKERRY_TRY(begin());
    auto table = run(*prepared, parameters);
    keep_statement(std::move(kept));
    Result<void> committed;
    if (table) {
        committed = commit();
        if (!committed) table = fail(std::move(committed.error()));
    }
    if (!table) rollback();
    return table;
}

Result<Store::Kept> Store::take_statement(std::string_view text) {
    if (const auto found = statements_.find(text); found != statements_.end()) return statements_.extract(found);
    std::string_view tail;
    SKERRY_ASSIGN(auto statement, db_.prepare_once(text, &tail));
    while (!tail.empty() && (tail.front() == ';' || std::isspace(static_cast<unsigned char>(tail.front())) != 0)) tail.remove_prefix(1);
    if (!tail.empty()) {
        SKERRY_ASSIGN(auto more, db_.prepare_once(tail));
        if (more) return fail(Code::kInvalidArgument, "one statement at a time: a second one begins at '" + std::string(tail.substr(0, 30)) + "'");
    }
    Statements one;
    return one.extract(one.emplace(text, std::move(statement)).first);
}

void Store::keep_statement(Kept kept) {
    kept.mapped()->reset();
    if (kept.key().size() > kKeptStatementBytesMax) return;
    // All at once, not the oldest: an app has far fewer, or makes each text anew, and then none is worth keeping.
    if (statements_.size() >= kKeptStatementsMax) statements_.clear();
    statements_.insert(std::move(kept));
}

Result<Table> Store::run(sqlite::Statement& statement, const std::vector<Value>& parameters) {
    if (static_cast<std::size_t>(statement.parameters()) != parameters.size())
        return fail(Code::kInvalidArgument, "the statement has " + std::to_string(statement.parameters()) + " parameters; " +
                                                std::to_string(parameters.size()) + " values were given");
    for (std::size_t i = 0; i < parameters.size(); ++i) statement.bind(static_cast<int>(i) + 1, parameters[i]);
    Table table;
    // Columns are asked for after the first step, which prepares anew what the schema has overtaken.
    SKERRY_ASSIGN(bool row, statement.step());
    const int columns = statement.columns();
    table.columns.reserve(static_cast<std::size_t>(columns));
    for (int i = 0; i < columns; ++i) table.columns.emplace_back(statement.column_name(i));
    while (row) {
        auto& values = table.rows.emplace_back();
        values.reserve(static_cast<std::size_t>(columns));
        for (int i = 0; i < columns; ++i) values.push_back(statement.value(i));
        SKERRY_ASSIGN(row, statement.step());
    }
    return table;
}

Result<EntityIx> Store::entity_named(std::string_view name) const {
    EntityIx ix;
    if (!model_ || model_->find(name, &ix) == nullptr) return fail(Code::kNotFound, "the model has no entity '" + std::string(name) + "'");
    return ix;
}

Result<std::uint32_t> Store::attribute_named(EntityIx ix, std::string_view name) const {
    const model::Entity& entity = model_->entity(ix);
    const auto at = entity.attribute_named(name);
    if (!at) return fail(Code::kNotFound, entity.name + " has no attribute '" + std::string(name) + "'");
    return *at;
}

Result<void> Store::update(std::string_view entity_name, std::string_view key,
                           const std::vector<std::pair<std::string, Value>>& shown,
                           const std::vector<std::pair<std::string, Value>>& edited) {
    if (!open_) return fail(Code::kInvalidArgument, "update() is called inside a transaction");
    SKERRY_ASSIGN(const EntityIx ix, entity_named(entity_name));
    // As a statement: all of it or nothing, whatever the app makes of a refusal.
    SKERRY_TRY(db_.exec("SAVEPOINT skerry_update"));
    auto done = update_each(ix, key, shown, edited);
    if (!done && db_.in_transaction()) SKERRY_TRY(db_.exec("ROLLBACK TO skerry_update"));
    if (db_.in_transaction()) SKERRY_TRY(db_.exec("RELEASE skerry_update"));
    return done;
}

Result<void> Store::update_each(EntityIx ix, std::string_view key, const std::vector<std::pair<std::string, Value>>& shown,
                                const std::vector<std::pair<std::string, Value>>& edited) {
    for (const auto& [name, value] : edited) {
        SKERRY_ASSIGN(const std::uint32_t at, attribute_named(ix, name));
        const Value* was = nullptr;
        for (const auto& [shown_name, shown_value] : shown)
            if (shown_name == name) was = &shown_value;
        if (was == nullptr) return fail(Code::kInvalidArgument, "the form did not say what it showed for '" + name + "'");
        if (*was != value) SKERRY_TRY(change(ix, key, at, *was, value));
    }
    return {};
}

// CONFLICT    A text was edited as a form or a conflict record showed it, and the same author has an unsent change of it.
// RESOLUTION  The words of both, as a change of what is visible. Where both changed the same words, the later one.
// WHY         The server takes an author's next change as it is when nobody came between: his earlier words have to be in it.
Result<std::optional<Value>> Store::joined_with_own(EntityIx ix, std::string_view key, std::uint32_t at, const Value& shown, const Value& edited) {
    const auto* was = std::get_if<std::string>(&shown);
    const auto* now = std::get_if<std::string>(&edited);
    if (was == nullptr || now == nullptr) return std::nullopt;
    SKERRY_ASSIGN(const bool own, tables_->has_ops(ix, key));
    if (!own) return std::nullopt;
    SKERRY_ASSIGN(const auto row, tables_->of(ix).visible(key));
    const auto* visible = row ? std::get_if<std::string>(&(*row)[at]) : nullptr;
    auto words = visible != nullptr ? merge::merge_words(*was, *now, *visible) : std::nullopt;
    if (!words) return std::nullopt;
    return Value{std::move(*words)};
}

Result<void> Store::change(EntityIx ix, std::string_view key, std::uint32_t at, const Value& shown, const Value& edited) {
    const model::Entity& entity = model_->entity(ix);
    const model::Merge merge = entity.attributes[at].merge;
    if (entity.conflict != model::Conflict::kLast && (merge == model::Merge::kCounter || merge == model::Merge::kSet)) {
        // The difference, on what is visible: put in as a value it could meet the same one and vanish.
        SKERRY_ASSIGN(const auto row, tables_->of(ix).visible(key));
        if (!row) return fail(Code::kNotFound, "there is no row '" + std::string(key) + "' in " + entity.name);
        return tables_->of(ix).set(key, at, merge::rebase(entity.attributes[at], shown, edited, (*row)[at]));
    }
    if (entity.conflict != model::Conflict::kLast && merge == model::Merge::kText) {
        SKERRY_ASSIGN(const auto joined, joined_with_own(ix, key, at, shown, edited));
        if (joined) return tables_->of(ix).set(key, at, *joined);
    }
    // Written first: what is refused leaves nothing behind that a later change would be taken to have been made from.
    SKERRY_TRY(tables_->of(ix).set(key, at, edited));
    SKERRY_ASSIGN(sqlite::Statement remember, db_.prepare("INSERT OR REPLACE INTO skerry_shown(entity, key, attribute, value) VALUES(?1, ?2, ?3, ?4)"));
    remember.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key).bind(3, static_cast<std::int64_t>(at));
    return remember.bind(4, shown).run();
}

Result<void> Store::assert_row(std::string_view entity_name, std::string_view key, std::string_view text) {
    if (!open_) return fail(Code::kInvalidArgument, "assert_row() is called inside a transaction");
    if (terms_.asserts.size() >= wire::kAssertsMax)
        return fail(Code::kTxnTooBig, "one transaction may have at most " + std::to_string(wire::kAssertsMax) + " asserts");
    SKERRY_ASSIGN(const EntityIx ix, entity_named(entity_name));
    const model::Entity& entity = model_->entity(ix);
    SKERRY_TRY(model::check_key(entity, key));
    SKERRY_ASSIGN(const rules::Expression expression, rules::parse(text, entity));
    SKERRY_ASSIGN(auto holds, db_.prepare_once("SELECT " + rules::to_sql(expression, "t.") + " FROM " + sqlite::quote_name(entity.name) +
                                               " t WHERE t." + sqlite::quote_name(entity.key.name) + " = ?1"));
    holds->bind_text(1, key);
    SKERRY_ASSIGN(const bool here, holds->step());
    if (here && !holds->is_null(0) && holds->integer(0) == 0)
        return fail(Code::kAssertFailed, entity.name + " '" + std::string(key) + "': " + std::string(text));
    terms_.asserts.push_back({ix, std::string(key), std::string(text)});
    return {};
}

Result<std::int64_t> Store::data_version() {
    // PRAGMA data_version moves with other connections' commits, total_changes with our own.
    SKERRY_ASSIGN(const std::int64_t others, db_.integer("PRAGMA data_version"));
    return (others << 32) + sqlite3_total_changes(db_.handle());
}

}  // namespace skerry::store
