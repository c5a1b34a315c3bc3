#include "engine/check_channel.hpp"

#include <utility>

namespace skerry::engine {

namespace {
const std::vector<wire::KeyRange> kNoRanges;
}

Result<CheckChannel::Need> CheckChannel::go_on(CheckPort& port) {
    if (port_ == nullptr) {
        SKERRY_TRY(port.begin());
        port_ = &port;
        shared_.status.rows_compared = 0;
    }
    if (std::exchange(moved_, false)) return Need::kPull;
    if (std::exchange(repairing_, false)) port.repaired();
    wire::Check request;
    SKERRY_ASSIGN(const CheckStep step, port.next(request));
    shared_.status.rows_compared = port.rows();
    if (step == CheckStep::kDone) {
        port_ = nullptr;
        return Need::kNothing;
    }
    if (step == CheckStep::kRepair) {
        repairing_ = true;
        return Need::kPull;
    }
    Bytes body;
    wire::put_header(body, wire::Kind::kCheckRequest);
    wire::put(body, request);
    wire::put_empty(body, wire::FrameType::kEnd);
    send(wire::kPathCheck, wire::Kind::kCheckResponse, std::move(body));
    return Need::kAnswer;
}

void CheckChannel::give_up_comparing() {
    if (state() == State::kReceiving) cancel();
    stop_waiting();
    port_ = nullptr;
    moved_ = false;
    repairing_ = false;
}

const std::vector<wire::KeyRange>& CheckChannel::repairs() const { return repairing_ && port_ != nullptr ? port_->repairs() : kNoRanges; }

Result<void> CheckChannel::on_frame(const wire::Frame& frame) {
    switch (frame.type) {
        case wire::FrameType::kHeartbeat: return {};
        case wire::FrameType::kError: {
            SKERRY_ASSIGN(const auto failure, wire::get_failure(frame.payload));
            ask_to_wait(Millis{failure.retry_after_ms});
            return fail(wire::to_error(failure));
        }
        case wire::FrameType::kDiffers: {
            SKERRY_ASSIGN(const auto answer, wire::get_differs(frame.payload));
            return port_->differs(answer);
        }
        case wire::FrameType::kMoved: {
            moved_ = true;
            return port_->moved();
        }
        case wire::FrameType::kEnd: {
            ended_well();
            return moved_ ? Result<void>{} : port_->answered();
        }
        default: return fail(Code::kDamagedFrame, "the answer to a check holds a frame that does not belong there");
    }
}

}  // namespace skerry::engine
