// For tests: a whole server in a folder of its own, driven through its Handler with bytes, and a device so simple
// that its rows are a map. What a test says with these reads like the sentence that it proves.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "server/app/server.hpp"
#include "server/storage/storage.hpp"
#include "wire/messages.hpp"

namespace skerry::server::test {

using storage::KeyRef;
using wire::Outcome;
using wire::Transaction;
using wire::Verdict;

class ManualClock final : public Clock {
  public:
    Micros wall() const override { return Micros(1'800'000'000'000'000) + now; }
    Micros mono() const override { return now; }
    Micros now{0};
};

class KeptLog final : public Log {
  public:
    void line(LogLevel level, std::string_view text) override {
        if (level >= LogLevel::kWarn) lines.emplace_back(text);
    }
    std::vector<std::string> lines;
};

inline constexpr EntityIx kPlace{0};
inline constexpr EntityIx kVisit{1};

// place(id text; name text, people int), visit(id uuid; place_id text, note text)
model::Model outreach();

inline Value text(std::string v) { return Value{std::move(v)}; }
inline Value number(std::int64_t v) { return Value{v}; }

class World {
  public:
    explicit World(model::Model served = outreach());
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void stop();
    void start(std::optional<model::Model> newer = {});
    // The database file as it is now; put_back() is the restore from a backup.
    std::string backup();
    void put_back(const std::string& copy);

    std::string bearer(const std::string& user, const std::map<std::string, std::string>& claims = {});
    http::Response post(std::string_view path, Bytes body, const std::string& bearer);
    http::Handler& handler() { return other_handler != nullptr ? *other_handler : server->handler(); }
    // Runs SQL through a connection of its own, as any program could.
    Table sql(std::string_view statement);
    std::int64_t integer(std::string_view query);

    ManualClock clock;
    SeededRandom random{20260101};
    KeptLog log;
    model::Model model;  // that the server was made with
    Place place;
    std::unique_ptr<Server> server;
    http::Handler* other_handler = nullptr;  // instead of the server's own
};

// Everything that a body has to say until it ends or waits.
Bytes read_all(http::Body& body, bool* waits = nullptr);

struct PushAnswer {
    int status = 0;
    std::vector<Outcome> verdicts;
    std::optional<TxnNo> expect;
    std::optional<TxnNo> identity_taken;
    std::optional<Code> error;
    Verdict verdict(std::size_t i = 0) const { return verdicts.at(i).verdict; }
};

struct PullOptions {
    bool verify = false;
    std::uint32_t slice_rows = 0;
    bool only_first = false;
    std::vector<EntityIx> first{};
    std::vector<wire::Chosen> chosen{};
    std::vector<wire::KeyRange> repair{};
};

struct PullAnswer {
    int status = 0;
    std::optional<Code> error;
    std::vector<wire::Begin> begins;                // of every checkpoint
    std::vector<std::vector<Outcome>> outcomes;     // by checkpoint
    std::vector<std::vector<KeyRef>> rows;          // in kRows, by checkpoint
    std::vector<std::vector<KeyRef>> leaves;
    std::vector<wire::Leaves> leave_frames;
    std::vector<wire::Lines> lines;
    std::vector<wire::ScopeId> lost;
    std::vector<EntityIx> slice_entities;
    std::vector<std::size_t> slice_sizes;
    std::vector<wire::ScopeId> completed;
    std::string message;  // of `error`
    std::uint32_t retry_after_ms = 0;
    std::size_t bytes_sent = 0;
    std::size_t bytes = 0;
    bool ended = false;
};

class Peer {
  public:
    Peer(World& world, const std::string& user, const std::map<std::string, std::string>& claims = {});

    // Builders: the next number, a fresh id.
    Transaction txn(std::vector<wire::Op> ops, std::vector<TxnNo> needs = {});
    static wire::Op insert(EntityIx entity, std::string key, model::Row row, TxnNo prev_row = {});
    static wire::Op update(EntityIx entity, std::string key, std::vector<wire::Change> changes);
    static wire::Op remove(EntityIx entity, std::string key, const model::Row& base, TxnNo prev_row = {});

    Bytes push_body(const std::vector<Transaction>& transactions) const;
    PushAnswer push(const std::vector<Transaction>& transactions);
    PushAnswer push_bytes(Bytes body);
    PullAnswer pull(const PullOptions& options = {});
    // A pull that stays open; read() applies what came since.
    void open_live();
    PullAnswer read_live();
    bool live_waits() const { return live_waits_; }
    http::Body& live_body() { return *live_.body; }
    int enroll(std::uint64_t model_hash = 0);

    World& world;
    std::string bearer;
    DeviceId id;
    Bytes cursor;
    TxnNo no;  // the last one made
    TxnNo keep_from{1};
    model::Model model;  // that the device has
    std::map<KeyRef, model::Row> rows;
    std::map<TxnNo, Outcome> settled;
    bool complete = false;  // as the last Begin said: caught up
    std::map<wire::ScopeId, wire::ScopeInfo> scopes;      // that it was told of
    std::set<wire::ScopeId> whole_now;                    // of these, those that are complete
    std::map<KeyRef, std::set<wire::ScopeId>> lines;      // of rows; those of whole scopes have none
    // Called when one begins, and after it was applied.
    std::function<void(const wire::Begin&)> after_begin;
    std::function<void()> after_checkpoint;
    std::size_t checkpoints_max = SIZE_MAX;  // then the line breaks: nothing that comes later is applied

  private:
    void apply_begin(const wire::Begin& begin);
    void apply_slice(const wire::Slice& slice);
    void lose(wire::ScopeId scope);
    void sweep();
    std::set<KeyRef> swept_;  // lost a line in this checkpoint
    Bytes pull_body(const PullOptions& options, bool live) const;
    void apply(const std::vector<wire::Frame>& frames, PullAnswer& answer);
    http::Response live_;
    Bytes live_bytes_;
    std::size_t live_at_ = 0;
    bool live_waits_ = false;
};

}  // namespace skerry::server::test
