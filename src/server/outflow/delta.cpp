#include "server/outflow/delta.hpp"

#include <algorithm>

#include "server/outflow/limits.hpp"
#include "server/scopes/rules.hpp"

namespace skerry::server::outflow {

namespace {

class ListCursor final : public storage::MemberCursor {
  public:
    explicit ListCursor(std::vector<storage::Member> members) : members_(std::move(members)) {}
    Result<void> next(std::size_t limit, std::vector<storage::Member>& members) override {
        for (std::size_t i = 0; i < limit && at_ < members_.size(); ++i) members.push_back(std::move(members_[at_++]));
        return {};
    }

  private:
    std::vector<storage::Member> members_;
    std::size_t at_ = 0;
};

// Frames of leaves: keys by scope and reason.
class LeavesWriter {
  public:
    explicit LeavesWriter(EntityIx entity) : entity_(entity) {}
    void add(const std::string& key, wire::ScopeId scope, wire::Left why) { keys_[{scope, why}].push_back(key); }
    // False: there was nothing.
    bool put(Bytes& out) {
        for (auto& [at, keys] : keys_) wire::put(out, wire::Leaves{entity_, at.first, std::move(keys), at.second});
        return !std::exchange(keys_, {}).empty();
    }

  private:
    EntityIx entity_;
    std::map<std::pair<wire::ScopeId, wire::Left>, std::vector<std::string>> keys_;
};

}  // namespace

Delta::Members listed(std::map<EntityIx, std::vector<storage::Member>> members) {
    return [members = std::move(members)](EntityIx entity) -> Result<std::unique_ptr<storage::MemberCursor>> {
        const auto found = members.find(entity);
        if (found == members.end()) return nullptr;
        return std::make_unique<ListCursor>(found->second);
    };
}

Delta::Delta(storage::Snapshot& view, const model::Model& model, std::vector<EntityIx> entities, Members live, Members gone, Log& log)
    : view_(view), model_(model), entities_(std::move(entities)), live_(std::move(live)), gone_(std::move(gone)), log_(log),
      held_back_(entities_.size()) {}

Result<bool> Delta::next(Bytes& out) {
    if (!leaving_) {
        SKERRY_ASSIGN(const bool wrote, next_rows(out));
        if (wrote) return true;
        leaving_ = true;
        at_entity_ = 0;
    }
    return next_leaves(out);
}

Result<bool> Delta::next_rows(Bytes& out) {
    for (; at_entity_ < entities_.size(); ++at_entity_) {
        const EntityIx entity = entities_[at_entity_];
        if (!lines_) {
            SKERRY_ASSIGN(auto cursor, live_(entity));
            lines_ = std::make_unique<KeyLinesReader>(std::move(cursor));
            reader_ = std::make_unique<RowReader>(view_, entity, log_);
        }
        wire::Rows frame{entity, {}};
        SKERRY_TRY(fill_rows(frame));
        if (!frame.rows.empty()) {
            wire::put(out, frame);
            return true;
        }
        lines_.reset();
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
                SKERRY_ASSIGN(keys_, lines_->next());
                at_ = 0;
                if (keys_.empty()) return {};
            }
            SKERRY_ASSIGN(found_, reader_->next(keys_, at_, model_));
            found_at_ = 0;
        }
        RowReader::Found& found = found_[found_at_++];
        if (!found.row) {
            held_back_[at_entity_].push_back(std::move(found.at));
            continue;
        }
        wire::RowEntry entry = std::move(found).entry();
        bytes += payload_bytes(entry);
        frame.rows.push_back(std::move(entry));
    }
    return {};
}

// A leave names the key and says why, nothing else: who may not see the row any more learns nothing new of it.
Result<bool> Delta::next_leaves(Bytes& out) {
    if (!gone_) return false;
    for (; at_entity_ < entities_.size(); ++at_entity_) {
        const std::size_t i = entities_.size() - 1 - at_entity_;
        LeavesWriter leaves(entities_[i]);
        if (!lines_) {
            SKERRY_ASSIGN(auto cursor, gone_(entities_[i]));
            lines_ = std::make_unique<KeyLinesReader>(std::move(cursor));
            reader_ = std::make_unique<RowReader>(view_, entities_[i], log_);
            for (const KeyLines& one : std::exchange(held_back_[i], {}))
                for (const wire::ScopeId scope : one.scopes) leaves.add(one.key, scope, wire::Left::kMoved);
        }
        SKERRY_ASSIGN(std::vector<KeyLines> keys, lines_->next());
        std::vector<KeyLines> asked;  // of these it depends on whether the row is still there
        for (KeyLines& one : keys) {
            if (std::all_of(one.scopes.begin(), one.scopes.end(), scopes::is_whole)) {
                for (const wire::ScopeId scope : one.scopes) leaves.add(one.key, scope, wire::Left::kDeleted);
            } else {
                asked.push_back(std::move(one));
            }
        }
        for (std::size_t at = 0; at < asked.size();) {
            SKERRY_ASSIGN(const auto found, reader_->next(asked, at, model_));
            for (const RowReader::Found& one : found)
                for (const wire::ScopeId scope : one.at.scopes) leaves.add(one.at.key, scope, one.row ? wire::Left::kMoved : wire::Left::kDeleted);
        }
        if (leaves.put(out)) return true;
        if (!keys.empty()) continue;
        lines_.reset();
        reader_.reset();
    }
    return false;
}

}  // namespace skerry::server::outflow
