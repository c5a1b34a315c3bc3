#include "sqlite/database.hpp"

#include <sqlite3.h>

#include <cctype>
#include <cerrno>

#include "base/error_table.hpp"

namespace skerry::sqlite {

namespace {

// SQLITE_OMIT_AUTOINIT is not set, yet the first open from two threads must not race.
void initialize_once() {
    static const int rc = sqlite3_initialize();
    static_cast<void>(rc);
}

Code code_of(int rc) {
    switch (rc & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED: return Code::kBusy;
        case SQLITE_FULL: return Code::kDiskFull;
        case SQLITE_READONLY: return Code::kReadOnly;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return Code::kCorruptStore;
        case SQLITE_CONSTRAINT: return Code::kConstraint;
        case SQLITE_IOERR:
        case SQLITE_CANTOPEN: return Code::kIo;
        case SQLITE_TOOBIG: return Code::kRowTooBig;
        default: return Code::kSql;
    }
}

// Our triggers raise 'skerry:code_name: message', so that every program sees a named refusal.
bool raised_by_skerry(std::string_view message, Error& error) {
    constexpr std::string_view kPrefix = "skerry:";
    if (!message.starts_with(kPrefix)) return false;
    message.remove_prefix(kPrefix.size());
    const std::size_t colon = message.find(": ");
    if (colon == std::string_view::npos) return false;
    const std::string_view name = message.substr(0, colon);
    for (const ErrorEntry& entry : error_table()) {
        if (entry.name != name) continue;
        error.code = entry.code;
        error.message = message.substr(colon + 2);
        return true;
    }
    return false;
}

Error make_error(sqlite3* db, int rc, std::string_view doing) {
    Error error;
    error.code = code_of(rc);
    // SQLite takes only ENOSPC in a write for a full disk; a quota and a limit of file sizes are full in the same way, and
    // the index of the write-ahead log is a file that grows too.
    const int cause = db != nullptr ? sqlite3_extended_errcode(db) : rc;
    if (db != nullptr && (cause == SQLITE_IOERR_WRITE || cause == SQLITE_IOERR_FSYNC || cause == SQLITE_IOERR_SHMSIZE)) {
        const int why = sqlite3_system_errno(db);
        if (why == ENOSPC || why == EFBIG || why == EDQUOT) error.code = Code::kDiskFull;
    }
    const std::string_view message = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    if (!raised_by_skerry(message, error)) error.message = message;
    if (!doing.empty()) error.context.emplace_back(doing);
    return error;
}

// A commit that failed may stand in the WAL complete: its sync failed, or the disk was full for what fills up the last
// sector. Nobody reads it, since the index of the WAL was not told, but a crash builds that index anew from the file, and
// the refused commit would come back. The next commit is written over it from its first page on; so one that changes
// nothing follows at once. Its first page is enough, and that needs no new space. Not buried is what stands on a disk that
// goes on failing, or on a full one whose file system copies what is overwritten: then a crash may still bring it back.
void bury_refused_commit(Database& db) {
    const auto write_nothing = [&]() -> Result<void> {
        SKERRY_TRY(db.exec("BEGIN IMMEDIATE"));
        SKERRY_ASSIGN(const std::int64_t version, db.integer("PRAGMA user_version"));
        SKERRY_TRY(db.exec("PRAGMA user_version = " + std::to_string(version)));
        return db.exec("COMMIT");
    };
    // Why the commit failed is what its caller is told.
    if (!write_nothing() && db.in_transaction()) static_cast<void>(db.exec("ROLLBACK"));
}

int clamp(std::size_t n) { return n > INT32_MAX ? INT32_MAX : static_cast<int>(n); }

}  // namespace

Statement& Statement::bind(int at, std::int64_t v) {
    sqlite3_bind_int64(handle_, at, v);
    return *this;
}
Statement& Statement::bind(int at, double v) {
    sqlite3_bind_double(handle_, at, v);
    return *this;
}
Statement& Statement::bind_text(int at, std::string_view v) {
    sqlite3_bind_text(handle_, at, v.data() == nullptr ? "" : v.data(), clamp(v.size()), SQLITE_STATIC);
    return *this;
}
Statement& Statement::bind_blob(int at, BytesView v) {
    sqlite3_bind_blob(handle_, at, v.data() == nullptr ? "" : v.data(), clamp(v.size()), SQLITE_STATIC);
    return *this;
}
Statement& Statement::bind_null(int at) {
    sqlite3_bind_null(handle_, at);
    return *this;
}
Statement& Statement::bind(int at, const Value& v) {
    switch (v.index()) {
        case 0: return bind_null(at);
        case 1: return bind(at, std::get<std::int64_t>(v));
        case 2: return bind(at, std::get<double>(v));
        case 3: return bind_text(at, std::get<std::string>(v));
        default: return bind_blob(at, view_of(std::get<Blob>(v)));
    }
}

Result<bool> Statement::step() {
    const int rc = sqlite3_step(handle_);
    if (rc == SQLITE_ROW) return true;
    if (rc == SQLITE_DONE) return false;
    Error error = make_error(sqlite3_db_handle(handle_), rc, {});
    reset();
    return fail(std::move(error));
}

Result<void> Statement::run() {
    for (;;) {
        SKERRY_ASSIGN(const bool row, step());
        if (!row) break;
    }
    reset();
    return {};
}

void Statement::reset() {
    sqlite3_reset(handle_);
    sqlite3_clear_bindings(handle_);
}

int Statement::columns() const { return sqlite3_column_count(handle_); }
std::string_view Statement::column_name(int at) const {
    const char* name = sqlite3_column_name(handle_, at);
    return name == nullptr ? std::string_view{} : name;
}
bool Statement::is_null(int at) const { return sqlite3_column_type(handle_, at) == SQLITE_NULL; }
std::int64_t Statement::integer(int at) const { return sqlite3_column_int64(handle_, at); }
double Statement::real(int at) const { return sqlite3_column_double(handle_, at); }
std::string_view Statement::text(int at) const {
    const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(handle_, at));
    return p == nullptr ? std::string_view{} : std::string_view(p, static_cast<std::size_t>(sqlite3_column_bytes(handle_, at)));
}
BytesView Statement::blob(int at) const {
    const auto* p = static_cast<const char*>(sqlite3_column_blob(handle_, at));
    return p == nullptr ? BytesView{} : BytesView(p, static_cast<std::size_t>(sqlite3_column_bytes(handle_, at)));
}
Value Statement::value(int at) const {
    switch (sqlite3_column_type(handle_, at)) {
        case SQLITE_INTEGER: return integer(at);
        case SQLITE_FLOAT: return real(at);
        case SQLITE_TEXT: return std::string(text(at));
        case SQLITE_BLOB: {
            const BytesView v = blob(at);
            return Blob(v.begin(), v.end());
        }
        default: return Null{};
    }
}
bool Statement::read_only() const { return sqlite3_stmt_readonly(handle_) != 0; }
int Statement::parameters() const { return sqlite3_bind_parameter_count(handle_); }

OwnedStatement::~OwnedStatement() { sqlite3_finalize(statement_.handle_); }

Database::Database(Database&& other) noexcept : handle_(other.handle_), kept_(std::move(other.kept_)) {
    other.handle_ = nullptr;
    other.kept_.clear();
}

Database& Database::operator=(Database&& other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(kept_, other.kept_);
    return *this;
}

Database::~Database() {
    for (auto& [sql, statement] : kept_) sqlite3_finalize(statement);
    sqlite3_close_v2(handle_);
}

Result<Database> Database::open(const std::string& path, const OpenOptions& options) {
    initialize_once();
    int flags = SQLITE_OPEN_EXRESCODE;
    switch (options.mode) {
        case Open::kReadWriteCreate: flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE; break;
        case Open::kReadWrite: flags |= SQLITE_OPEN_READWRITE; break;
        case Open::kReadOnly: flags |= SQLITE_OPEN_READONLY; break;
    }
    Database db;
    const int rc = sqlite3_open_v2(path.c_str(), &db.handle_, flags, options.vfs.empty() ? nullptr : options.vfs.c_str());
    if (rc != SQLITE_OK) return fail(make_error(db.handle_, rc, "opening " + path));
    sqlite3_busy_timeout(db.handle_, options.busy_timeout_ms);
    // Text from outside never names a function or a table of its own making.
    sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db.handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    return db;
}

Result<Statement> Database::prepare(std::string_view sql) {
    const auto found = kept_.find(sql);
    if (found != kept_.end()) {
        sqlite3_reset(found->second);
        sqlite3_clear_bindings(found->second);
        return Statement(found->second);
    }
    sqlite3_stmt* handle = nullptr;
    const int rc = sqlite3_prepare_v3(handle_, sql.data(), clamp(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, nullptr);
    if (rc != SQLITE_OK) return fail(make_error(handle_, rc, "preparing " + std::string(sql)));
    kept_.emplace(sql, handle);
    return Statement(handle);
}

Result<OwnedStatement> Database::prepare_once(std::string_view sql, std::string_view* tail) {
    sqlite3_stmt* handle = nullptr;
    const char* rest = nullptr;
    const int rc = sqlite3_prepare_v2(handle_, sql.data(), clamp(sql.size()), &handle, &rest);
    if (rc != SQLITE_OK) return fail(make_error(handle_, rc, {}));
    if (tail != nullptr) *tail = sql.substr(static_cast<std::size_t>(rest - sql.data()));
    return OwnedStatement(Statement(handle));
}

Result<void> Database::exec(std::string_view sql) {
    while (!sql.empty()) {
        std::string_view tail;
        SKERRY_ASSIGN(OwnedStatement statement, prepare_once(sql, &tail));
        if (statement) SKERRY_TRY(statement->run());
        sql = tail;
    }
    return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
    SKERRY_ASSIGN(Statement statement, prepare(sql));
    SKERRY_ASSIGN(const bool row, statement.step());
    if (!row) return fail(Code::kNotFound, "no row for: " + std::string(sql));
    const std::int64_t v = statement.integer(0);
    statement.reset();
    return v;
}

void Database::enable_triggers(bool on) { sqlite3_db_config(handle_, SQLITE_DBCONFIG_ENABLE_TRIGGER, on ? 1 : 0, nullptr); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
std::int64_t Database::changes() const { return sqlite3_changes64(handle_); }
Error Database::last_error(std::string_view doing) const {
    return make_error(handle_, sqlite3_extended_errcode(handle_), doing);
}

Result<Transaction> Transaction::begin_write(Database& db) {
    SKERRY_ASSIGN(Statement begin, db.prepare("BEGIN IMMEDIATE"));
    SKERRY_TRY(begin.run());
    return Transaction(db);
}

Result<Transaction> Transaction::begin_read(Database& db) {
    SKERRY_ASSIGN(Statement begin, db.prepare("BEGIN"));
    SKERRY_TRY(begin.run());
    return Transaction(db);
}

Transaction::~Transaction() { rollback(); }

Result<void> Transaction::commit() {
    SKERRY_ASSIGN(Statement commit, db_->prepare("COMMIT"));
    if (auto done = commit.run(); !done) {
        if ((done.error().code == Code::kDiskFull || done.error().code == Code::kIo) && !db_->in_transaction()) bury_refused_commit(*db_);
        return done;
    }
    db_ = nullptr;
    return {};
}

void Transaction::rollback() {
    if (db_ == nullptr) return;
    // An I/O error may have rolled back already; then there is nothing to end.
    if (db_->in_transaction()) sqlite3_exec(db_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
    db_ = nullptr;
}

bool is_transaction_control(std::string_view sql) {
    // Skips white space and comments, then looks at the first word.
    for (;;) {
        while (!sql.empty() && (std::isspace(static_cast<unsigned char>(sql[0])) != 0 || sql[0] == ';')) sql.remove_prefix(1);
        if (sql.starts_with("--")) {
            const std::size_t end = sql.find('\n');
            sql = end == std::string_view::npos ? std::string_view{} : sql.substr(end);
        } else if (sql.starts_with("/*")) {
            const std::size_t end = sql.find("*/", 2);
            sql = end == std::string_view::npos ? std::string_view{} : sql.substr(end + 2);
        } else {
            break;
        }
    }
    const auto next_word = [&sql] {
        while (!sql.empty() && std::isspace(static_cast<unsigned char>(sql[0])) != 0) sql.remove_prefix(1);
        std::string word;
        for (; !sql.empty() && std::isalpha(static_cast<unsigned char>(sql[0])) != 0; sql.remove_prefix(1))
            word.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(sql[0]))));
        return word;
    };
    const std::string word = next_word();
    if (word == "ROLLBACK") {  // ROLLBACK TO a savepoint of its own is the app's business
        const std::string second = next_word();
        return second != "TO" && (second != "TRANSACTION" || next_word() != "TO");
    }
    for (const std::string_view control : {"BEGIN", "COMMIT", "END", "ATTACH", "DETACH", "VACUUM"})
        if (word == control) return true;
    return false;
}

}  // namespace skerry::sqlite
