// The engine's CheckPort, implemented with the store room.
#pragma once

#include "engine/check_port.hpp"
#include "store/check.hpp"

namespace skerry::host {

class CheckLink final : public engine::CheckPort {
  public:
    explicit CheckLink(store::Store& store) : store_(store), checker_(store) {}

    Result<bool> due() override { return store::Checker::due(store_); }
    Result<void> begin() override { return checker_.begin(); }
    Result<engine::CheckStep> next(wire::Check& request) override;
    const std::vector<wire::KeyRange>& repairs() const override { return checker_.repairs(); }
    void repaired() override { checker_.repaired(); }
    Result<void> differs(const wire::Differs& answer) override { return checker_.differs(answer); }
    Result<void> answered() override { return checker_.answered(); }
    Result<void> moved() override { return checker_.moved(); }
    std::uint64_t rows() const override { return checker_.report().rows; }

    // Of the last comparison, or of the one under way.
    const store::CheckReport& report() const { return checker_.report(); }

  private:
    store::Store& store_;
    store::Checker checker_;
};

}  // namespace skerry::host
