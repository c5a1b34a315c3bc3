// Joins a Store to the engine: StorePort, implemented with the store room. Every host uses this one.
#pragma once

#include <memory>

#include "engine/ports.hpp"
#include "host/check_link.hpp"
#include "store/checkpoint.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"

namespace skerry::host {

class StoreLink final : public engine::StorePort {
  public:
    // `turn`: where other programs may have the store open. It must outlive the link.
    explicit StoreLink(store::Store& store, engine::TurnPort* turn = nullptr);

    Result<engine::SyncState> state() override;
    Result<engine::PushBatch> next_push(TxnNo from, std::size_t bytes_max) override;
    Result<void> note_verdicts(const std::vector<wire::Outcome>& verdicts) override;
    Result<void> server_expects(TxnNo no) override;
    Result<void> take_new_identity() override;
    Result<void> enrolled(const wire::Enrolled& answer) override;
    Result<void> stage_spooled(const wire::Spooled& spooled) override;
    Result<void> stage(wire::FrameType type, BytesView payload) override;
    Result<engine::Applied> apply(bool* continues) override;
    Result<TxnNo> select(const std::vector<EntityIx>& entities) override;
    void discard_staged() override;
    engine::TurnPort* turn() override { return turn_; }
    engine::CheckPort* checks() override { return &check_; }
    const store::CheckReport& check_report() const { return check_.report(); }

  private:
    store::Store& store_;
    engine::TurnPort* turn_;
    store::Journal journal_;
    store::Staging staging_;
    CheckLink check_;
};

}  // namespace skerry::host
