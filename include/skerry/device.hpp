// The device half of Skerry: a SQLite database that works with or without a network and keeps itself in
// step with a server. docs/embedding.md shows it in use; examples/two_devices.cpp is a whole program.
//
// Thread rule: a Device belongs to one thread at a time, and starts none of its own (only while the name of a
// server is being looked up, the socket library has one, which runs nothing of yours). Network work happens
// inside sync(), run_for() and poll(); callbacks are called from there. Other processes may read and write
// the same file with any SQLite program (3.37 or newer): what they write is captured and sent too. Of several Devices on
// one file, in one process or many, one at a time syncs, for all of them; when it has ended, however it did, another takes over.
//
// Durability: a transaction whose commit returned is on the disk (WAL, synchronous=FULL).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <skerry/activity.hpp>
#include <skerry/error.hpp>
#include <skerry/sync.hpp>
#include <skerry/value.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace skerry {

/// How to open a store. Only `path` is needed once it has been opened with the others.
struct DeviceOptions {
    std::string path;        ///< the SQLite file; created if absent
    std::string server_url;  ///< "http://host:port"; empty: as stored, or local only
    std::string token;       ///< bearer token; empty: as stored
    std::string name;        ///< shown to people; used when the store is made
    std::string model;       ///< compiled model for a first start without a network, also if the store has a later one by now; empty: from the server
};

/// What happened to one of this device's transactions.
struct Verdict {
    std::uint64_t transaction = 0;  ///< the transaction's number on this device
    std::string verdict;  ///< "applied", "merged", "conflict", "rejected", "settled before"
    std::string code;     ///< of a rejection or conflict, as in docs/errors.md; else empty
    std::string message;  ///< of a rejection or conflict, for a person; else empty
};

/// How a device stands: Device::status(). docs/rhythm.md tells how to read it.
struct DeviceStatus {
    /// "idle"; "syncing"; "live" (in step, and connected for what comes); "waiting" (something failed that time mends), "offline"
    /// (the server is out of reach, or there is no network), "attention" (a person has to mend it): these three are tried again.
    std::string phase;
    std::string device_id;                      ///< 32 hexadecimal digits; another one when the file has changed its identity
    std::string user;                           ///< whose store it is; empty before the first contact with the server
    std::string server_url;                     ///< "http://host:port"; empty: local only
    bool reachable = false;                     ///< the last request was answered by the server
    Network network = Network::kUnknown;        ///< as set_network() said
    bool paused = false;                        ///< pause() without resume(), or suspended() without resumed()
    std::optional<std::int64_t> offline_since_us;  ///< wall clock, microseconds since 1970, kept across restarts; unset once the server was reached
    std::optional<std::chrono::milliseconds> retry_in;  ///< until the next attempt; unset: none is planned
    std::string running;                        ///< name of the unit that runs; empty: none
    std::vector<std::string> queued;            ///< units that wait, in order
    std::uint64_t waiting_to_send = 0;    ///< transactions that the server has not confirmed
    std::uint64_t waiting_to_settle = 0;  ///< transactions without a settled verdict, those above included
    std::uint64_t drafts = 0;             ///< rejected transactions kept for a person
    std::uint64_t conflicts = 0;          ///< open conflict records, everybody's
    std::uint64_t quarantined = 0;        ///< received rows that could not be stored
    std::vector<std::string> incomplete;  ///< entities whose first download has not finished
    std::optional<std::int64_t> synced_at_us;  ///< wall clock of the last checkpoint, microseconds since 1970; unset: there was none
    std::optional<std::int64_t> fresh_as_of_us;  ///< everything that the server had then is here, but for what is incomplete; as `synced_at_us`
    std::optional<std::int64_t> checked_at_us;  ///< when all rows were last compared with the server's; as `synced_at_us`
    std::uint64_t mended_rows = 0;              ///< rows that such comparisons found different and read anew, ever
    std::optional<std::int64_t> mended_at_us;   ///< when they last found any; as `synced_at_us`
    bool synced_elsewhere = false;        ///< another program, or another Device, syncs this store now: it does for this one too
    std::optional<Error> problem;         ///< why it waits, is offline or needs attention; else what a live query fails with, until it succeeds or is ended
    std::uint64_t rows_received = 0;      ///< in the current or last sync
    std::uint64_t rows_left = 0;          ///< still to come in it; estimate
    std::uint64_t rows_compared = 0;      ///< by a check, in the current or last sync
    std::uint64_t transactions_sent = 0;  ///< confirmed by the server, in the current or last sync
    std::optional<double> fraction;       ///< of the current sync, 0 to 1; unset: not known
    double rows_per_second = 0;           ///< in the last ten seconds; transactions sent count as rows
    double bytes_per_second = 0;          ///< in the last ten seconds, both ways
    std::optional<std::chrono::milliseconds> time_left;  ///< estimate; unset: not known
    std::uint64_t bytes_received = 0;     ///< since the device was opened
    std::uint64_t bytes_sent = 0;         ///< since the device was opened
};

/// What Device::transaction() asks of a transaction.
struct TransactionOptions {
    bool strict = false;  ///< it succeeds or conflicts as a whole, whatever the model says of the entities it touches
};

/// What Device::check() found.
struct CheckReport {
    /// Names a row.
    struct Row {
        std::string entity;  ///< the row's entity
        std::string key;     ///< the row's key
    };
    std::uint64_t rows = 0;       ///< compared
    std::uint64_t different = 0;  ///< rows that differed, were missing here, or were here and not on the server
    std::uint64_t left = 0;       ///< of these, rows that differ still: they could not be stored
    std::vector<Row> examples;    ///< of those that differed, at most 100
};

/// An open store. It is made by open(), may be moved but not copied, and closes the store when it goes. The thread rule is above.
///
/// Beside the errors that a call names, whatever reads or writes the file may fail with busy (another program held it for five seconds), io,
/// disk_full, read_only and corrupt_store; nothing is half done then. Calls about syncing do nothing in a store without a server, unless
/// they say otherwise.
class Device {
  public:
    /// Opens or makes the store. Needs the network only when a new store has no model yet.
    /// Errors: model_missing, format_too_new, corrupt_store, io, offline, unauthorized, device_of_other_user; invalid_argument (no path, a
    /// server's address or a token that is none), not_supported (https), already_exists (the file is the database of another program);
    /// model_invalid, model_mismatch (the model that was passed; model_mismatch too where the store cannot take it over in place).
    static Result<Device> open(const DeviceOptions& options);
    /// Takes the store over, also into another thread, but not during a call. The one moved from can only be assigned to or destroyed.
    Device(Device&&) noexcept;
    /// Takes the store over, as the constructor; the one that this Device had is closed.
    Device& operator=(Device&&) noexcept;
    /// Closes the store. A sync under way ends where it stands; what was committed stays, and is sent when the store is open again. Not from
    /// within a callback.
    ~Device();

    /// One statement outside a transaction of its own: a transaction by itself. Parameters fill ?1, ?2, ….
    /// BEGIN, COMMIT, ROLLBACK, ATTACH and VACUUM are refused: use transaction(). Gives the rows of a query; no rows for what returns none.
    /// Errors: sql, invalid_argument (such a statement, more than one, another number of parameters), and what the model does not allow:
    /// constraint, required, check_failed, not_unique, still_referenced, value_invalid, key_update, key_missing, row_too_big, txn_too_big,
    /// not_writable.
    Result<Table> sql(std::string_view statement, const std::vector<Value>& parameters = {});

    /// Runs `work` in one transaction: committed when it returns success, rolled back when it returns an error.
    /// Inside, call sql(), update() and assert_row(). Nested calls are refused (invalid_argument). Errors: that of `work`, and those of the
    /// commit, such as txn_too_big.
    Result<void> transaction(const std::function<Result<void>(Device&)>& work, TransactionOptions options = {});

    /// What a form showed and what its user made of it, by attribute name: writes only what differs, with `shown`
    /// as the values it was changed from, so that an edit begun before a sync overwrites nothing unseen.
    /// Inside transaction(). Errors: not_found (entity, attribute or row), invalid_argument (an edited attribute was not shown), and those of a
    /// write by sql().
    Result<void> update(std::string_view entity, std::string_view key, const std::vector<std::pair<std::string, Value>>& shown,
                        const std::vector<std::pair<std::string, Value>>& edited);

    /// What has to be true of a row for the transaction to apply, in the language of checks (docs/model.md), such as
    /// "stock >= 3". Judged on the server, on the row before the transaction: if it is not true there, or the row is not
    /// there, the transaction is rejected (assert_failed). Here, only a definite no refuses at once. Inside transaction().
    /// Errors: assert_failed, expression_invalid, not_found (entity), value_invalid (key), invalid_argument, txn_too_big (more asserts than one
    /// transaction may have).
    Result<void> assert_row(std::string_view entity, std::string_view key, std::string_view expression);

    /// A new key for a uuid entity: UUID version 7, 36 characters in lower case.
    std::string new_uuid();

    /// Runs the unit "full", in this thread: sends what is unsent, receives up to what the server had when it began. Asked for
    /// while another unit runs, it comes after that. `progress` is called four times a second or more. Errors say why it could
    /// not finish; work goes on locally. invalid_argument: the store has no server, or inside transaction(). sync_elsewhere: another
    /// program has synced this store for five seconds and does so still.
    Result<DeviceStatus> sync(const std::function<void(const DeviceStatus&)>& progress = {});
    /// sync() with another unit. Errors: not_found, sync_loop, and those of sync().
    Result<DeviceStatus> run_unit(std::string_view unit, const std::function<void(const DeviceStatus&)>& progress = {});

    /// Syncs, then compares every row with the server by digests and reads anew what differs; equal rows are not sent. Local
    /// changes stay. A full sync does this by itself when seven days have passed. Errors: those of sync(), busy, server_busy.
    Result<CheckReport> check(const std::function<void(const DeviceStatus&)>& progress = {});

    /// Re-reads everything from the server by slices and mends what differs; local changes stay. Errors: those of sync(). What it could not
    /// finish, the next sync that receives does; with invalid_argument nothing is to be done.
    Result<DeviceStatus> repair(const std::function<void(const DeviceStatus&)>& progress = {});

    // ---- when to sync, and what: docs/rhythm.md ----

    /// Defines a unit, in place of one of the same name. Nothing runs but inside run_for(), poll() and sync().
    /// Errors: invalid_argument (no server, a name, time or list of entities that SyncUnit does not allow, another kind for a unit that
    /// exists without being defined), not_found (an entity), limit_exceeded (100 units).
    Result<void> define_unit(const SyncUnit& unit);
    /// Puts the unit among those that wait, and gives its run's number; a unit that waits already keeps its number.
    /// Errors: not_found, sync_loop, invalid_argument (no server).
    Result<std::uint64_t> trigger(std::string_view unit, SyncOptions options = {});
    /// Drops the run, or ends it where it stands; what was applied stays. False: it had ended.
    bool cancel_sync(std::uint64_t run);
    /// Called for each run; takes the place of those called before. From sync(), run_for() and poll().
    void on_sync(SyncCallbacks callbacks);
    /// What is on the screen: of what is still to be downloaded, these come first, also in a sync under way. Takes the place of
    /// what was preferred before; an empty list: nothing. Errors: not_found (an entity).
    Result<void> prefer(const std::vector<std::string>& entities);
    /// Nothing is sent or received until resume(); what was under way goes on then.
    void pause();
    /// Ends pause(). Without one it does nothing.
    void resume();

    /// What the platform says. Without a network nothing is tried; when it is back, units with `on_online` run at once, and so
    /// does what failed meanwhile.
    void set_network(Network network);
    /// In front of a person nothing waits longer than 5 seconds for its next attempt, otherwise 30.
    void set_foreground(bool in_front);
    /// The platform is about to stop the app: what is open is closed, and nothing is sent or received until resumed(). Nothing is lost
    /// without the two calls; with them nothing waits.
    void suspended();
    /// The platform has let the app go on: what failed meanwhile is tried at once, and units with `on_resume` run.
    void resumed();

    /// How far the rows of these entities can be relied on. Errors: not_found (an entity).
    Result<Freshness> freshness(const std::vector<std::string>& entities);
    /// How far the rows that a query reads can be relied on: those of all its entities. Errors: sql, invalid_argument (it writes).
    Result<Freshness> freshness_of_query(std::string_view query);

    /// `live`: stay connected while run_for() or poll() is called: changes arrive and go out by themselves. While another program syncs the
    /// store it does that, and this Device waits for its turn. Without `live`: no longer.
    void set_live(bool live);
    /// Drives network work and callbacks for at most `limit`; returns early when stop_running() was called.
    void run_for(std::chrono::milliseconds limit);
    /// Ends the run_for() from whose callback it is called; without one it does nothing.
    void stop_running();
    /// As run_for(), without waiting: does what is ready and returns.
    void poll();

    /// A live query, one statement that only reads: `callback` gets the result now, and again whenever it differs
    /// because a table that it reads was changed, by whomever; from sync(), run_for() and poll(). Where it fails later, DeviceStatus::problem
    /// says why; it is tried again when the file has changed, and each second, and called when it succeeds. The returned number ends it with unwatch(). Errors: sql, invalid_argument (it writes).
    Result<std::uint64_t> watch(std::string_view query, std::function<void(const Table&)> callback);
    /// Ends a live query; a number that is none does nothing.
    void unwatch(std::uint64_t watch);

    /// Called for every transaction whose verdict has settled in a sync of this Device; from sync(), run_for() and poll(). Takes the place
    /// of the callback before, as all on_…() do; an empty one ends it.
    void on_verdict(std::function<void(const Verdict&)> callback);

    /// How the device stands now: what the file says, and the sync that this Device drives.
    Result<DeviceStatus> status();
    /// Called when the status is another than before; while a sync runs, four times a second. From sync(), run_for() and poll().
    void on_status(std::function<void(const DeviceStatus&)> callback);

    /// What is wanted on demand: the values of a name that the model declares as `chosen`, such as the keys of sites to take along;
    /// they replace those chosen before, and none drops what was there for them. Counts at once while live, else from the next sync
    /// on; kept across restarts. At most 200 values in all names, each of at most 1,024 bytes. Errors: not_found (the model has no such name),
    /// invalid_argument (too many, too long, inside transaction()).
    Result<void> choose(std::string_view name, const std::vector<std::string>& values);
    /// What is chosen: names with their values, both ascending; names of which nothing is chosen are left out.
    Result<std::vector<std::pair<std::string, std::vector<std::string>>>> chosen();

    // ---- conflicts: docs/conflicts.md ----

    /// Open conflict records, oldest first; with `also_closed` those that were decided too, as long as the server keeps them.
    Result<std::vector<ConflictRecord>> conflicts(bool also_closed = false);
    /// One conflict record, open or closed. Errors: not_found (there is no such record, or it is gone).
    Result<ConflictRecord> conflict(std::string_view id);
    /// Decides: kMine writes the author's values (a difference for counters and sets; a row that is gone comes back; a
    /// delete deletes), kTheirs leaves the row as it is, kMix writes `values`. One transaction of its own, sent like any other;
    /// the record shows as closed at once, offline too. Records of a batch are decided together; with kMix the others of the
    /// batch take kMine. Errors: not_found (the record, or a row that is gone and of which the record does not hold all), invalid_argument
    /// (closed already, inside transaction(), kMix without values, values without kMix), and whatever the writes are refused with.
    Result<void> resolve(std::string_view id, const Resolution& resolution);
    /// Called once for each open record that has arrived, also across restarts; from sync(), run_for() and poll(). A process that
    /// dies meanwhile is not told again: conflicts() still lists the record.
    void on_conflict(std::function<void(const ConflictRecord&)> callback);

    // ---- drafts ----

    /// Open drafts, oldest first.
    Result<std::vector<Draft>> drafts();
    /// One open draft, by its number. Errors: not_found (there is none, or it was redone or discarded).
    Result<Draft> draft(std::uint64_t number);
    /// Changes what the draft would write to a row that it inserts or updates; nothing is sent. Giving an inserted row's
    /// key attribute another value moves the row, and what in the group refers to it, to that key.
    /// Errors: not_found (draft, row or attribute), value_invalid, row_too_big, key_update (the draft does not insert the row), key_taken (the group
    /// has another row of that key), invalid_argument (the draft deletes the row).
    Result<void> edit_draft(std::uint64_t number, std::string_view entity, std::string_view key,
                            const std::vector<std::pair<std::string, Value>>& values);
    /// Does the changes of the draft's whole group again, as one new transaction. What others changed since is detected as ever.
    /// What was to decide a conflict record that is decided meanwhile is left out; where nothing else is in the group, it is
    /// dropped as by discard_draft(). On an error nothing is done and the drafts stay: not_found (no such draft, or a row that it
    /// updates is not here), key_taken, and whatever the writes are refused with.
    Result<DraftRetry> retry_draft(std::uint64_t number);
    /// Drops the draft's whole group, here and on the server, by a transaction that is kept in the log; returns its number, or 0: the group was
    /// of an earlier identity of this file, and nothing is sent. Errors: not_found, invalid_argument (inside transaction()).
    Result<std::uint64_t> discard_draft(std::uint64_t number);
    /// Called once for each new draft, also across restarts; from sync(), run_for() and poll(). A process that dies meanwhile is
    /// not told again: drafts() still lists the draft.
    void on_draft(std::function<void(const Draft&)> callback);

    // ---- what happened ----

    /// Transactions made here, newest first, those that have not settled before the others. Errors: not_found (no such entity), invalid_argument
    /// (a key without an entity).
    Result<std::vector<LogEntry>> log(const LogFilter& filter = {});
    /// Where a row stands. Errors: not_found (no such entity, or nothing is known of such a row).
    Result<RowState> row_state(std::string_view entity, std::string_view key);
    /// Rows that arrived and could not be stored, by entity and key.
    Result<std::vector<QuarantinedRow>> quarantine();

    // ---- values as people write them ----

    /// What a person types, made into the attribute's value: "12.34" for a decimal, "true", "[\"a\"]" for a set; null is NULL.
    /// Errors: not_found (entity or attribute; the key counts as one), value_invalid, row_too_big (the value is too long).
    Result<Value> value_from_text(std::string_view entity, std::string_view attribute, std::string_view text);
    /// The inverse, for showing: text without quotes, base64 of blobs, NULL. Errors: not_found, as above.
    Result<std::string> value_to_text(std::string_view entity, std::string_view attribute, const Value& value);

  private:
    struct Impl;
    explicit Device(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace skerry
