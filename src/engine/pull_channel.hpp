// Asks for checkpoints from the store's cursor, stages their frames and has each applied in one store transaction. Only
// outcomes that arrive here settle anything.
#pragma once

#include <array>

#include "engine/lane.hpp"

namespace skerry::engine {

class PullChannel final : public Lane {
  public:
    using Lane::Lane;

    struct Wish {
        bool live = false;
        std::vector<EntityIx> first{};  // downloads of these go before others
        bool only_first = false;
        std::vector<wire::KeyRange> repair{};  // to be read anew
    };
    void start(const SyncState& state, Wish wish);

    // What the open pull asks for is not what is wanted any more: the app chose otherwise since, or a repair is wanted.
    bool is_outdated(const SyncState& state) const { return state.chosen != chosen_ || (state.verify_wanted && !verify_); }

    // A checkpoint that reaches what was there when the pull began has been applied.
    bool caught_up() const { return caught_up_once_; }
    void expect_to_catch_up() { caught_up_once_ = false; }
    std::vector<wire::Outcome> take_outcomes() { return std::exchange(outcomes_, {}); }

  private:
    Result<void> on_frame(const wire::Frame& frame) override;
    void failed(Code code) override;
    void interrupted() override;
    Result<void> spooled(const wire::Frame& frame);
    Result<void> begin(const wire::Frame& frame);
    Result<void> apply();
    Result<void> ask_again_what_did_not_settle();
    Result<void> send_again_what_it_lacks();
    void size_next_slice(const Applied& applied);
    bool is_too_much_at_once() const;
    std::uint32_t rows_wished() const;

    std::vector<wire::Chosen> chosen_;  // as the open pull asks, like the next
    bool verify_ = false;
    bool open_ = false;            // frames of a checkpoint are being staged
    bool caught_up_ = false;       // of the checkpoint being staged
    bool caught_up_once_ = false;
    bool spooled_ = false;         // the server keeps the checkpoint that is being staged
    bool resumed_ = false;         // its beginning came with an earlier answer
    std::optional<wire::Spooled> resume_;  // what the open request asks to go on with
    std::uint32_t slice_rows_ = 0;         // that were applied in the time the app may be kept waiting; 0: not known yet
    bool asked_unmeasured_ = false;        // the open request: the server lets slices grow without end
    bool torn_ = false;                    // a slice was, and they have not grown since to what they were
    std::uint32_t careful_rows_ = kSliceRowsFirst;  // at first, and after a tear, fewer; 0: as many as can be applied
    int strays_ = 0;               // answers in a row that did not continue the cursor
    std::uint64_t slices_ = 0;     // in the checkpoint being staged
    std::uint64_t slice_bytes_ = 0;  // of these
    // What the last two took; a single one may have met a busy disk.
    struct Pace {
        std::uint64_t rows = 0;
        std::uint64_t bytes = 0;
        Micros took{0};
    };
    std::array<Pace, 2> paces_{};
    TxnNo seen_;                   // our highest transaction that the server knows, as the checkpoint being staged says
    TxnNo confirmed_before_;       // what it had confirmed when the pull began, archived ones included
    TxnNo sent_before_;            // what the server had when the pull began has to settle by its caught-up checkpoint
    std::vector<wire::Outcome> outcomes_;  // settled and not yet taken
};

}  // namespace skerry::engine
