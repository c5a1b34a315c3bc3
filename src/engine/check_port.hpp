// What the engine needs to compare a store with the server (src/wire/check.hpp); a StorePort that has it offers it.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "wire/check.hpp"

namespace skerry::engine {

enum class CheckStep {
    kAsk,     // send the request
    kRepair,  // pull with repairs(), then repaired()
    kDone,
};

class CheckPort {
  public:
    virtual ~CheckPort() = default;
    // Whether it is time for a comparison that nobody asked for.
    virtual Result<bool> due() = 0;
    // Begins anew; what an unfinished comparison found is forgotten.
    virtual Result<void> begin() = 0;
    virtual Result<CheckStep> next(wire::Check& request) = 0;
    virtual const std::vector<wire::KeyRange>& repairs() const = 0;
    virtual void repaired() = 0;
    // The answer to the request, and its end.
    virtual Result<void> differs(const wire::Differs& answer) = 0;
    virtual Result<void> answered() = 0;
    // Instead of an answer: pull first. server_busy when that comes again and again.
    virtual Result<void> moved() = 0;
    // Rows compared so far.
    virtual std::uint64_t rows() const = 0;
};

}  // namespace skerry::engine
