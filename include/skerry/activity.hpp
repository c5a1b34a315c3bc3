// What happened to the transactions and rows of a device, and what waits for a person: conflict records, drafts, the log.
// Shapes only; the calls are in device.hpp, the ideas in docs/conflicts.md.
//
// Times are ISO 8601, UTC, with six decimals and Z; empty = not known.
#pragma once

#include <cstdint>
#include <optional>
#include <skerry/value.hpp>
#include <string>
#include <utility>
#include <vector>

namespace skerry {

/// One attribute of a conflict record. Empty: there is no value (no row, or the record does not hold it).
struct ConflictField {
    std::string attribute;        ///< the attribute's name
    std::optional<Value> base;    ///< what the author changed it from
    std::optional<Value> mine;    ///< what the author made of it; counters and sets: base -> mine is a difference
    std::optional<Value> theirs;  ///< what the server has now, as far as this device knows
};

/// A change that did not land because others changed the same; one row of the table skerry_conflict.
struct ConflictRecord {
    std::string id;         ///< names the record on every device; what Device::resolve() takes
    std::string entity;     ///< the row's entity
    std::string key;        ///< the row's key
    std::string attribute;  ///< empty: the record is on the whole row
    std::string author;     ///< the user whose change did not land
    std::string device;     ///< id of the device where he made it, as DeviceStatus::device_id
    std::uint64_t transaction = 0;  ///< in which of that device's transactions
    std::string batch;      ///< records of one strict transaction share it and are resolved together; else empty
    std::string operation;  ///< what the author did to the row: "insert", "update", "delete"
    std::string why;        ///< code, as in docs/errors.md: row_deleted, both_changed, row_changed, strict, …
    std::string made_at;    ///< when the change was made, by the author's clock
    std::string at;         ///< when the server judged it
    std::string state;      ///< "open", "closed"
    std::string choice;     ///< "mine", "theirs", "mix"; empty while open
    std::string closed_by;  ///< the user who decided; empty while open, and until the server has told it
    std::string closed_at;  ///< when it was decided; empty as `closed_by` is
    bool row_exists = false;            ///< on the server, as far as this device knows
    std::vector<ConflictField> fields;  ///< those of which the record holds base or mine; none while this device has an older model than the record
};

/// What a person decides of a conflict record.
enum class Choice : std::uint8_t {
    kMine,   ///< the author's values are written; a row that was deleted comes back, a deletion deletes
    kTheirs, ///< the row stays as it is
    kMix     ///< the values given are written
};

/// A decision, for Device::resolve().
struct Resolution {
    Choice choice = Choice::kTheirs;                    ///< whose values
    std::vector<std::pair<std::string, Value>> values;  ///< `kMix`: what to write, by attribute; with the others none may be given
};

/// One row of a transaction, as its author changed it.
struct RowChange {
    /// One attribute of the row.
    struct Field {
        std::string attribute;     ///< the attribute's name
        std::optional<Value> was;  ///< empty: there was no row, or it was a large blob
        std::optional<Value> now;  ///< empty: there is no row any more
    };
    std::string entity;         ///< the row's entity
    std::string key;            ///< the row's key
    std::string operation;      ///< "insert", "update", "delete"
    std::vector<Field> fields;  ///< insert: all; update: what changed; delete: none
};

/// A transaction that the server rejected: out of the data, kept for a person to mend, send again or drop.
struct Draft {
    std::uint64_t number = 0;       ///< names it on this device
    std::uint64_t transaction = 0;  ///< its number as a transaction; the same, unless the device has changed its identity
    std::uint64_t root = 0;         ///< number of the draft that its group began with; drafts of a group go together
    std::uint64_t waiting_for = 0;  ///< the root, where this one was only rejected because of it; else 0
    std::string code;               ///< why, as in docs/errors.md
    std::string message;            ///< what the server said
    std::string member;             ///< "entity.attribute" that the message is about, if it names one
    std::string made_at;            ///< when the transaction was made, by this device's clock
    std::string rejected_at;        ///< when this device learnt of it
    std::vector<RowChange> changes; ///< what it would write, edits of the draft included
};

/// What became of a draft group that was sent again.
struct DraftRetry {
    std::uint64_t transaction = 0;     ///< that does it; 0: the group was of an earlier identity of this file and nothing was left to do
    std::vector<std::string> decided;  ///< ids of conflict records that it was to decide and others have decided meanwhile: left out
    bool nothing_left = false;         ///< there was nothing else in it: the group is dropped
};

/// One transaction made on this device, or at work on another device of an identity that this file had before.
struct LogEntry {
    std::uint64_t transaction = 0;  ///< its number
    std::string state;    ///< "pending" (not sent), "sent" (no settled verdict yet), "settled"
    std::string verdict;  ///< of settled ones: "applied", "merged", "conflict", "rejected", "settled before"; else empty
    std::string code;     ///< of "rejected" and "conflict", as in docs/errors.md; else empty
    std::string message;  ///< what the server said of it; empty where `code` is
    std::string draft;    ///< of rejected ones: "open", "redone", "discarded"; else empty
    std::uint64_t mended_by = 0;  ///< the transaction that redid or discarded the draft; 0: none
    std::vector<std::uint64_t> mends;  ///< drafts that this transaction redid or discarded, by transaction
    bool strict = false;    ///< it succeeds or conflicts as a whole: TransactionOptions::strict
    std::string made_at;    ///< when it was made, by this device's clock
    std::string settled_at; ///< when its verdict settled; empty: not yet
    std::vector<RowChange> changes;  ///< what it wrote
};

/// Which transactions Device::log() gives.
struct LogFilter {
    std::string entity;      ///< that touch rows of it; empty: all
    std::string key;         ///< that touch this row of `entity`; empty: all of them; needs an `entity`
    std::size_t limit = 200; ///< the newest, so many at most
};

/// Where a row stands between this device and the server.
struct RowState {
    /// "rejected": a draft has a change of it. "waiting": so, and the draft waits for another one. "conflict": a record on
    /// it is open. "pending": changes are not sent. "sending": they are, and have no settled verdict. "local": the profile keeps
    /// the entity on this device. "left": the row was here, see `left`. Else "synced". Where several hold, the first of this list.
    std::string state;
    std::string at;  ///< since when; of "synced": what the server had of it then is here, as DeviceStatus::fresh_as_of_us; empty where that is unset
    std::uint64_t transaction = 0;  ///< of "rejected", "waiting", "pending" and "sending": the one to look at; else 0
    /// Why the row is not here any more; empty: it is here, or it was never, or long ago. "deleted"; "moved": it no longer
    /// matches what this user takes; "lost": it is no longer granted; "outside": written here, and it belongs to nothing that
    /// this user takes.
    std::string left;
    std::string left_at;  ///< when it went; empty where `left` is
};

/// How far what is here of some entities can be relied on.
struct Freshness {
    bool complete = false;                 ///< everything that this user takes of them is here
    std::optional<std::int64_t> as_of_us;  ///< up to when it is what the server had, by this device's clock, microseconds since 1970; empty: not complete
    std::uint64_t pending = 0;             ///< transactions made here that touch them and have not settled
};

/// A row that arrived and cannot be stored: an index or a trigger of the app's own refuses it. Tried again when a newer
/// version of the row arrives.
struct QuarantinedRow {
    std::string entity;  ///< the row's entity
    std::string key;     ///< the row's key
    std::string reason;  ///< what SQLite said when it was refused
    std::string at;      ///< when it was refused
};

}  // namespace skerry
