#include "server/outflow/delta.hpp"

#include <algorithm>

#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

namespace {

constexpr std::size_t kKeysAtOnce = 512;

class ListCursor final : public storage::KeyCursor {
  public:
    explicit ListCursor(std::vector<std::string> keys) : keys_(std::move(keys)) {}
    Result<void> next(std::size_t limit, std::vector<std::string>& keys) override {
        for (std::size_t i = 0; i < limit && at_ < keys_.size(); ++i) keys.push_back(keys_[at_++]);
        return {};
    }

  private:
    std::vector<std::string> keys_;
    std::size_t at_ = 0;
};

}  // namespace

Delta::Keys keys_of(std::vector<storage::KeyRef> refs) {
    return [refs = std::move(refs)](const storage::WholeScope& scope) -> Result<std::unique_ptr<storage::KeyCursor>> {
        std::vector<std::string> keys;
        for (const storage::KeyRef& ref : refs)
            if (ref.entity == scope.entity) keys.push_back(ref.key);
        if (keys.empty()) return nullptr;
        return std::make_unique<ListCursor>(std::move(keys));
    };
}

Delta::Delta(storage::Snapshot& view, const model::Model& model, std::vector<storage::WholeScope> scopes, Keys live,
             Keys gone, Log& log)
    : view_(view), model_(model), scopes_(std::move(scopes)), live_(std::move(live)), gone_(std::move(gone)),
      log_(log), held_back_(scopes_.size()) {}

Result<bool> Delta::next(Bytes& out) {
    if (!leaving_) {
        SKERRY_ASSIGN(const bool wrote, next_rows(out));
        if (wrote) return true;
        leaving_ = true;
        scope_ = 0;
    }
    return next_leaves(out);
}

Result<bool> Delta::next_rows(Bytes& out) {
    for (; scope_ < scopes_.size(); ++scope_) {
        if (!reader_) {
            SKERRY_ASSIGN(cursor_, live_(scopes_[scope_]));
            reader_ = std::make_unique<RowReader>(view_, scopes_[scope_].entity, log_);
        }
        wire::Rows frame{scopes_[scope_].entity, {}};
        SKERRY_TRY(fill_rows(frame));
        if (!frame.rows.empty()) {
            wire::put(out, frame);
            return true;
        }
        cursor_.reset();
        reader_.reset();
        keys_.clear();
        at_ = 0;
    }
    return false;
}

// Rows for one frame; an empty frame means that the entity is done.
Result<void> Delta::fill_rows(wire::Rows& frame) {
    std::size_t bytes = 0;
    while (bytes < kFramePayloadTarget) {
        if (found_at_ == found_.size()) {
            if (at_ == keys_.size()) {
                keys_.clear();
                at_ = 0;
                if (cursor_) SKERRY_TRY(cursor_->next(kKeysAtOnce, keys_));
                if (keys_.empty()) return {};
            }
            SKERRY_ASSIGN(found_, reader_->next(keys_, at_, model_));
            found_at_ = 0;
        }
        RowReader::Found& found = found_[found_at_++];
        if (!found.row) {
            held_back_[scope_].push_back(std::move(found.key));
            continue;
        }
        wire::RowEntry entry{std::move(found.key), {}, std::move(*found.row)};
        bytes += payload_bytes(entry);
        frame.rows.push_back(std::move(entry));
    }
    return {};
}

Result<bool> Delta::next_leaves(Bytes& out) {
    if (!gone_) return false;
    for (; scope_ < scopes_.size(); ++scope_) {
        const std::size_t i = scopes_.size() - 1 - scope_;
        if (!cursor_) {
            SKERRY_ASSIGN(cursor_, gone_(scopes_[i]));
        }
        wire::Leaves frame{scopes_[i].entity, scopes_[i].scope, std::move(held_back_[i])};
        held_back_[i].clear();
        std::size_t bytes = 0;
        for (;;) {
            const std::size_t before = frame.keys.size();
            if (cursor_) SKERRY_TRY(cursor_->next(kKeysAtOnce, frame.keys));
            for (std::size_t k = before; k < frame.keys.size(); ++k) bytes += frame.keys[k].size();
            if (frame.keys.size() == before || bytes > kFramePayloadTarget) break;
        }
        if (!frame.keys.empty()) {
            wire::put(out, frame);
            return true;
        }
        cursor_.reset();
    }
    return false;
}

}  // namespace skerry::server::outflow
