// The payloads of all frames but kTransaction (transaction.hpp). Message order, bodies and routes are drawn
// in docs/protocol.md. Every get_… checks what it reads and gives damaged_frame when a payload does not decode.
//
//   POST /v1/enroll   kEnroll kEnd                      -> kEnrolled kEnd | kError
//   POST /v1/push     kPushHello kTransaction* kEnd     -> (kVerdict* [kExpect | kIdentityTaken] kEnd) | kError
//                     kPushHello kPart kEnd             -> (kHave | kVerdict | kExpect | kIdentityTaken) kEnd | kError
//   POST /v1/pull     kPull kEnd                        -> ([kSpool] checkpoint)* (kEnd | kError), heartbeats between
//   checkpoint        kBegin kOutcomes* kLines* kRows* kLeaves* kLostScope* kSlice* kComplete* kCheckpoint
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/value.hpp"
#include "wire/frame.hpp"
#include "wire/transaction.hpp"

namespace skerry::wire {

inline constexpr std::size_t kTokenBytesMax = 64u << 10;
inline constexpr std::size_t kDeviceNameMax = 200;
inline constexpr std::uint32_t kSliceRowsMax = 20'000;
// A push request holds at most so many transactions, and one more byte of them than this ends it.
inline constexpr std::size_t kChosenMax = 200;       // values in all; they travel with every pull
inline constexpr std::size_t kRepairRangesMax = 1000;
inline constexpr std::size_t kPushTxnsMax = 500;
inline constexpr std::size_t kPushBytesTarget = 1u << 20;
inline constexpr std::size_t kPushBytesMax = kPushBytesTarget + kFrameBytesMax;
// A part is what a tear may cost; a device makes them smaller where the line breaks often.
inline constexpr std::size_t kPartBytesMax = 256u << 10;

// Names a scope for one store: given by the server, small, stable.
using ScopeId = Number<struct ScopeIdTag, std::uint32_t>;

struct Enroll {
    DeviceId device;
    std::string name;              // shown to people
    std::uint64_t model_hash = 0;  // 0: the device has no model yet and asks for it
};
struct Enrolled {
    Bytes model;  // compiled
    std::string user;
};

struct PushHello {
    DeviceId device;
    std::uint64_t model_hash = 0;
    TxnNo keep_from;  // results of lower numbers may be forgotten
};
// kVerdict is an Outcome: a hint for the screen. kExpect and kIdentityTaken carry a TxnNo.

// A piece of one transaction's encoded form. Without bytes it only asks how much the server has.
struct Part {
    TxnNo no;
    std::uint64_t id8 = 0;      // the first 8 bytes of the transaction's id
    std::uint64_t content = 0;  // hash64 of the whole form: parts of two forms are never put together
    std::uint64_t total = 0;    // bytes of the whole form
    std::uint64_t offset = 0;
    Bytes bytes;                // at most kPartBytesMax
};
// The server has the beginning of the form, so many bytes of it.
struct Have {
    TxnNo no;
    std::uint64_t content = 0;
    std::uint64_t bytes = 0;
};

// Of one entity: keys after `after` up to and with `upto`; no `upto` = to the end.
struct KeyRange {
    EntityIx entity;
    std::string after;
    std::optional<std::string> upto;
    friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

// Values that the app asks for, of a principal value of kind `chosen`.
struct Chosen {
    std::string name;
    std::vector<std::string> values;
    friend bool operator==(const Chosen&, const Chosen&) = default;
};

// An answer that the server has kept, and how far a device has it.
struct Spooled {
    Bytes id;                 // kSpoolIdBytes
    std::uint64_t offset = 0;  // bytes of its frames
    friend bool operator==(const Spooled&, const Spooled&) = default;
};
inline constexpr std::size_t kSpoolIdBytes = 16;

struct Pull {
    DeviceId device;
    std::uint64_t model_hash = 0;
    TxnNo keep_from;
    bool live = false;    // stay open and go on with changes
    bool verify = false;  // re-read everything by slices
    bool only_first = false;       // of the downloads, those of `first` (and of their parents) only
    std::uint32_t slice_rows = 0;  // wished; 0 = the server's choice
    std::uint32_t slice_rows_max = 0;  // while they get through, slices may grow up to this; below slice_rows: they stay
    Bytes token;          // opaque; empty at first
    std::vector<EntityIx> first{};   // downloads of these, and of their parents, come before all others
    std::vector<Chosen> chosen{};    // all that is chosen, at every pull
    std::vector<KeyRange> repair{};  // read these anew, besides what changed
    std::optional<Spooled> resume{};  // go on with this; where that cannot be, the answer begins anew
};

struct ScopeInfo {
    ScopeId id;
    std::string name;
    EntityIx entity;
    bool whole = false;  // the scope is all of the entity: its rows carry no lines
};

struct Begin {
    std::uint64_t from = 0;  // what this checkpoint continues (continuing.hpp)
    bool verify = false;     // `scopes` are all that are granted: drop the lines of every other
    bool caught_up = false;  // this checkpoint reaches what was sequenced when the pull began
    TxnNo seen;              // the highest transaction that the server knows of this device
    std::uint64_t rows_left = 0;    // an estimate for progress: rows of downloads still to come, this slice included
    std::string profile{};          // the user's: what devices do with each entity
    std::vector<ScopeInfo> scopes;  // newly granted (all when verify)
};

struct RowEntry {
    std::string key;
    std::vector<ScopeId> lines;  // empty where the scope is whole
    model::Row row;
};
struct Rows {
    EntityIx entity;
    std::vector<RowEntry> rows;
};
// kLines: scope lines of rows that the device holds already.
struct Lines {
    EntityIx entity;
    ScopeId scope;
    std::vector<std::string> keys;
};
// Why a row left a scope. Sent and stored: do not change a number.
enum class Left : std::uint8_t {
    kDeleted = 1,   // it is gone
    kMoved = 2,     // it no longer matches
    kLost = 3,      // the scope is no longer granted
    kOutside = 4,   // written here, and it belongs to no scope of this device
};
struct Leaves {
    EntityIx entity;
    ScopeId scope;
    std::vector<std::string> keys;
    Left why = Left::kDeleted;  // kDeleted or kMoved
};
// The whole truth of (after, upto] of the scopes; no `upto` = to the end of the entity.
struct Slice {
    EntityIx entity;
    std::vector<ScopeId> scopes;
    std::string after;  // exclusive; empty = from the start
    std::optional<std::string> upto;
    std::vector<RowEntry> rows;  // by key, ascending
};
// kLostScope and kComplete carry a ScopeId.
// kSpool is a Spooled: the server keeps the checkpoint that follows, the device may ask for the rest of it after a tear. Its
// offset is where this answer begins in it; above 0, frames of it follow without a kBegin.
struct Checkpoint {
    Bytes token;        // what the device holds once this is applied
    bool more = false;  // another checkpoint follows at once
};

struct Failure {
    Code code = Code::kServerFailed;
    std::string message;
    std::uint32_t retry_after_ms = 0;  // 0 = the device's own backoff
};

void put(Bytes& out, const Enroll& m);
void put(Bytes& out, const Enrolled& m);
void put(Bytes& out, const PushHello& m);
void put(Bytes& out, const Transaction& m);
void put(Bytes& out, const Part& m);
void put(Bytes& out, const Have& m);
void put(Bytes& out, const Pull& m);
void put(Bytes& out, const Spooled& m);
void put(Bytes& out, const Begin& m);
void put(Bytes& out, const Lines& m);
void put(Bytes& out, const Rows& m);
void put(Bytes& out, const Leaves& m);
void put(Bytes& out, const Slice& m);
void put(Bytes& out, const Checkpoint& m);
void put(Bytes& out, const Failure& m);
void put_verdict(Bytes& out, const Outcome& m);
void put_outcomes(Bytes& out, const std::vector<Outcome>& m);
void put_number(Bytes& out, FrameType type, std::uint64_t number);  // kExpect, kIdentityTaken, kLostScope, kComplete
void put_empty(Bytes& out, FrameType type);                         // kEnd, kHeartbeat

Result<Enroll> get_enroll(BytesView payload);
Result<Enrolled> get_enrolled(BytesView payload);
Result<PushHello> get_push_hello(BytesView payload);
Result<Part> get_part(BytesView payload);
Result<Have> get_have(BytesView payload);
Result<Pull> get_pull(BytesView payload);
Result<Spooled> get_spooled(BytesView payload);
Result<Begin> get_begin(BytesView payload);
Result<Lines> get_lines(BytesView payload);
Result<Leaves> get_leaves(BytesView payload);
Result<Checkpoint> get_checkpoint(BytesView payload);
Result<Failure> get_failure(BytesView payload);
Result<Outcome> get_verdict(BytesView payload);
Result<std::vector<Outcome>> get_outcomes(BytesView payload);
Result<std::uint64_t> get_number(BytesView payload);
// Need the model for the rows' shape; every key and value is checked for its canonical form.
Result<Rows> get_rows(BytesView payload, const model::Model& model);
Result<Slice> get_slice(BytesView payload, const model::Model& model);

// Makes a kError frame's content into an Error.
Error to_error(const Failure& failure);

}  // namespace skerry::wire
