// What a person asks a server folder about: drafts, the log of transactions, what happened to a row, what is held back.
// Reads only, beside a running server. Conflict records are rows of skerry_conflict: read them with ServerSql.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <skerry/value.hpp>

#include "server/app/server.hpp"

namespace skerry::server {

// One attribute of a change. Values in the form of the tables; model::append_json writes them for people.
struct FieldChange {
    std::string attribute;
    std::optional<Value> was;  // empty: not told (a new row, a deletion, a large blob)
    std::optional<Value> now;  // empty: a deletion
};

struct RowChange {
    std::string entity;
    std::string key;
    std::string operation;  // insert, update or delete
    std::vector<FieldChange> fields;
};

// A pushed transaction and its verdict.
struct LogEntry {
    std::int64_t at_us = 0;       // when the server judged it
    std::int64_t made_at_us = 0;  // when it was made, by the device's clock; 0: the content does not decode
    std::string user;
    std::string device;           // 32 hexadecimal digits
    std::string device_name;
    std::uint64_t number = 0;
    std::string verdict;          // applied, merged, conflict or rejected
    std::string code;             // of a conflict or rejection, else empty
    std::string message;
    std::vector<RowChange> changes;
};

// The content of a rejected transaction.
struct ServerDraft {
    LogEntry transaction;    // at_us: when it was rejected
    std::uint64_t root = 0;  // the first of its group
    std::string member;      // "entity.attribute" at fault; empty: none
    std::string state;       // open, redone or discarded
};

// A value that gave way, or did not get in.
struct LostValue {
    std::int64_t at_us = 0;
    std::string entity;
    std::string key;
    std::string attribute;        // empty: the whole row
    std::string why;              // overwritten, deleted, lost or image
    std::string user;             // whose transaction displaced the value, or brought it
    std::string device;
    std::uint64_t number = 0;
    std::vector<FieldChange> values;  // `was`: one, or all of a row
};

struct QuarantinedRow {
    std::string entity;
    std::string key;
    std::string reason;
    std::int64_t at_us = 0;
};

enum class Drafts { kOpen, kAll };

struct LogFilter {
    std::string entity;        // with `key`: what touched this row; both empty: everything
    std::string key;
    std::size_t limit = 1000;  // the newest
};

class Inspector {
  public:
    // Errors: those of Server::open.
    static Result<Inspector> open(const Place& place);
    Inspector(Inspector&&) noexcept;
    Inspector& operator=(Inspector&&) noexcept;
    ~Inspector();

    const model::Model& model() const;
    // Newest last. Errors of all: io, busy; not_found for an entity that the model does not have.
    Result<std::vector<ServerDraft>> drafts(Drafts which = Drafts::kOpen) const;
    Result<std::vector<LogEntry>> log(const LogFilter& filter = {}) const;
    Result<std::vector<LostValue>> lost_values(const LogFilter& filter = {}) const;
    Result<std::vector<QuarantinedRow>> quarantine() const;

  private:
    struct Impl;
    explicit Inspector(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::server
