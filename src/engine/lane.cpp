#include "engine/lane.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace skerry::engine {

namespace {

bool is_legal(State from, State to) {
    switch (from) {
        case State::kIdle: return to == State::kReceiving || to == State::kWaiting || to == State::kIdle;
        case State::kReceiving: return to == State::kIdle || to == State::kWaiting;
        case State::kWaiting: return to == State::kIdle;
    }
    return false;
}

}  // namespace

void Lane::enter(State to) {
    SKERRY_ASSERT(is_legal(state_, to));
    state_ = to;
}

void Lane::send(std::string_view path, wire::Kind answer, Bytes body) {
    request_ = ++shared_.last_request;
    answered_ = false;
    ended_well_ = false;
    status_ = 0;
    asked_to_wait_ = Millis{0};
    reader_.emplace(answer);
    // Nothing can come back before the body is up.
    last_byte_ = shared_.clock.mono() + Millis(body.size() / kUploadBytesPerMs);
    enter(State::kReceiving);
    shared_.status.bytes_sent += body.size();
    shared_.round.bytes_sent += body.size();
    shared_.actions.push_back(SendRequest{request_, std::string(path), std::move(body)});
}

void Lane::started(int status, Millis retry_after) {
    status_ = status;
    asked_to_wait_ = retry_after;
    last_byte_ = shared_.clock.mono();
}

Result<void> Lane::bytes(BytesView chunk, std::size_t transferred) {
    last_byte_ = shared_.clock.mono();
    answered_ = true;
    shared_.status.bytes_received += transferred;
    shared_.round.bytes_received += transferred;
    reader_->feed(chunk);
    const RequestId request = request_;
    for (;;) {
        SKERRY_ASSIGN(const auto frame, reader_->next());
        if (!frame) return {};
        shared_.status.reachable = true;
        SKERRY_TRY(on_frame(*frame));
        // Taking a frame may have ended the request (a checkpoint that does not continue).
        if (!receives(request)) return {};
    }
}

Result<void> Lane::ended() {
    if (!ended_well_) {
        if (!reader_->header_seen())
            return fail(Code::kForeignAnswer, "the answer (HTTP status " + std::to_string(status_) + ") is not Skerry's");
        return fail(Code::kTruncated, "the answer stopped before its end");
    }
    failures_ = 0;
    problem_.reset();
    enter(State::kIdle);
    return {};
}

void Lane::close() { shared_.actions.push_back(CancelRequest{request_}); }

void Lane::cancel() {
    close();
    idle();
}

void Lane::idle() {
    interrupted();
    enter(State::kIdle);
}

void Lane::wait(Error error) {
    ++failures_;
    retry_at_ = shared_.clock.mono() + shared_.backoff.delay(error, failures_, answered_, asked_to_wait_, shared_.random);
    if (planted(Plant::kRetriesEnd) && failures_ > 5) retry_at_ += std::chrono::hours(24 * 365);
    failed(error.code);
    problem_ = std::move(error);
    interrupted();
    enter(State::kWaiting);
}

void Lane::stop_waiting() {
    if (planted(Plant::kRetriesEnd) && failures_ > 5) return;
    if (state_ == State::kWaiting) enter(State::kIdle);
}

}  // namespace skerry::engine
