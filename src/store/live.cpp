#include "store/live.hpp"

#include <sqlite3.h>

#include "base/hash.hpp"
#include "model/value.hpp"

namespace skerry::store {

namespace {

constexpr Micros kTryAgain = std::chrono::seconds(1);

// The authorizer sees every table that a statement reads while it is prepared.
int note_table(void* into, int action, const char* table, const char*, const char*, const char*) {
    if (action == SQLITE_READ && table != nullptr) static_cast<std::set<std::string>*>(into)->insert(table);
    return SQLITE_OK;
}

}  // namespace

std::uint64_t LiveQueries::fingerprint(const Table& table) {
    Bytes bytes;
    Writer out(bytes);
    for (const auto& row : table.rows) {
        out.u8(1);
        for (const Value& value : row) model::put_value(out, value);
    }
    return hash64(bytes);
}

Result<sqlite::OwnedStatement> LiveQueries::prepare(Query& query) {
    std::set<std::string> tables;
    sqlite3_set_authorizer(store_.db().handle(), note_table, &tables);
    auto statement = store_.db().prepare_once(query.text);
    sqlite3_set_authorizer(store_.db().handle(), nullptr, nullptr);
    if (!statement) return fail(std::move(statement.error()));
    if (!*statement || !(*statement)->read_only())
        return fail(Code::kInvalidArgument, "a live query must be one statement that only reads");
    query.entities.clear();
    query.reads_other_tables = false;
    for (const std::string& table : tables) {
        if (store_.has_model() && store_.model().find(table) != nullptr) {
            query.entities.insert(table);
        } else {
            query.reads_other_tables = true;
        }
    }
    return statement;
}

Result<std::vector<EntityIx>> LiveQueries::entities_of(std::string query_text) {
    Query query{.text = std::move(query_text)};
    SKERRY_TRY(prepare(query));
    std::vector<EntityIx> entities;
    for (const std::string& name : query.entities) {
        SKERRY_ASSIGN(const EntityIx ix, store_.entity_named(name));
        entities.push_back(ix);
    }
    return entities;
}

Result<Table> LiveQueries::run(Query& query) {
    SKERRY_ASSIGN(auto statement, prepare(query));
    Table result;
    for (int i = 0; i < statement->columns(); ++i) result.columns.emplace_back(statement->column_name(i));
    for (;;) {
        SKERRY_ASSIGN(const bool row, statement->step());
        if (!row) break;
        auto& values = result.rows.emplace_back();
        for (int i = 0; i < statement->columns(); ++i) values.push_back(statement->value(i));
    }
    return result;
}

Result<std::uint64_t> LiveQueries::add(std::string query_text, std::function<void(const Table&)> callback) {
    Query query{.text = std::move(query_text), .callback = std::move(callback)};
    SKERRY_ASSIGN(const Table result, run(query));
    query.last_result = fingerprint(result);
    query.callback(result);
    const std::uint64_t id = next_++;
    queries_.emplace(id, std::move(query));
    return id;
}

void LiveQueries::remove(std::uint64_t id) { queries_.erase(id); }

const Error* LiveQueries::problem() const {
    for (const auto& [id, query] : queries_)
        if (query.problem) return &*query.problem;
    return nullptr;
}

// Entities of which something was written since this was asked last.
Result<std::set<std::string>> LiveQueries::changed_entities() {
    std::set<std::string> changed;
    SKERRY_ASSIGN(sqlite::Statement counts, store_.db().prepare("SELECT CAST(substr(name, 9) AS INTEGER), value FROM skerry_meta WHERE name GLOB 'changed_*'"));
    for (;;) {
        SKERRY_ASSIGN(const bool row, counts.step());
        if (!row) break;
        const EntityIx ix{static_cast<std::uint32_t>(counts.integer(0))};
        if (!store_.has_model() || !store_.model().has(ix)) continue;
        const std::string& name = store_.model().entity(ix).name;
        std::int64_t& seen = seen_changes_[name];
        if (seen != counts.integer(1)) changed.insert(name);
        seen = counts.integer(1);
    }
    counts.reset();
    return changed;
}

Result<void> LiveQueries::poll() {
    if (queries_.empty() || store_.in_transaction()) return {};
    SKERRY_ASSIGN(const std::int64_t version, store_.data_version());
    const bool file_changed = version != seen_version_;
    const bool again = file_changed || store_.clock().mono() >= try_at_;
    if (!file_changed && (!again || problem() == nullptr)) return {};
    try_at_ = store_.clock().mono() + kTryAgain;
    std::set<std::string> changed;
    if (file_changed) {
        SKERRY_TRY(store_.number_open());
        SKERRY_ASSIGN(seen_version_, store_.data_version());
        SKERRY_ASSIGN(changed, changed_entities());
    }
    // A callback may add or remove queries: walk by id.
    std::vector<std::uint64_t> ids;
    for (const auto& [id, query] : queries_) {
        bool concerned = query.problem.has_value() || (file_changed && query.reads_other_tables);
        for (const std::string& entity : query.entities) concerned = concerned || changed.contains(entity);
        if (concerned) ids.push_back(id);
    }
    for (const std::uint64_t id : ids) run_again(id);
    return {};
}

void LiveQueries::run_again(std::uint64_t id) {
    const auto found = queries_.find(id);
    if (found == queries_.end()) return;
    Query& query = found->second;
    auto result = run(query);
    if (!result) {
        query.problem = std::move(result.error());
        return;
    }
    const bool failed_before = std::exchange(query.problem, std::nullopt).has_value();
    const std::uint64_t print = fingerprint(*result);
    if (print == query.last_result && !failed_before) return;
    query.last_result = print;
    const auto callback = query.callback;  // which may remove the query
    callback(*result);
}

}  // namespace skerry::store
