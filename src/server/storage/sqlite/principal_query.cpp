#include "server/storage/sqlite/principal_query.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <array>

namespace skerry::server::storage {

namespace {

constexpr int kStepsPerLook = 10'000;  // of SQLite's machine, well under a millisecond

bool is_internal(const char* table) {
    return table == nullptr || sqlite3_strnicmp(table, "skerry_", 7) == 0 || sqlite3_strnicmp(table, "sqlite_", 7) == 0;
}

// They load code, or make values of any size out of nothing.
bool is_denied_function(const char* name) {
    constexpr std::array kDenied = {"load_extension", "fts3_tokenizer", "zeroblob", "randomblob"};
    return name == nullptr || std::any_of(kDenied.begin(), kDenied.end(), [&](const char* denied) { return sqlite3_stricmp(name, denied) == 0; });
}

int authorize(void* context, int action, const char* first, const char* second, const char*, const char*) {
    if (!static_cast<const Guarded*>(context)->on) return SQLITE_OK;
    switch (action) {
        case SQLITE_SELECT:
        case SQLITE_RECURSIVE: return SQLITE_OK;
        case SQLITE_READ: return is_internal(first) ? SQLITE_DENY : SQLITE_OK;
        case SQLITE_FUNCTION: return is_denied_function(second) ? SQLITE_DENY : SQLITE_OK;
        default: return SQLITE_DENY;
    }
}

int look(void* context) {
    auto* guarded = static_cast<Guarded*>(context);
    guarded->late = guarded->on && std::chrono::steady_clock::now() > guarded->deadline;
    return guarded->late ? 1 : 0;
}

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n;") == std::string_view::npos; }

auto refuse(std::string why) { return fail(Code::kPrincipalFailed, std::move(why)); }

// What the database itself met is not the query's fault.
bool is_of_query(Code code) { return code == Code::kSql || code == Code::kConstraint || code == Code::kRowTooBig || code == Code::kReadOnly; }

Result<void> bind(sqlite::Statement& ask, const Parameters& parameters) {
    for (int i = 1; i <= ask.parameters(); ++i) {
        const char* written = sqlite3_bind_parameter_name(ask.handle(), i);
        const std::string_view name = written == nullptr ? "" : written;
        const auto it = std::find_if(parameters.begin(), parameters.end(), [&](const auto& p) { return name.starts_with(':') && name.substr(1) == p.first; });
        if (it == parameters.end())
            return refuse(name.empty() ? "it has a parameter without a name" : "nothing is known of its parameter " + std::string(name));
        ask.bind_text(i, it->second);
    }
    return {};
}

Result<std::vector<std::string>> ask(sqlite::Database& db, const PrincipalQuery& query) {
    std::string_view tail;
    auto prepared = db.prepare_once(query.text, &tail);
    if (!prepared) {
        // It speaks of the query's text and of tables, not of rows.
        if (is_of_query(prepared.error().code)) return refuse(prepared.error().message);
        return fail(std::move(prepared.error()));
    }
    sqlite::Statement& statement = **prepared;
    if (!statement) return refuse("it is empty");
    if (!is_blank(tail)) return refuse("it is more than one statement");
    if (!statement.read_only() || statement.columns() == 0) return refuse("it is not a query");
    SKERRY_TRY(bind(statement, query.parameters));
    std::vector<std::string> values;
    for (std::size_t rows = 0;; ++rows) {
        const auto row = statement.step();
        if (!row && is_of_query(row.error().code)) return refuse("SQLite met an error in it while it ran");
        if (!row) return fail(row.error());
        if (!*row) return values;
        if (rows == kPrincipalValuesMax) return refuse("it gives more than " + std::to_string(kPrincipalValuesMax) + " rows");
        if (!statement.is_null(0)) values.emplace_back(statement.text(0));
    }
}

}  // namespace

void guard(sqlite::Database& db, Guarded& guarded) {
    sqlite3_set_authorizer(db.handle(), authorize, &guarded);
    sqlite3_progress_handler(db.handle(), kStepsPerLook, look, &guarded);
}

Result<std::vector<std::string>> read_principal_values(sqlite::Database& db, Guarded& guarded, const PrincipalQuery& query) {
    guarded = {true, false, std::chrono::steady_clock::now() + query.time};
    auto values = ask(db, query);
    guarded.on = false;
    if (values) return values;
    if (guarded.late) values = refuse("it takes longer than " + std::to_string(query.time.count() / 1000) + " ms");
    Error error = std::move(values.error());
    if (error.code == Code::kPrincipalFailed) error.message = "the query of " + query.name + " failed: " + error.message;
    return fail(std::move(error));
}

}  // namespace skerry::server::storage
