// Joins a Store to the engine: StorePort, implemented with the store room. Every host uses this one.
#pragma once

#include <memory>

#include "engine/ports.hpp"
#include "store/checkpoint.hpp"
#include "store/journal.hpp"
#include "store/store.hpp"

namespace skerry::host {

class StoreLink final : public engine::StorePort {
  public:
    explicit StoreLink(store::Store& store);

    Result<engine::SyncState> state() override;
    Result<engine::PushBatch> next_push(TxnNo from) override;
    Result<void> note_verdicts(const std::vector<wire::Outcome>& verdicts) override;
    Result<void> server_expects(TxnNo no) override;
    Result<void> take_new_identity() override;
    Result<void> enrolled(const wire::Enrolled& answer) override;
    Result<void> stage(wire::FrameType type, BytesView payload) override;
    Result<engine::Applied> apply(bool* continues) override;
    void discard_staged() override;

  private:
    store::Store& store_;
    store::Journal journal_;
    store::Staging staging_;
};

}  // namespace skerry::host
