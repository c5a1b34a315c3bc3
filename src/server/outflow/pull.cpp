#include "server/outflow/pull.hpp"

#include "server/access/devices.hpp"
#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

namespace {

class PullBody final : public http::Body {
  public:
    PullBody(const OutflowContext& context, const wire::Pull& request, PullOptions options)
        : c_(context), request_(request), options_(std::move(options)) {
        from_.token = std::move(request_.token);
        from_.verify = request_.verify;
        request_.token.clear();
    }

    Result<void> plan() {
        SKERRY_ASSIGN(checkpoint_, Checkpoint::plan(c_, options_.authorization, request_, from_));
        if (!from_.target) from_.target = checkpoint_->to();
        state_ = State::kWriting;
        return {};
    }

    http::Step next(Bytes& out) override {
        const std::size_t start = out.size();
        if (!header_sent_) wire::put_header(out, wire::Kind::kPullResponse);
        header_sent_ = true;
        while (state_ != State::kEnded && out.size() - start < kChunkTarget) {
            if (state_ == State::kIdle && !idle(out)) break;
            const auto worked = state_ == State::kPlanning ? plan() : state_ == State::kWriting ? write(out) : Result<void>{};
            if (!worked) {
                // A checkpoint that was cut off is no checkpoint: the device applies none of it.
                wire::put(out, options_.failure_of(worked.error()));
                end();
            }
        }
        if (state_ == State::kEnded) return http::Step::kEnd;
        return out.size() > start ? http::Step::kMore : http::Step::kWait;
    }

    std::optional<Micros> ask_again_at() const override { return heartbeat_at_; }

  private:
    enum class State { kPlanning, kWriting, kIdle, kEnded };

    Result<void> write(Bytes& out) {
        SKERRY_ASSIGN(const bool more, checkpoint_->next(out));
        if (more) return {};
        from_.token = checkpoint_->token();
        from_.presented = false;
        from_.verify = false;
        reached_ = checkpoint_->to();
        ++c_.tally.checkpoints;
        state_ = checkpoint_->more() ? State::kPlanning : State::kIdle;
        checkpoint_.reset();  // and with it the snapshot
        heartbeat_at_ = c_.clock.mono() + kHeartbeat;
        return {};
    }

    // False: nothing to do now.
    bool idle(Bytes& out) {
        if (!request_.live || c_.stopping) {
            wire::put_empty(out, wire::FrameType::kEnd);
            end();
            return true;
        }
        if (c_.sequencer.last() > reached_) {
            state_ = State::kPlanning;
            return true;
        }
        if (c_.clock.mono() < *heartbeat_at_) return false;
        wire::put_empty(out, wire::FrameType::kHeartbeat);
        heartbeat_at_ = c_.clock.mono() + kHeartbeat;
        return false;
    }

    void end() {
        checkpoint_.reset();
        heartbeat_at_.reset();
        state_ = State::kEnded;
    }

    const OutflowContext& c_;
    wire::Pull request_;
    PullOptions options_;
    From from_;
    std::unique_ptr<Checkpoint> checkpoint_;
    State state_ = State::kPlanning;
    Seq reached_;
    bool header_sent_ = false;
    std::optional<Micros> heartbeat_at_;
};

}  // namespace

Result<std::unique_ptr<http::Body>> pull(const OutflowContext& context, const wire::Pull& request, PullOptions options) {
    SKERRY_TRY(access::same_model(context.backend, request.model_hash));
    auto body = std::make_unique<PullBody>(context, request, std::move(options));
    SKERRY_TRY(body->plan());
    return std::unique_ptr<http::Body>(std::move(body));
}

}  // namespace skerry::server::outflow
