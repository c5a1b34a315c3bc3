#include "server/outflow/spooler.hpp"

namespace skerry::server::outflow {

Result<Bytes> Spooler::take(std::unique_ptr<Checkpoint> checkpoint, BytesView begun) {
    if (jobs_.size() >= kJobsMax) return fail(Code::kServerBusy, "too many devices fetch large changes at once");
    SKERRY_ASSIGN(Bytes id, spool_.begin(checkpoint->owner(), clock_.wall()));
    SKERRY_TRY(spool_.append(id, begun, false));
    jobs_.emplace(id, std::move(checkpoint));
    return id;
}

// One that fails is given up with its snapshot; its reader finds it gone and begins anew.
Result<void> Spooler::step(Jobs::iterator job) {
    Bytes bytes;
    bool more = true;
    Result<void> done;
    while (more && bytes.size() < kJobStep) {
        const auto next = job->second->next(bytes);
        if (!next) {
            done = fail(next.error());
            break;
        }
        more = *next;
    }
    if (done) done = spool_.append(job->first, bytes, !more);
    if (!done || !more) jobs_.erase(job);
    return done;
}

Result<std::optional<transit::SpoolOwner>> Spooler::owner(const wire::Spooled& at) {
    SKERRY_ASSIGN(const auto state, spool_.find(at.id));
    if (!state || at.offset > state->bytes || (!state->whole && !jobs_.contains(at.id))) return std::nullopt;
    return state->owner;
}

Result<bool> Spooler::read(wire::Spooled& at, std::size_t most, Bytes& out) {
    if (const auto job = jobs_.find(at.id); job != jobs_.end()) SKERRY_TRY(step(job));
    const std::size_t before = out.size();
    SKERRY_TRY(spool_.read(at.id, at.offset, most, out, clock_.wall()));
    at.offset += out.size() - before;
    SKERRY_ASSIGN(const auto state, spool_.find(at.id));
    if (!state || (!state->whole && !jobs_.contains(at.id))) return fail(Code::kNotFound, "the kept answer is no longer there");
    return state->whole && at.offset >= state->bytes;
}

Result<void> Spooler::forget(BytesView id) {
    jobs_.erase(Bytes(id));
    return spool_.forget(id);
}

void Spooler::tick() {
    for (std::size_t bytes = 0; bytes < kTickBytes && !jobs_.empty(); bytes += kJobStep) {
        auto job = jobs_.upper_bound(last_);
        if (job == jobs_.end()) job = jobs_.begin();
        last_ = job->first;
        if (const auto done = step(job); !done && done.error().code != Code::kNotFound)
            log_.line(LogLevel::kWarn, "a large answer could not be kept for its reader: " + done.error().message);
    }
}

}  // namespace skerry::server::outflow
