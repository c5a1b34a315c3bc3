// ServerSql and Importer: programs that write to the server's tables like any other, beside a running server.
#include <algorithm>

#include "model/value.hpp"
#include "server/app/files.hpp"
#include "server/app/server.hpp"
#include "server/storage/sqlite/schema.hpp"
#include "sqlite/database.hpp"

namespace skerry::server {

namespace {

using sqlite::quote_name;

struct Opened {
    sqlite::Database db;
    model::Model model;
};

Result<Opened> open_database(const Place& place) {
    auto db = sqlite::Database::open(database_path(place), {.vfs = place.vfs, .mode = sqlite::Open::kReadWrite});
    if (!db) {
        if (db.error().code == Code::kIo) return fail(Code::kNotFound, "there is no server in " + place.dir);
        return fail(std::move(db.error()));
    }
    SKERRY_ASSIGN(storage::Meta meta, storage::read_meta(*db));
    SKERRY_TRY(storage::configure(*db));
    return Opened{std::move(*db), std::move(meta.model)};
}

}  // namespace

// ---- ServerSql ----

struct ServerSql::Impl {
    sqlite::Database db;
};

ServerSql::ServerSql(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerSql::ServerSql(ServerSql&&) noexcept = default;
ServerSql& ServerSql::operator=(ServerSql&&) noexcept = default;
ServerSql::~ServerSql() = default;

Result<ServerSql> ServerSql::open(const Place& place) {
    SKERRY_ASSIGN(Opened opened, open_database(place));
    return ServerSql(std::make_unique<Impl>(Impl{std::move(opened.db)}));
}

Result<Table> ServerSql::run(std::string_view sql, const std::vector<Value>& parameters) {
    sqlite::Database& db = impl_->db;
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(db));
    Table table;
    while (!sql.empty()) {
        std::string_view tail;
        if (sqlite::is_transaction_control(sql))
            return fail(Code::kInvalidArgument, "transactions are begun and ended for you; leave BEGIN, COMMIT and their like out");
        SKERRY_ASSIGN(auto statement, db.prepare_once(sql, &tail));
        sql = tail;
        if (!statement) continue;
        for (std::size_t i = 0; i < parameters.size() && static_cast<int>(i) < statement->parameters(); ++i)
            statement->bind(static_cast<int>(i) + 1, parameters[i]);
        Table result;
        for (int i = 0; i < statement->columns(); ++i) result.columns.emplace_back(statement->column_name(i));
        for (;;) {
            SKERRY_ASSIGN(const bool row, statement->step());
            if (!row) break;
            auto& values = result.rows.emplace_back();
            for (int i = 0; i < statement->columns(); ++i) values.push_back(statement->value(i));
        }
        if (!result.columns.empty()) table = std::move(result);
    }
    SKERRY_TRY(txn.commit());
    return table;
}

// ---- Importer ----

struct Importer::Impl {
    sqlite::Database db;
    model::Model model;
    ImportOptions options;
    const model::Entity* entity = nullptr;
    std::size_t key_column = 0;
    std::vector<const model::Attribute*> attributes;  // by column; the key's own at key_column
    std::string update;                               // empty when there is nothing but the key
    std::string insert;
    std::optional<sqlite::Transaction> txn;
    std::uint64_t rows = 0;

    Result<void> choose_columns();
    void write_sql();
    Result<void> check(const std::vector<Value>& row) const;
    Result<void> write(const std::vector<Value>& row);
    Result<void> commit();
};

Result<void> Importer::Impl::choose_columns() {
    entity = model.find(options.entity);
    if (entity == nullptr) return fail(Code::kNotFound, "the model has no entity '" + options.entity + "'");
    bool has_key = false;
    for (std::size_t i = 0; i < options.columns.size(); ++i) {
        const std::string& name = options.columns[i];
        if (std::count(options.columns.begin(), options.columns.end(), name) > 1)
            return fail(Code::kInvalidArgument, "the column '" + name + "' is named twice");
        if (name == entity->key.name) {
            has_key = true;
            key_column = i;
            attributes.push_back(&entity->key);
            continue;
        }
        const auto at = std::find_if(entity->attributes.begin(), entity->attributes.end(),
                                     [&](const model::Attribute& a) { return a.name == name; });
        if (at == entity->attributes.end())
            return fail(Code::kNotFound, "entity '" + entity->name + "' has no attribute '" + name + "'");
        attributes.push_back(&*at);
    }
    if (!has_key) return fail(Code::kInvalidArgument, "the key '" + entity->key.name + "' is not among the columns");
    return {};
}

void Importer::Impl::write_sql() {
    std::string sets;
    std::string names;
    std::string marks;
    for (std::size_t i = 0; i < options.columns.size(); ++i) {
        const std::string name = quote_name(options.columns[i]);
        const std::string mark = "?" + std::to_string(i + 1);
        names += (i == 0 ? "" : ", ") + name;
        marks += (i == 0 ? "" : ", ") + mark;
        if (i != key_column) sets += (sets.empty() ? "" : ", ") + name + " = " + mark;
    }
    const std::string table = quote_name(entity->name);
    const std::string key_mark = "?" + std::to_string(key_column + 1);
    // Without other columns the update only looks whether the row is there.
    if (sets.empty()) sets = quote_name(entity->key.name) + " = " + key_mark;
    update = "UPDATE " + table + " SET " + sets + " WHERE " + quote_name(entity->key.name) + " = " + key_mark;
    insert = "INSERT INTO " + table + "(" + names + ") VALUES(" + marks + ")";
}

Result<void> Importer::Impl::check(const std::vector<Value>& row) const {
    if (row.size() != attributes.size())
        return fail(Code::kInvalidArgument, "a row has " + std::to_string(row.size()) + " values for " +
                                                std::to_string(attributes.size()) + " columns");
    const auto* key = std::get_if<std::string>(&row[key_column]);
    if (key == nullptr || key->empty())
        return fail(Code::kKeyMissing, "a row of " + entity->name + " needs its key " + entity->key.name + ", a text");
    SKERRY_TRY(model::check_key(*entity, *key));
    for (std::size_t i = 0; i < row.size(); ++i)
        if (i != key_column) SKERRY_TRY(model::check_value(*entity, *attributes[i], row[i]));
    return {};
}

Result<void> Importer::Impl::write(const std::vector<Value>& row) {
    for (const std::string* sql : {&update, &insert}) {
        SKERRY_ASSIGN(sqlite::Statement put, db.prepare(*sql));
        for (std::size_t i = 0; i < row.size(); ++i) put.bind(static_cast<int>(i) + 1, row[i]);
        SKERRY_TRY(put.run());
        if (db.changes() > 0) break;
    }
    return {};
}

Result<void> Importer::Impl::commit() {
    if (!txn) return {};
    SKERRY_TRY(txn->commit());
    txn.reset();
    if (options.progress) options.progress(rows);
    return {};
}

Importer::Importer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Importer::Importer(Importer&&) noexcept = default;
Importer& Importer::operator=(Importer&&) noexcept = default;
Importer::~Importer() = default;

Result<Importer> Importer::open(ImportOptions options) {
    SKERRY_ASSIGN(Opened opened, open_database(options.place));
    auto impl = std::make_unique<Impl>();
    impl->db = std::move(opened.db);
    impl->model = std::move(opened.model);
    impl->options = std::move(options);
    SKERRY_TRY(impl->choose_columns());
    impl->write_sql();
    return Importer(std::move(impl));
}

Result<void> Importer::add(const std::vector<Value>& row) {
    SKERRY_TRY(impl_->check(row));
    if (!impl_->txn) {
        SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(impl_->db));
        impl_->txn.emplace(std::move(txn));
    }
    auto written = impl_->write(row);
    if (!written) {
        // A refusal of one row takes back that row only; what broke the connection's transaction took it all.
        if (!impl_->db.in_transaction()) impl_->txn.reset();
        return fail(std::move(written.error()), "importing into " + impl_->entity->name);
    }
    if (++impl_->rows % kImportRowsPerCommit == 0) return impl_->commit();
    return {};
}

Result<std::uint64_t> Importer::finish() {
    SKERRY_TRY(impl_->commit());
    return impl_->rows;
}

}  // namespace skerry::server
