// Sends what the store has numbered, batch after batch, and takes the verdicts as hints. Enrolment is its first request:
// nothing can be sent before the server knows the device.
#pragma once

#include <algorithm>

#include "engine/lane.hpp"

namespace skerry::engine {

class PushChannel final : public Lane {
  public:
    using Lane::Lane;

    void start_enrolment(const SyncState& state);
    // True if a request went out; false: nothing is to be sent, or only what is newer than `upto`.
    Result<bool> start(const SyncState& state, std::optional<TxnNo> upto = {});

    bool enrolling() const { return enrolling_; }  // what the request is for
    // The server said that it does not know this device, or has a newer model.
    bool enrol_wanted() const { return enrol_wanted_; }
    void want_enrolment() { enrol_wanted_ = true; }
    // The server knows another transaction under one of our numbers, from which on all have to move to a new identity.
    bool identity_taken() const { return identity_taken_; }
    // Moves them once everything that the server does know has settled. True: it was done just now.
    Result<bool> take_new_identity(const SyncState& state);

  private:
    Result<void> on_frame(const wire::Frame& frame) override;
    void failed(Code code) override;
    Result<void> note();

    // A transaction that is sent in parts, kept encoded meanwhile.
    struct Large {
        DeviceId device;
        wire::TxnHeader header;
        Bytes form;
        std::uint64_t content = 0;
        std::optional<std::uint64_t> have{};  // by the server; it is asked when that is not sure
        std::uint64_t sent_upto = 0;          // with the open request
        int setbacks = 0;                     // times that the server had less than before
    };
    Result<void> take_large(const SyncState& state, Bytes form);
    void send(const SyncState& state, const std::vector<Bytes>& frames, std::optional<wire::Part> part);
    void send_part(const SyncState& state);
    Result<void> on_have(const wire::Have& have);
    // A server that keeps nothing for good is told of as that.
    static constexpr int kSetbacksMax = 3;
    std::size_t part_bytes() const { return std::min(chunk_, wire::kPartBytesMax); }

    bool enrolling_ = false;
    bool enrol_wanted_ = false;
    bool identity_taken_ = false;
    TxnNo taken_no_;
    std::size_t chunk_ = kChunkFirst;  // of a request's content
    bool chunk_full_ = false;          // the open request was as large as it may be
    std::optional<Large> large_;
    std::vector<wire::Outcome> verdicts_;  // of the answer being read
};

}  // namespace skerry::engine
