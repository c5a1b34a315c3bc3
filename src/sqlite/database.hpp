// A connection, its statements and its transactions. Any SQLite program could use this unchanged.
//
// Thread rule: a Database and its statements belong to one thread at a time. A Statement must not outlive
// its Database. Prepared statements are kept: prepare() with the same text gives the same statement, reset,
// so that a loop costs no preparation.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <skerry/value.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace skerry::sqlite {

// The only ways a name or a text gets into SQL.
using skerry::quote_name;
using skerry::quote_text;

class Database;

// For maps by text that are asked with a view: no string is made for the question.
struct TextHash : std::hash<std::string_view> {
    using is_transparent = void;
};

class Statement {
  public:
    Statement() = default;

    // Parameters are numbered from 1. Views must stay valid until the next reset (SQLITE_STATIC).
    Statement& bind(int at, std::int64_t v);
    Statement& bind(int at, double v);
    Statement& bind_text(int at, std::string_view v);
    Statement& bind_blob(int at, BytesView v);
    Statement& bind_null(int at);
    Statement& bind(int at, const Value& v);
    Statement& bind(int at, Value&& v) = delete;  // it would be gone before the first step

    // True: a row is there. False: done. A statement that failed is reset.
    Result<bool> step();
    // Runs to the end and resets.
    Result<void> run();
    void reset();

    int columns() const;
    std::string_view column_name(int at) const;
    bool is_null(int at) const;
    std::int64_t integer(int at) const;
    double real(int at) const;
    // Valid until the next step or reset.
    std::string_view text(int at) const;
    BytesView blob(int at) const;
    Value value(int at) const;
    bool read_only() const;
    int parameters() const;

    explicit operator bool() const { return handle_ != nullptr; }
    sqlite3_stmt* handle() const { return handle_; }

  private:
    friend class Database;
    friend class OwnedStatement;
    explicit Statement(sqlite3_stmt* handle) : handle_(handle) {}
    sqlite3_stmt* handle_ = nullptr;
};

// A statement that is not kept by its Database: for statements of the user, which may be any number.
class OwnedStatement {
  public:
    OwnedStatement() = default;
    OwnedStatement(OwnedStatement&& other) noexcept : statement_(other.statement_) { other.statement_ = {}; }
    OwnedStatement& operator=(OwnedStatement&& other) noexcept {
        std::swap(statement_, other.statement_);
        return *this;
    }
    ~OwnedStatement();
    Statement& operator*() { return statement_; }
    Statement* operator->() { return &statement_; }
    explicit operator bool() const { return static_cast<bool>(statement_); }

  private:
    friend class Database;
    explicit OwnedStatement(Statement statement) : statement_(statement) {}
    Statement statement_;
};

enum class Open { kReadWriteCreate, kReadWrite, kReadOnly };

struct OpenOptions {
    std::string vfs;  // empty = the default VFS
    Open mode = Open::kReadWriteCreate;
    int busy_timeout_ms = 5000;
};

class Database {
  public:
    Database() = default;
    Database(Database&& other) noexcept;
    Database& operator=(Database&& other) noexcept;
    ~Database();

    static Result<Database> open(const std::string& path, const OpenOptions& options = {});

    // Kept and reused; see the head of this file. The text must be one of a bounded set: never user SQL.
    Result<Statement> prepare(std::string_view sql);
    // Not kept. `tail` gets what follows the first statement.
    Result<OwnedStatement> prepare_once(std::string_view sql, std::string_view* tail = nullptr);
    // One or more statements without parameters or results.
    Result<void> exec(std::string_view sql);
    // The first column of the first row; an Error if there is no row.
    Result<std::int64_t> integer(std::string_view sql);

    // Whether triggers fire on this connection; they do by default.
    void enable_triggers(bool on);

    bool in_transaction() const;  // not in autocommit mode
    std::int64_t changes() const;
    sqlite3* handle() const { return handle_; }
    bool is_open() const { return handle_ != nullptr; }

    // The last failure of this connection as an Error: busy, disk_full, read_only, constraint, …
    Error last_error(std::string_view doing) const;

  private:
    sqlite3* handle_ = nullptr;
    std::unordered_map<std::string, sqlite3_stmt*, TextHash, std::equal_to<>> kept_;
};

// BEGIN IMMEDIATE … COMMIT, rolled back when it goes out of scope uncommitted.
class Transaction {
  public:
    static Result<Transaction> begin_write(Database& db);
    static Result<Transaction> begin_read(Database& db);
    Transaction(Transaction&& other) noexcept : db_(other.db_) { other.db_ = nullptr; }
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    // After a failed commit the transaction is still open; the destructor rolls it back.
    Result<void> commit();
    void rollback();

  private:
    explicit Transaction(Database& db) : db_(&db) {}
    Database* db_;
};

// True for BEGIN, COMMIT, END, ROLLBACK (but ROLLBACK TO), ATTACH, DETACH and VACUUM: what user SQL may not say while its
// transaction is managed for it; the caller refuses it by name.
bool is_transaction_control(std::string_view sql);

}  // namespace skerry::sqlite
