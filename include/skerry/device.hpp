// The device half of Skerry: a SQLite database that works with or without a network and keeps itself in
// step with a server. docs/embedding.md shows it in use; examples/two_devices.cpp is a whole program.
//
// Thread rule: a Device belongs to one thread at a time, and starts none of its own (only while the name of a
// server is being looked up, the socket library has one, which runs nothing of yours). Network work happens
// inside sync(), run_for() and poll(); callbacks are called from there. Other processes may read and write
// the same file with any SQLite program (3.37 or newer): what they write is captured and sent too.
//
// Durability: a transaction whose commit returned is on the disk (WAL, synchronous=FULL).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <skerry/error.hpp>
#include <skerry/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace skerry {

struct DeviceOptions {
    std::string path;        // the SQLite file; created if absent
    std::string server_url;  // "http://host:port"; empty: as stored, or local only
    std::string token;       // bearer token; empty: as stored
    std::string name;        // shown to people; used when the store is made
    std::string model;       // compiled model for a first start without a network; empty: from the server
};

// What happened to one of this device's transactions.
struct Verdict {
    std::uint64_t transaction = 0;
    std::string verdict;  // "applied", "merged", "conflict", "rejected", "settled before"
    std::string code;     // of a rejection or conflict, as in docs/errors.md
    std::string message;
};

struct DeviceStatus {
    std::string phase;  // "idle", "syncing", "live", "waiting", "attention"
    std::string device_id;
    std::string user;
    std::string server_url;
    bool reachable = false;
    std::uint64_t waiting_to_send = 0;    // transactions that the server has not confirmed
    std::uint64_t waiting_to_settle = 0;  // transactions without a settled verdict, those above included
    std::uint64_t drafts = 0;             // rejected transactions kept for a person
    std::uint64_t quarantined = 0;        // received rows that could not be stored
    std::vector<std::string> incomplete;  // entities whose first download has not finished
    std::optional<std::int64_t> synced_at_us;  // wall clock of the last checkpoint, microseconds since 1970
    std::optional<Error> problem;         // why it waits or needs attention
    std::uint64_t rows_received = 0;      // in the current or last sync
    std::uint64_t rows_left = 0;          // estimate
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
};

class Device {
  public:
    // Opens or makes the store. Needs the network only when a new store has no model yet.
    // Errors: model_missing, format_too_new, corrupt_store, io, offline, unauthorized, device_of_other_user.
    static Result<Device> open(const DeviceOptions& options);
    Device(Device&&) noexcept;
    Device& operator=(Device&&) noexcept;
    ~Device();

    // One statement outside a transaction of its own: a transaction by itself. Parameters fill ?1, ?2, ….
    // BEGIN, COMMIT, ROLLBACK, ATTACH and VACUUM are refused: use transaction().
    Result<Table> sql(std::string_view statement, const std::vector<Value>& parameters = {});

    // Runs `work` in one transaction: committed when it returns success, rolled back when it returns an error.
    // Inside, call sql(). Nested calls are refused (invalid_argument).
    Result<void> transaction(const std::function<Result<void>(Device&)>& work);

    // What a form showed and what its user made of it, by attribute name: writes only what differs, with `shown`
    // as the values it was changed from, so that an edit begun before a sync overwrites nothing unseen.
    // Inside transaction(). Errors: not_found (entity, attribute or row), invalid_argument.
    Result<void> update(std::string_view entity, std::string_view key, const std::vector<std::pair<std::string, Value>>& shown,
                        const std::vector<std::pair<std::string, Value>>& edited);

    // A new key for a uuid entity: UUID version 7.
    std::string new_uuid();

    // One full sync, in this thread: sends what is unsent, receives up to what the server had when it began.
    // `progress` is called about four times a second. Errors say why it could not finish; work goes on locally.
    Result<DeviceStatus> sync(const std::function<void(const DeviceStatus&)>& progress = {});

    // Re-reads everything from the server by slices and mends what differs; local changes stay.
    Result<DeviceStatus> repair(const std::function<void(const DeviceStatus&)>& progress = {});

    // Stay connected while run_for() or poll() is called: changes arrive and go out by themselves.
    void set_live(bool live);
    // Drives network work and callbacks for at most `limit`; returns early when stop_running() was called.
    void run_for(std::chrono::milliseconds limit);
    void stop_running();
    // The same without waiting.
    void poll();

    // A live query, one statement that only reads: `callback` gets the result now, and again whenever it differs
    // because a table that it reads was changed, by whomever.
    // The returned number ends it with unwatch().
    Result<std::uint64_t> watch(std::string_view query, std::function<void(const Table&)> callback);
    void unwatch(std::uint64_t watch);

    // Called for every transaction whose verdict has settled.
    void on_verdict(std::function<void(const Verdict&)> callback);

    Result<DeviceStatus> status();

  private:
    struct Impl;
    explicit Device(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry
