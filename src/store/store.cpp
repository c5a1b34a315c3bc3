#include "store/store.hpp"

#include <sqlite3.h>

#include "base/planted.hpp"
#include "store/numbering.hpp"

namespace skerry::store {

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock, Random& random) {
    std::unique_ptr<Store> store(new Store(clock, random));
    sqlite::OpenOptions open_options{.vfs = options.vfs, .mode = sqlite::Open::kReadWriteCreate, .busy_timeout_ms = options.busy_timeout_ms};
    SKERRY_ASSIGN(store->db_, sqlite::Database::open(options.path, open_options));
    store->meta_ = std::make_unique<Meta>(store->db_);
    if (auto prepared = store->prepare_file(options); !prepared)
        return fail(std::move(prepared.error()), "opening the store " + options.path);
    SKERRY_TRY(store->reload_model());
    if (!options.model.empty()) SKERRY_TRY(store->adopt_model(options.model));
    // What was left open before a restart becomes a transaction now.
    SKERRY_TRY(store->number_open());
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
    }
    // FULL, not NORMAL: with NORMAL a power loss takes back commits that had returned.
    SKERRY_TRY(db_.exec("PRAGMA journal_mode = WAL"));
    SKERRY_TRY(db_.exec(planted(Plant::kStoreSynchronousNormal) ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL"));
    // REPLACE then fires the app's delete triggers, which its FTS5 tables need.
    SKERRY_TRY(db_.exec("PRAGMA recursive_triggers = ON; PRAGMA cache_size = -16384"));
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

Result<void> Store::reload_model() {
    if (model_) return {};
    SKERRY_ASSIGN(const auto compiled, meta_->bytes(key::kModel));
    if (!compiled) return {};
    SKERRY_ASSIGN(model_, model::Model::load(*compiled));
    model_hash_ = model_->hash();
    return {};
}

Result<void> Store::adopt_model(BytesView compiled) {
    SKERRY_ASSIGN(const model::Model model, model::Model::load(compiled));
    SKERRY_TRY(reload_model());
    if (model_) {
        if (model.hash() == model_hash_) return {};
        return fail(Code::kModelMismatch, "the store has version " + std::to_string(model_->version) + " of app '" + model_->app +
                                              "'; the other side has version " + std::to_string(model.version) + " of '" + model.app +
                                              "', or the same version with other content");
    }
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    SKERRY_ASSIGN(const auto meanwhile, meta_->bytes(key::kModel));
    if (!meanwhile) {
        for (const model::Entity& entity : model.entities) SKERRY_TRY(db_.exec(entity_schema(entity)));
        SKERRY_TRY(meta_->set_bytes(key::kModel, compiled));
    }
    SKERRY_TRY(txn.commit());
    return reload_model();
}

Result<bool> Store::number_open() {
    if (!model_) return false;
    SKERRY_ASSIGN(const std::int64_t open, db_.integer("SELECT open_rows FROM skerry_state"));
    if (open == 0) return false;
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    Tables tables(db_, *model_);
    SKERRY_ASSIGN(const bool numbered, Numbering(db_, *meta_, tables, clock_, random_).number());
    SKERRY_TRY(txn.commit());
    return numbered;
}

Result<void> Store::begin() {
    if (open_) return fail(Code::kInvalidArgument, "a transaction is open already");
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db_));
    if (model_) {
        // What other programs committed before us is a transaction of its own, never part of ours.
        Tables tables(db_, *model_);
        SKERRY_TRY(Numbering(db_, *meta_, tables, clock_, random_).number());
    }
    open_.emplace(std::move(txn));
    return {};
}

Result<void> Store::commit() {
    if (!open_) return fail(Code::kInvalidArgument, "no transaction is open");
    if (model_) {
        // In a savepoint: if the commit fails, pre-images are back and a retry is one transaction, not two.
        SKERRY_TRY(db_.exec("SAVEPOINT skerry_numbering"));
        Tables tables(db_, *model_);
        auto done = Numbering(db_, *meta_, tables, clock_, random_).number();
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
    if (open_) return run(statement, parameters);
    {
        // A statement that only reads needs no write lock and is not numbered.
        SKERRY_ASSIGN(auto probe, db_.prepare_once(statement));
        if (probe && probe->read_only()) return run(statement, parameters);
    }
    SKERRY_TRY(begin());
    auto table = run(statement, parameters);
    Result<void> committed;
    if (table) {
        committed = commit();
        if (!committed) table = fail(std::move(committed.error()));
    }
    if (!table) rollback();
    return table;
}

Result<Table> Store::run(std::string_view text, const std::vector<Value>& parameters) {
    std::string_view tail;
    SKERRY_ASSIGN(auto statement, db_.prepare_once(text, &tail));
    if (!statement) return fail(Code::kInvalidArgument, "there is no statement");
    while (!tail.empty() && (tail.front() == ';' || std::isspace(static_cast<unsigned char>(tail.front())) != 0)) tail.remove_prefix(1);
    if (!tail.empty()) {
        SKERRY_ASSIGN(auto more, db_.prepare_once(tail));
        if (more) return fail(Code::kInvalidArgument, "one statement at a time: a second one begins at '" + std::string(tail.substr(0, 30)) + "'");
    }
    if (static_cast<std::size_t>(statement->parameters()) != parameters.size())
        return fail(Code::kInvalidArgument, "the statement has " + std::to_string(statement->parameters()) + " parameters; " +
                                                std::to_string(parameters.size()) + " values were given");
    for (std::size_t i = 0; i < parameters.size(); ++i) statement->bind(static_cast<int>(i) + 1, parameters[i]);
    Table table;
    for (int i = 0; i < statement->columns(); ++i) table.columns.emplace_back(statement->column_name(i));
    for (;;) {
        SKERRY_ASSIGN(const bool row, statement->step());
        if (!row) break;
        auto& values = table.rows.emplace_back();
        for (int i = 0; i < statement->columns(); ++i) values.push_back(statement->value(i));
    }
    return table;
}

Result<void> Store::update(std::string_view entity_name, std::string_view key,
                           const std::vector<std::pair<std::string, Value>>& shown,
                           const std::vector<std::pair<std::string, Value>>& edited) {
    if (!open_) return fail(Code::kInvalidArgument, "update() is called inside a transaction");
    EntityIx ix;
    const model::Entity* entity = model_ ? model_->find(entity_name, &ix) : nullptr;
    if (entity == nullptr) return fail(Code::kNotFound, "the model has no entity '" + std::string(entity_name) + "'");
    for (const auto& [name, value] : edited) {
        std::optional<std::size_t> at;
        for (std::size_t i = 0; i < entity->attributes.size(); ++i)
            if (entity->attributes[i].name == name) at = i;
        if (!at) return fail(Code::kNotFound, entity->name + " has no attribute '" + name + "'");
        const Value* was = nullptr;
        for (const auto& [shown_name, shown_value] : shown)
            if (shown_name == name) was = &shown_value;
        if (was == nullptr) return fail(Code::kInvalidArgument, "the form did not say what it showed for '" + name + "'");
        if (*was == value) continue;
        SKERRY_ASSIGN(sqlite::Statement remember, db_.prepare("INSERT OR REPLACE INTO skerry_shown(entity, key, attribute, value) VALUES(?1, ?2, ?3, ?4)"));
        remember.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key).bind(3, static_cast<std::int64_t>(*at));
        SKERRY_TRY(remember.bind(4, *was).run());
        const std::string text = "UPDATE " + sqlite::quote_name(entity->name) + " SET " + sqlite::quote_name(name) + " = ?2 WHERE " +
                                 sqlite::quote_name(entity->key.name) + " = ?1";
        SKERRY_ASSIGN(sqlite::Statement set, db_.prepare(text));
        SKERRY_TRY(set.bind_text(1, key).bind(2, value).run());
        if (db_.changes() == 0) return fail(Code::kNotFound, "there is no row '" + std::string(key) + "' in " + entity->name);
    }
    return {};
}

Result<std::int64_t> Store::data_version() {
    // PRAGMA data_version moves with other connections' commits, total_changes with our own.
    SKERRY_ASSIGN(const std::int64_t others, db_.integer("PRAGMA data_version"));
    return (others << 32) + sqlite3_total_changes(db_.handle());
}

}  // namespace skerry::store
