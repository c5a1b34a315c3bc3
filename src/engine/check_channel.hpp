// Compares the store with the server: request after request, with a pull in between where rows changed meanwhile or are
// to be read anew.
//
//   off ──begin──> kAsking ──answer──> kAsking … ──> off
//                    │  ^                 moved, or rows differ
//                    └──┴─ kPulling <──┘  until the pull has caught up
#pragma once

#include "engine/check_port.hpp"
#include "engine/lane.hpp"

namespace skerry::engine {

class CheckChannel final : public Lane {
  public:
    using Lane::Lane;

    // What the engine has to do.
    enum class Need { kNothing, kAnswer, kPull };
    // Goes on, or begins. Call it when no pull is under way. kNothing: everything was compared.
    Result<Need> go_on(CheckPort& port);
    // An unfinished comparison is given up.
    void give_up_comparing();
    bool comparing() const { return port_ != nullptr; }
    // For the pull: ranges to read anew.
    const std::vector<wire::KeyRange>& repairs() const;

  private:
    Result<void> on_frame(const wire::Frame& frame) override;

    CheckPort* port_ = nullptr;  // while a comparison is under way
    bool moved_ = false;         // the answer said so
    bool repairing_ = false;     // the pull that go_on() asked for carries repairs
};

}  // namespace skerry::engine
