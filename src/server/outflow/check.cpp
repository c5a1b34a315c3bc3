#include "server/outflow/check.hpp"

#include <algorithm>
#include <map>

#include "server/access/devices.hpp"
#include "server/outflow/key_lines.hpp"
#include "server/outflow/limits.hpp"
#include "server/outflow/row_reader.hpp"

namespace skerry::server::outflow {

namespace {

class CheckBody final : public http::Body {
  public:
    CheckBody(const OutflowContext& context, const wire::Check& request, PullOptions options)
        : c_(context), request_(request), options_(std::move(options)) {}

    Result<void> open() {
        for (int attempt = 0; attempt < kSnapshotAttempts; ++attempt) {
            SKERRY_ASSIGN(view_, c_.backend.snapshot());
            SKERRY_ASSIGN(const bool empty, view_->queue_empty());
            if (empty) {
                SKERRY_ASSIGN(moved_, has_moved());
                return {};
            }
            view_.reset();
            SKERRY_TRY(c_.sequencer.catch_up(storage::Patience::kSome));
        }
        return fail(Code::kServerBusy, "other programs write faster than their changes can be put in order");
    }

    http::Step next(Bytes& out) override {
        const std::size_t start = out.size();
        if (!header_sent_) wire::put_header(out, wire::Kind::kCheckResponse);
        header_sent_ = true;
        if (moved_) {
            wire::put_empty(out, wire::FrameType::kMoved);
            wire::put_empty(out, wire::FrameType::kEnd);
            return http::Step::kEnd;
        }
        std::size_t rows = 0;
        while (at_ < request_.ranges.size() && rows < kCheckRowsPerStep && out.size() - start < kChunkTarget) {
            if (const auto worked = go_on(out, rows); !worked) {
                wire::put(out, options_.failure_of(worked.error()));
                return http::Step::kEnd;
            }
        }
        if (at_ == request_.ranges.size()) {
            wire::put_empty(out, wire::FrameType::kEnd);
            view_.reset();
            return http::Step::kEnd;
        }
        // Reading alone tells the device nothing: it must not take the line for dead.
        wire::put_empty(out, wire::FrameType::kHeartbeat);
        return http::Step::kMore;
    }

  private:
    // True: what the device holds is not what its principal has now, at the last batch of this snapshot.
    Result<bool> has_moved() {
        SKERRY_ASSIGN(const auto principal, access::authenticate(*view_, options_.authorization, c_.clock.wall()));
        SKERRY_ASSIGN(const auto device, access::own_device(*view_, principal, request_.device));
        SKERRY_ASSIGN(const auto grants, scopes::grants_of(c_.backend.model(), c_.sequencer.rules(), *view_, {principal, request_.chosen}));
        const auto cursor = c_.sealer.open(request_.token, {request_.device, principal.user});
        if (!cursor || !cursor->at || cursor->epoch != c_.backend.epoch() || !grants.without_id.empty() || cursor->grants != grants.hash) return true;
        const std::vector<wire::ScopeId> ids = scopes::ids_of(grants.scopes);
        SKERRY_ASSIGN(const storage::Mark last, view_->last());
        if (*cursor->at != last) {
            // Batches that hold nothing of the device's may have come since: it was not told.
            if (*cursor->at != storage::Mark{}) {
                SKERRY_ASSIGN(const bool known, view_->knows(*cursor->at));
                if (!known) return true;
            }
            SKERRY_ASSIGN(const Seq floor, view_->floor(ids));
            SKERRY_ASSIGN(const storage::Changed changed, view_->changed_in(ids, cursor->at->seq, last.seq, 1));
            if (floor > cursor->at->seq || changed.members != 0) return true;
        }
        std::vector<wire::ScopeId> arriving;
        for (const scopes::Download& download : cursor->downloads) arriving.insert(arriving.end(), download.scopes.begin(), download.scopes.end());
        std::sort(arriving.begin(), arriving.end());
        for (const wire::ScopeInfo& scope : grants.scopes)
            if (!std::binary_search(arriving.begin(), arriving.end(), scope.id)) complete_[scope.entity].push_back(scope.id);
        // Rows of an entity that is held whole carry no lines, whatever else brings them.
        for (auto& [entity, scopes] : complete_)
            if (const auto whole = std::find_if(scopes.begin(), scopes.end(), scopes::is_whole); whole != scopes.end()) scopes = {*whole};
        return false;
    }

    // The next rows of the range at hand; at its end the answer, where it differs.
    Result<void> go_on(Bytes& out, std::size_t& rows) {
        const wire::CheckRange& asked = request_.ranges[at_];
        if (!summary_) {
            summary_.emplace();
            after_ = asked.range.after;
        }
        std::vector<KeyLines> keys;
        if (const auto scopes = complete_.find(asked.range.entity); scopes != complete_.end()) {
            SKERRY_ASSIGN(auto members, view_->members_after(asked.range.entity, scopes->second, after_, asked.range.upto, kCheckRowsAtOnce));
            keys = by_key(std::move(members));
        }
        if (!keys.empty()) {
            after_ = keys.back().key;
            const model::Entity& entity = c_.backend.model().entity(asked.range.entity);
            RowReader reader(*view_, asked.range.entity, c_.log);
            for (std::size_t at = 0; at < keys.size();) {
                SKERRY_ASSIGN(auto found, reader.next(keys, at, c_.backend.model()));
                for (RowReader::Found& one : found) {
                    if (!one.row) continue;
                    const wire::RowEntry entry = std::move(one).entry();
                    summary_->add(entry.key, wire::held_hash(entity, entry.key, entry.row, entry.lines));
                }
            }
            rows += keys.size();
            if (keys.size() == kCheckRowsAtOnce) return {};
        }
        if (summary_->digest() != asked.digest) wire::put(out, summary_->differs(static_cast<std::uint32_t>(at_)));
        summary_.reset();
        ++at_;
        return {};
    }

    const OutflowContext& c_;
    const wire::Check request_;
    PullOptions options_;
    std::unique_ptr<storage::Snapshot> view_;
    bool moved_ = false;
    std::map<EntityIx, std::vector<wire::ScopeId>> complete_;
    std::size_t at_ = 0;  // the range
    std::optional<wire::RangeSummary> summary_;
    std::string after_;
    bool header_sent_ = false;
};

}  // namespace

Result<std::unique_ptr<http::Body>> check(const OutflowContext& context, const wire::Check& request, PullOptions options) {
    SKERRY_TRY(access::same_model(context.backend, request.model_hash));
    for (const wire::CheckRange& range : request.ranges)
        if (!context.backend.model().has(range.range.entity)) return fail(Code::kDamagedFrame, "a check names an entity that the model does not have");
    auto body = std::make_unique<CheckBody>(context, request, std::move(options));
    SKERRY_TRY(body->open());
    return std::unique_ptr<http::Body>(std::move(body));
}

}  // namespace skerry::server::outflow
