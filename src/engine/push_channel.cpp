#include "engine/push_channel.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace skerry::engine {

void PushChannel::start_enrolment(const SyncState& state) {
    Bytes body;
    wire::put_header(body, wire::Kind::kEnrollRequest);
    wire::put(body, wire::Enroll{state.device, state.device_name, state.model_hash});
    wire::put_empty(body, wire::FrameType::kEnd);
    enrolling_ = true;
    Lane::send(wire::kPathEnroll, wire::Kind::kEnrollResponse, std::move(body));
}

Result<bool> PushChannel::start(const SyncState& state, std::optional<TxnNo> upto) {
    if (identity_taken_) return false;  // first everything that the server knows settles
    if (large_ && (large_->device != state.device || state.unsent == 0 || large_->header.no < state.keep_from)) large_.reset();
    if (!large_) {
        SKERRY_ASSIGN(PushBatch batch, shared_.store.next_push(TxnNo{}, chunk_));
        if (batch.frames.empty() || (upto && batch.first > *upto)) return false;
        if (batch.frames.front().size() <= part_bytes()) {
            send(state, batch.frames, std::nullopt);
            return true;
        }
        SKERRY_TRY(take_large(state, std::move(batch.frames.front())));
    }
    send_part(state);
    return true;
}

Result<void> PushChannel::take_large(const SyncState& state, Bytes form) {
    SKERRY_ASSIGN(const wire::TxnHeader header, wire::get_header(form));
    large_ = Large{.device = state.device, .header = header, .form = std::move(form)};
    large_->content = hash64(large_->form);
    return {};
}

void PushChannel::send(const SyncState& state, const std::vector<Bytes>& frames, std::optional<wire::Part> part) {
    Bytes body;
    wire::put_header(body, wire::Kind::kPushRequest);
    // What is sent again to a restored server names transactions that settled long ago: until it is through, nothing is forgotten.
    wire::put(body, wire::PushHello{state.device, state.model_hash, state.heals ? TxnNo{1} : state.keep_from});
    for (const Bytes& frame : frames) wire::put_frame(body, wire::FrameType::kTransaction, frame);
    if (part) wire::put(body, *part);
    wire::put_empty(body, wire::FrameType::kEnd);
    verdicts_.clear();  // of an answer that was cut: they come again
    enrolling_ = false;
    chunk_full_ = body.size() >= chunk_ / 2;
    Lane::send(wire::kPathPush, wire::Kind::kPushResponse, std::move(body));
}

void PushChannel::send_part(const SyncState& state) {
    Large& large = *large_;
    wire::Part part{.no = large.header.no, .id8 = wire::first_eight(large.header.id), .content = large.content,
                    .total = large.form.size(), .offset = large.have.value_or(0)};
    if (large.have) part.bytes = BytesView(large.form).substr(static_cast<std::size_t>(part.offset), part_bytes());
    large.sent_upto = part.offset + part.bytes.size();
    send(state, {}, std::move(part));
}

Result<void> PushChannel::on_have(const wire::Have& have) {
    if (!large_ || have.no != large_->header.no || have.content != large_->content || have.bytes > large_->form.size())
        return fail(Code::kDamagedFrame, "the answer to a part is about something else");
    // A server that crashed has less than before, and so has the old answer that a proxy repeats: it goes on from there.
    const bool asked_only = !large_->have;
    if (!asked_only && have.bytes <= *large_->have && ++large_->setbacks > kSetbacksMax) {
        large_->have.reset();
        return fail(Code::kServerFailed, "the server did not keep what it was sent of a large transaction");
    }
    large_->have = have.bytes;
    return {};
}

// Small enough, after a few failures, for a line that breaks every few seconds.
void PushChannel::failed(Code code) {
    if (large_) large_->have.reset();
    if (code == Code::kOffline || code == Code::kTruncated) chunk_ = std::max(chunk_ / 4, kChunkMin);
}

// (`unsent` counts one more than `unsettled` can hold while settled transactions are sent again.)
Result<bool> PushChannel::take_new_identity(const SyncState& state) {
    if (!identity_taken_ || state.unsettled > state.unsent) return false;
    // The server knows all numbers below the one that was taken. If one of those is unsent again (its outcome
    // was forgotten), it is asked for first: moved with the rest it would be applied twice.
    SKERRY_ASSIGN(const PushBatch unsent, shared_.store.next_push(TxnNo{}, kChunkMin));
    const bool asks_first = unsent.first && unsent.first < taken_no_;
    if (!asks_first) SKERRY_TRY(shared_.store.take_new_identity());
    identity_taken_ = false;
    shared_.push_dirty = true;
    return !asks_first;
}

Result<void> PushChannel::on_frame(const wire::Frame& frame) {
    switch (frame.type) {
        case wire::FrameType::kHeartbeat: return {};
        case wire::FrameType::kError: {
            SKERRY_ASSIGN(const auto failure, wire::get_failure(frame.payload));
            ask_to_wait(Millis{failure.retry_after_ms});
            return fail(wire::to_error(failure));
        }
        case wire::FrameType::kEnrolled: {
            SKERRY_ASSIGN(const auto answer, wire::get_enrolled(frame.payload));
            SKERRY_TRY(shared_.store.enrolled(answer));
            enrol_wanted_ = false;
            return {};
        }
        case wire::FrameType::kVerdict: {
            SKERRY_ASSIGN(auto verdict, wire::get_verdict(frame.payload));
            if (large_ && verdict.no == large_->header.no) large_.reset();
            verdicts_.push_back(std::move(verdict));
            return {};
        }
        case wire::FrameType::kHave: {
            SKERRY_ASSIGN(const auto have, wire::get_have(frame.payload));
            return on_have(have);
        }
        case wire::FrameType::kExpect: {
            SKERRY_TRY(note());
            large_.reset();
            SKERRY_ASSIGN(const std::uint64_t no, wire::get_number(frame.payload));
            shared_.push_dirty = true;
            return shared_.store.server_expects(TxnNo{no});
        }
        case wire::FrameType::kIdentityTaken: {
            SKERRY_TRY(note());
            large_.reset();
            SKERRY_ASSIGN(taken_no_.value, wire::get_number(frame.payload));
            identity_taken_ = true;
            return {};
        }
        case wire::FrameType::kEnd: {
            SKERRY_TRY(note());
            ended_well();
            if (chunk_full_) chunk_ = std::min(chunk_ * 2, wire::kPushBytesTarget);
            shared_.push_dirty = true;  // more may be waiting; the next look finds out
            return {};
        }
        default: return fail(Code::kDamagedFrame, "the answer to a push holds a frame that does not belong there");
    }
}

Result<void> PushChannel::note() {
    auto noted = shared_.store.note_verdicts(verdicts_);
    RoundReport& round = shared_.round;
    round.sent += verdicts_.size();
    round.hints.insert(round.hints.end(), verdicts_.begin(), verdicts_.end());
    if (round.hints.size() > kHintsMax) round.hints.erase(round.hints.begin(), round.hints.end() - static_cast<std::ptrdiff_t>(kHintsMax));
    verdicts_.clear();
    return noted;
}

}  // namespace skerry::engine
