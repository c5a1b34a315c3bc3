// What the engine needs from others, and what it asks of its host. The engine includes no store and no
// socket: a host implements StorePort with a store, carries out the actions and reports the events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "engine/check_port.hpp"
#include "engine/turn_port.hpp"
#include "wire/messages.hpp"

namespace skerry::engine {

// Where the store stands, read when a request is built.
struct SyncState {
    DeviceId device;
    std::string device_name;
    bool has_model = false;
    bool enrolled = false;          // the server has confirmed this device id
    std::uint64_t model_hash = 0;
    Bytes token;                    // cursor; empty = none
    TxnNo keep_from;
    std::uint64_t unsettled = 0;    // transactions without a settled outcome
    TxnNo first_unsettled;          // the lowest of them; 0: there is none
    std::uint64_t unsent = 0;       // of these, those whose receipt the server has not confirmed
    TxnNo sent_upto;                // the highest number whose receipt the server has confirmed under this identity
    bool verify_wanted = false;     // repair was asked for
    std::optional<wire::Spooled> resume{};   // a checkpoint that the server keeps, and how far it is staged here
    std::vector<wire::Chosen> chosen{};      // what the app wants on demand
    bool heals = false;             // settled transactions are to be sent again, to a server that lost them
};

struct PushBatch {
    std::vector<Bytes> frames;  // encoded kTransaction payloads, in number order; empty = nothing to send
    TxnNo first;
    TxnNo last;
};

struct Applied {
    std::uint64_t rows = 0;      // rows that the checkpoint carried
    std::uint64_t settled = 0;
    std::vector<wire::Outcome> outcomes;
    Micros took{0};              // for the size of the next slice
};

class StorePort {
  public:
    virtual ~StorePort() = default;
    virtual Result<SyncState> state() = 0;
    // Numbers what is open, then gives what to send from `from` on (0 = the first unsent), at most
    // kPushTxnsMax transactions and `bytes_max` bytes, or one that is larger.
    virtual Result<PushBatch> next_push(TxnNo from, std::size_t bytes_max) = 0;
    // The server has these: a hint, kept so that they are not sent again at once. Settles nothing.
    virtual Result<void> note_verdicts(const std::vector<wire::Outcome>& verdicts) = 0;
    // The server lacks everything from `no` on (it was restored): unsettled and archived ones are sent again.
    // What is no longer kept is a declared, logged loss.
    virtual Result<void> server_expects(TxnNo no) = 0;
    // The server knows another transaction under one of our numbers: this file is a clone or a restored copy.
    // Everything unsettled that the server does not know moves over to a new identity.
    virtual Result<void> take_new_identity() = 0;
    virtual Result<void> enrolled(const wire::Enrolled& answer) = 0;
    // The frames that follow are those of a checkpoint that the server keeps, from this offset on: they are staged
    // durably, and SyncState::resume names them after a tear or a restart.
    virtual Result<void> stage_spooled(const wire::Spooled& spooled) = 0;
    // Frames of one checkpoint, in order, kBegin first; they are kept until apply() or discard_staged().
    virtual Result<void> stage(wire::FrameType type, BytesView payload) = 0;
    // Applies the staged frames and moves the cursor, in one transaction. False in `*continues` (and nothing
    // applied) when the checkpoint does not continue the store's cursor.
    virtual Result<Applied> apply(bool* continues) = 0;
    // These were asked for by name: what is kept on the device of them (download `never`) is numbered, so that it is sent.
    // Gives the last unsent transaction that touches one; 0: none does.
    virtual Result<TxnNo> select(const std::vector<EntityIx>& entities) = 0;
    // For comparing with the server; null: this store cannot.
    virtual CheckPort* checks() { return nullptr; }
    // Null: nobody else can have the store open.
    virtual TurnPort* turn() { return nullptr; }
    // No more frames come. What was staged is given up, unless the server keeps the checkpoint.
    virtual void discard_staged() = 0;
};

// ---- actions ----

using RequestId = std::uint64_t;

struct SendRequest {
    RequestId id = 0;
    std::string path;  // POST
    Bytes body;
};
// The response to it is of no interest any more: the host closes it and reports nothing further about it.
struct CancelRequest {
    RequestId id = 0;
};
// Report timer_fired() once after `after`; replaces the timer set before.
struct SetTimer {
    Millis after{0};
};
using Action = std::variant<SendRequest, CancelRequest, SetTimer>;

}  // namespace skerry::engine
