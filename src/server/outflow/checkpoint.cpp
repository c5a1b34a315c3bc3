#include "server/outflow/checkpoint.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

void Checkpoint::write_outcomes(Bytes& out) {
    const std::size_t n = std::min(outcomes_.size() - outcomes_sent_, kOutcomesPerFrame);
    const auto from = outcomes_.begin() + static_cast<std::ptrdiff_t>(outcomes_sent_);
    wire::put_outcomes(out, {from, from + static_cast<std::ptrdiff_t>(n)});
    outcomes_sent_ += n;
}

// Each part writes a frame and stays, or has nothing left and hands on to the next one.
Result<bool> Checkpoint::next(Bytes& out) {
    switch (part_) {
        case Part::kBegin:
            wire::put(out, begin_);
            part_ = Part::kOutcomes;
            return true;
        case Part::kOutcomes:
            if (outcomes_sent_ < outcomes_.size()) {
                write_outcomes(out);
                return true;
            }
            part_ = Part::kLines;
            return next(out);
        case Part::kLines:
            if (lines_) {
                SKERRY_ASSIGN(const bool wrote, lines_->next(out));
                if (wrote) return true;
            }
            part_ = Part::kDelta;
            return next(out);
        case Part::kDelta:
            if (!delta_begun_.empty()) {
                out += std::exchange(delta_begun_, {});
                return true;
            }
            if (delta_) {
                SKERRY_ASSIGN(const bool wrote, delta_->next(out));
                if (wrote) return true;
            }
            part_ = Part::kLost;
            return next(out);
        case Part::kLost:
            for (const wire::ScopeId scope : lost_) wire::put_number(out, wire::FrameType::kLostScope, scope.value);
            part_ = Part::kSlices;
            return next(out);
        case Part::kSlices:
            if (slices_sent_ < slices_.size()) {
                wire::put(out, slices_[slices_sent_]);
                slices_[slices_sent_++].rows.clear();
                return true;
            }
            for (const wire::ScopeId scope : completed_) wire::put_number(out, wire::FrameType::kComplete, scope.value);
            part_ = Part::kCheckpoint;
            return next(out);
        case Part::kCheckpoint:
            wire::put(out, wire::Checkpoint{token_, more()});
            part_ = Part::kDone;
            return false;
        case Part::kDone: break;
    }
    SKERRY_ASSERT(part_ != Part::kDone);
    return false;
}

}  // namespace skerry::server::outflow
