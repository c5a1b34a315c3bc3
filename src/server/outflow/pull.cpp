#include "server/outflow/pull.hpp"

#include <algorithm>

#include "server/access/devices.hpp"
#include "server/outflow/limits.hpp"
#include "server/outflow/spooler.hpp"
#include "wire/continuing.hpp"

namespace skerry::server::outflow {

namespace {

class PullBody final : public http::Body {
  public:
    PullBody(const OutflowContext& context, const wire::Pull& request, PullOptions options)
        : c_(context), request_(request), options_(std::move(options)), waiting_(context.spooler.waiting) {
        from_.token = std::move(request_.token);
        from_.cursor = from_.token;
        from_.verify = request_.verify;
        request_.token.clear();
    }

    ~PullBody() override { hold({}); }

    // Goes on with what the server kept for the device, or begins anew.
    Result<void> begin() {
        SKERRY_ASSIGN(const bool resumed, resume());
        if (!resumed) SKERRY_TRY(plan());
        if (request_.live) place_.emplace(c_.live, request_.device);  // the device is the asker's own: that was checked
        return {};
    }

    http::Step next(Bytes& out) override {
        const std::size_t start = out.size();
        if (!header_sent_) wire::put_header(out, wire::Kind::kPullResponse);
        header_sent_ = true;
        while (state_ != State::kEnded && out.size() - start < kChunkTarget) {
            if (state_ == State::kIdle && !idle(out)) break;
            const std::size_t room = kChunkTarget - std::min(kChunkTarget, out.size() - start);
            const auto worked = state_ == State::kPlanning ? plan() : state_ == State::kWriting ? write(room, out) : Result<void>{};
            if (!worked) {
                // A checkpoint that was cut off is no checkpoint: the device applies none of it. What is read from a spool may
                // have stopped inside a frame: then the answer just ends, and the device is told why when it asks for the rest.
                const wire::Failure failure = options_.failure_of(worked.error());
                if (!spool_named_) wire::put(out, failure);
                end();
            }
        }
        if (state_ == State::kEnded) return http::Step::kEnd;
        return out.size() > start ? http::Step::kMore : http::Step::kWait;
    }

    std::optional<Micros> ask_again_at() const override { return heartbeat_at_; }

  private:
    enum class State { kPlanning, kWriting, kIdle, kEnded };

    Result<bool> resume() {
        if (!request_.resume || request_.verify || !request_.repair.empty()) return false;
        SKERRY_ASSIGN(const auto owner, c_.spooler.owner(*request_.resume));
        if (!owner) return false;
        SKERRY_ASSIGN(const bool allowed, may_read(*owner));
        if (!allowed) return false;
        spooled_ = request_.resume;
        resumed_ = true;
        state_ = State::kWriting;
        return true;
    }

    // Who asks is who the kept answer was made for, and his grants are what they were.
    Result<bool> may_read(const transit::SpoolOwner& owner) {
        rights_checked_ = c_.clock.mono();
        SKERRY_ASSIGN(const auto view, c_.backend.snapshot());
        SKERRY_ASSIGN(const auto principal, access::authenticate(*view, options_.authorization, c_.clock.wall()));
        SKERRY_TRY(access::own_device(*view, principal, request_.device));
        SKERRY_ASSIGN(const auto grants, scopes::grants_of(c_.backend.model(), c_.sequencer.rules(), *view, {principal, request_.chosen}));
        return grants.without_id.empty() &&
               owner == transit::SpoolOwner{request_.device, principal.user, grants.hash, wire::continues(request_.device, from_.token)};
    }

    Result<void> plan() {
        SKERRY_ASSIGN(auto checkpoint, Checkpoint::plan(c_, options_.authorization, request_, from_));
        if (!from_.target) from_.target = checkpoint->to();
        request_.repair = checkpoint->repair_left();
        from_.cursor = checkpoint->token();
        from_.presented = false;
        from_.verify = false;
        reached_ = checkpoint->to();
        after_ = checkpoint->more() ? State::kPlanning : State::kIdle;
        if (checkpoint->empty() && told_profile_ == checkpoint->profile()) {
            // Something was written that is none of this device's: it need not wake up for that.
            state_ = after_;
            return {};
        }
        told_profile_ = checkpoint->profile();
        rights_checked_ = c_.clock.mono();
        state_ = State::kWriting;
        return pack(std::move(checkpoint));
    }

    // Encodes it at once, so that its snapshot waits for no reader: small ones into memory, those with a large delta into a spool.
    Result<void> pack(std::unique_ptr<Checkpoint> checkpoint) {
        Bytes bytes;
        std::size_t without_slices = 0;
        for (bool more = true; more;) {
            const std::size_t at = bytes.size();
            SKERRY_ASSIGN(more, checkpoint->next(bytes));
            const bool slice = at < bytes.size() && static_cast<wire::FrameType>(bytes[at]) == wire::FrameType::kSlice;
            if (!slice) without_slices += bytes.size() - at;
            if (more && (without_slices > kSpoolFrom || *waiting_ + bytes.size() > kWaitingBytesMax)) {
                SKERRY_ASSIGN(Bytes id, c_.spooler.take(std::move(checkpoint), bytes));
                spooled_ = wire::Spooled{std::move(id), 0};
                rights_checked_ = c_.clock.mono();
                return {};
            }
        }
        hold(std::move(bytes));
        return {};
    }

    void hold(Bytes bytes) {
        *waiting_ -= bytes_.size();
        bytes_ = std::move(bytes);
        *waiting_ += bytes_.size();
        sent_ = 0;
    }

    Result<void> write(std::size_t room, Bytes& out) {
        heartbeat_at_ = c_.clock.mono() + kHeartbeat;
        if (spooled_) return write_spooled(room, out);
        const BytesView next = BytesView(bytes_).substr(sent_, room);
        out += next;
        sent_ += next.size();
        if (sent_ == bytes_.size()) written();
        return {};
    }

    Result<void> write_spooled(std::size_t room, Bytes& out) {
        if (c_.clock.mono() - rights_checked_ > kRightsCheckEvery) {
            SKERRY_ASSIGN(const auto owner, c_.spooler.owner(*spooled_));
            const auto allowed = owner ? may_read(*owner) : Result<bool>(false);
            if (!allowed || !*allowed) SKERRY_TRY(c_.spooler.forget(spooled_->id));
            if (!allowed) return fail(allowed.error());
            if (!*allowed) return fail(Code::kServerBusy, "what this answer was made for has changed; it begins anew");
        }
        if (!spool_named_) wire::put(out, *spooled_);
        spool_named_ = true;
        const auto whole = c_.spooler.read(*spooled_, room, out);
        if (!whole && whole.error().code == Code::kNotFound) return fail(Code::kServerBusy, whole.error().message);
        if (!whole) return fail(whole.error());
        if (*whole) written();
        return {};
    }

    // What was gone on with may be old: the device asks anew for what came since.
    void written() {
        if (resumed_) request_.live = false;
        from_.token = from_.cursor;
        ++c_.tally.checkpoints;
        state_ = resumed_ ? State::kIdle : after_;
        request_.slice_rows = std::max(request_.slice_rows, std::min(request_.slice_rows_max, request_.slice_rows * 2));
        hold({});
        spooled_.reset();
        spool_named_ = false;
    }

    // False: nothing to do now.
    bool idle(Bytes& out) {
        if (!request_.live || c_.stopping || (place_ && place_->is_given_up())) {
            wire::put_empty(out, wire::FrameType::kEnd);
            end();
            return true;
        }
        if (c_.sequencer.last() > reached_) {
            state_ = State::kPlanning;
            return true;
        }
        if (c_.clock.mono() < *heartbeat_at_) return false;
        if (const auto lost = right_lost()) {
            wire::put(out, options_.failure_of(*lost));
            end();
            return true;
        }
        wire::put_empty(out, wire::FrameType::kHeartbeat);
        heartbeat_at_ = c_.clock.mono() + kHeartbeat;
        return false;
    }

    // While nothing is written nothing is sent, but whoever has lost his token or his device keeps no place either. What else goes
    // wrong (a database that is busy) is no reason to end.
    std::optional<Error> right_lost() {
        const Micros now = c_.clock.mono();
        if (now - rights_checked_ < kRightsCheckEvery) return std::nullopt;
        rights_checked_ = now;
        const auto still = [&]() -> Result<void> {
            SKERRY_ASSIGN(const auto view, c_.backend.snapshot());
            SKERRY_ASSIGN(const auto principal, access::authenticate(*view, options_.authorization, c_.clock.wall()));
            SKERRY_TRY(access::own_device(*view, principal, request_.device));
            return {};
        }();
        const bool lost = !still && (still.error().code == Code::kUnauthorized || still.error().code == Code::kNotEnrolled || still.error().code == Code::kDeviceOfOtherUser);
        return lost ? std::optional(still.error()) : std::nullopt;
    }

    void end() {
        hold({});
        place_.reset();
        heartbeat_at_.reset();
        state_ = State::kEnded;
    }

    const OutflowContext& c_;
    wire::Pull request_;
    PullOptions options_;
    From from_;
    State state_ = State::kPlanning;
    State after_ = State::kIdle;     // the checkpoint being written
    Bytes bytes_;                    // it, when it is small
    std::size_t sent_ = 0;           // of them
    std::shared_ptr<std::size_t> waiting_;  // counts bytes_ of all answers
    std::optional<wire::Spooled> spooled_;  // else where it is, and how far it was written
    bool spool_named_ = false;       // to the device, by this answer
    bool resumed_ = false;           // it was begun by an earlier answer
    Micros rights_checked_{0};
    std::optional<std::string> told_profile_;  // by this answer; none: no checkpoint was sent yet
    Seq reached_;
    bool header_sent_ = false;
    std::optional<LiveStreams::Place> place_;
    std::optional<Micros> heartbeat_at_;
};

}  // namespace

namespace {

// What the request names has to be there; how much it may name the wire has seen to.
Result<void> check(const wire::Pull& request, const model::Model& model) {
    const auto known = [&](EntityIx entity) { return model.has(entity); };
    const auto known_range = [&](const wire::KeyRange& range) { return model.has(range.entity); };
    if (std::all_of(request.first.begin(), request.first.end(), known) && std::all_of(request.repair.begin(), request.repair.end(), known_range))
        return {};
    return fail(Code::kDamagedFrame, "a pull names an entity that the model does not have");
}

}  // namespace

Result<std::unique_ptr<http::Body>> pull(const OutflowContext& context, const wire::Pull& request, PullOptions options) {
    SKERRY_TRY(access::same_model(context.backend, request.model_hash));
    SKERRY_TRY(check(request, context.backend.model()));
    auto body = std::make_unique<PullBody>(context, request, std::move(options));
    SKERRY_TRY(body->begin());
    return std::unique_ptr<http::Body>(std::move(body));
}

}  // namespace skerry::server::outflow
