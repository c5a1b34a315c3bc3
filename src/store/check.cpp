#include "store/check.hpp"

#include <algorithm>

#include "store/chosen.hpp"
#include "store/held.hpp"

namespace skerry::store {

namespace {

constexpr int kNumberAttempts = 5;

bool inside(const wire::KeyRange& range, const std::string& key) {
    return key > range.after && (!range.upto || key <= *range.upto);
}

tl::unexpected<Error> not_asked() { return fail(Code::kDamagedFrame, "the answer to a check does not fit what was asked"); }

}  // namespace

Result<bool> Checker::due(Store& store) {
    const std::int64_t now = store.clock().wall().count();
    SKERRY_ASSIGN(const auto last, store.meta().integer(key::kCheckedAt));
    // A clock that was ahead when it was noted must not put the next check off for ever.
    if (last) return *last > now || now - *last >= kCheckEvery.count();
    SKERRY_TRY(store.meta().set(key::kCheckedAt, now));
    return false;
}

Result<void> Checker::begin() {
    ask_again();
    queue_.clear();
    repairs_.clear();
    repairing_.clear();
    recheck_.clear();
    again_ = false;
    moved_ = 0;
    report_ = {};
    SKERRY_TRY(store_.reload_model());
    if (!store_.has_model()) return fail(Code::kModelMissing, "the store has nothing to compare yet");
    SKERRY_ASSIGN(const auto entities, held_entities(store_));
    for (const EntityIx entity : entities) queue_.push_back({{entity, "", std::nullopt}, 0});
    running_ = true;
    return {};
}

Result<Bytes> Checker::token() {
    SKERRY_ASSIGN(auto token, store_.meta().bytes(key::kToken));
    return token.value_or(Bytes{});
}

Result<CheckNext> Checker::next(wire::Check& request) {
    if (!asked_.empty()) ask_again();
    if (repairing_.empty() && (repairs_.size() >= wire::kRepairRangesMax || queue_.empty())) {
        const std::size_t n = std::min(repairs_.size(), wire::kRepairRangesMax);
        repairing_.assign(repairs_.begin(), repairs_.begin() + static_cast<std::ptrdiff_t>(n));
        repairs_.erase(repairs_.begin(), repairs_.begin() + static_cast<std::ptrdiff_t>(n));
    }
    if (!repairing_.empty()) return CheckNext::kRepair;
    if (queue_.empty() && !again_) {
        again_ = true;
        queue_.assign(recheck_.begin(), recheck_.end());
        recheck_.clear();
    }
    if (queue_.empty()) return done();
    SKERRY_TRY(fill(request));
    return CheckNext::kAsk;
}

Result<CheckNext> Checker::done() {
    running_ = false;
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store_.db()));
    const std::int64_t now = store_.clock().wall().count();
    SKERRY_TRY(store_.meta().set(key::kCheckedAt, now));
    SKERRY_ASSIGN(const auto before, store_.meta().integer(key::kMended));
    const std::uint64_t mended = report_.different - std::min(report_.left, report_.different);
    SKERRY_TRY(store_.meta().set(key::kMended, before.value_or(0) + static_cast<std::int64_t>(mended)));
    if (mended > 0) SKERRY_TRY(store_.meta().set(key::kMendedAt, now));
    SKERRY_TRY(txn.commit());
    return CheckNext::kDone;
}

// Pre-images of an open group hide what the server has. (Entities that are never sent keep theirs; they are in no scope.)
Result<bool> Checker::nothing_open() {
    SKERRY_ASSIGN(const auto entities, held_entities(store_));
    for (const EntityIx ix : entities) {
        SKERRY_ASSIGN(const std::int64_t open, store_.db().integer(
            "SELECT EXISTS (SELECT 1 FROM " + sqlite::quote_name("skerry_pre_" + store_.model().entity(ix).name) + ")"));
        if (open != 0) return false;
    }
    return true;
}

Result<void> Checker::fill(wire::Check& request) {
    for (int attempt = 0; attempt < kNumberAttempts; ++attempt) {
        SKERRY_TRY(store_.reload_model());
        SKERRY_TRY(store_.number_open());
        SKERRY_ASSIGN(auto view, sqlite::Transaction::begin_read(store_.db()));
        SKERRY_ASSIGN(const bool closed, nothing_open());
        if (!closed) continue;  // another program committed in between
        SKERRY_ASSIGN(request.device, store_.meta().device());
        request.model_hash = store_.model_hash();
        SKERRY_ASSIGN(request.token, token());
        SKERRY_ASSIGN(request.chosen, chosen(store_));
        request.ranges.clear();
        asked_token_ = request.token;
        asked_rows_ = 0;
        std::uint64_t rows = 0;
        while (!queue_.empty() && asked_.size() < wire::kCheckRangesMax && rows < kCheckRowsPerRequest) SKERRY_TRY(digest_next(request, rows));
        return {};
    }
    return fail(Code::kBusy, "other programs write into the store faster than it can be compared");
}

Result<void> Checker::digest_next(wire::Check& request, std::uint64_t& rows) {
    Piece piece = std::move(queue_.front());
    queue_.pop_front();
    SKERRY_ASSIGN(const auto held, HeldRows::open(store_, piece.range));
    wire::RangeDigest digest;
    wire::HeldRow row;
    while (digest.count < kCheckRowsPerRange) {
        SKERRY_ASSIGN(const bool more, held->next(row));
        if (!more) break;
        digest.add(row.hash);
    }
    if (digest.count == kCheckRowsPerRange && piece.range.upto != row.key) {
        queue_.push_front({{piece.range.entity, row.key, std::move(piece.range.upto)}, piece.depth});
        piece.range.upto = row.key;
    }
    rows += digest.count + 1;
    if (piece.depth == 0 && !again_) asked_rows_ += digest.count;
    request.ranges.push_back({piece.range, digest});
    asked_.push_back(std::move(piece));
    return {};
}

Result<void> Checker::differs(const wire::Differs& answer) {
    if (answer.index >= asked_.size()) return not_asked();
    SKERRY_ASSIGN(auto view, sqlite::Transaction::begin_read(store_.db()));
    SKERRY_ASSIGN(const Bytes now, token());
    SKERRY_ASSIGN(const bool closed, nothing_open());
    if (now != asked_token_ || !closed) {
        asked_token_.clear();  // the rows are others by now: answered() asks again
        return {};
    }
    const Piece& piece = asked_[answer.index];
    return answer.parts.empty() ? list(piece, answer.rows) : narrow(piece, answer.parts);
}

Result<void> Checker::narrow(const Piece& piece, const std::vector<wire::DigestPart>& parts) {
    SKERRY_ASSIGN(const auto held, HeldRows::open(store_, piece.range));
    wire::HeldRow row;
    SKERRY_ASSIGN(bool here, held->next(row));
    std::string after = piece.range.after;
    for (const wire::DigestPart& part : parts) {
        if (part.upto && (*part.upto <= after || (piece.range.upto && *part.upto >= *piece.range.upto))) return not_asked();
        wire::RangeDigest mine;
        while (here && (!part.upto || row.key <= *part.upto)) {
            mine.add(row.hash);
            SKERRY_ASSIGN(here, held->next(row));
        }
        wire::KeyRange range{piece.range.entity, after, part.upto ? part.upto : piece.range.upto};
        if (part.upto) after = *part.upto;
        if (mine == part.digest) continue;
        if (piece.depth < kCheckDepthMax) {
            narrowed_.push_back({std::move(range), piece.depth + 1});
        } else {
            found_.push_back(std::move(range));
        }
    }
    return {};
}

// Neighbours that differ are one range, from behind the last key that is equal: nothing that is equal is sent again.
Result<void> Checker::list(const Piece& piece, const std::vector<wire::HeldRow>& theirs) {
    SKERRY_ASSIGN(const auto held, HeldRows::open(store_, piece.range));
    wire::HeldRow mine;
    SKERRY_ASSIGN(bool here, held->next(mine));
    std::string last = piece.range.after;
    bool running = false;
    auto their = theirs.begin();
    while (here || their != theirs.end()) {
        if (their != theirs.end() && !inside(piece.range, their->key)) return not_asked();
        const bool have_theirs = their != theirs.end() && (!here || their->key <= mine.key);
        const bool have_mine = here && (their == theirs.end() || mine.key <= their->key);
        const std::string key = have_mine ? mine.key : their->key;
        const bool equal = have_mine && have_theirs && mine.hash == their->hash;
        if (!equal) {
            if (!running) found_.push_back({piece.range.entity, last, key});
            found_.back().upto = key;
            found_rows_.emplace_back(piece.range.entity, key);
        }
        running = !equal;
        last = key;
        if (have_theirs) ++their;
        if (have_mine) {
            SKERRY_ASSIGN(here, held->next(mine));
        }
    }
    return {};
}

Result<void> Checker::answered() {
    SKERRY_ASSIGN(const Bytes now, token());
    if (now != asked_token_) return moved();
    report_.rows += asked_rows_;
    for (const auto& [entity, key] : found_rows_) {
        if (again_) {
            ++report_.left;
            continue;
        }
        ++report_.different;
        if (report_.examples.size() < kCheckExamplesMax) report_.examples.emplace_back(entity, key);
    }
    if (!again_) repairs_.insert(repairs_.end(), found_.begin(), found_.end());
    queue_.insert(queue_.begin(), narrowed_.begin(), narrowed_.end());
    asked_.clear();
    narrowed_.clear();
    found_.clear();
    found_rows_.clear();
    moved_ = 0;
    return {};
}

Result<void> Checker::moved() {
    ask_again();
    if (++moved_ <= kCheckMovedMax) return {};
    return fail(Code::kServerBusy, "rows change faster than they can be compared");
}

void Checker::ask_again() {
    queue_.insert(queue_.begin(), asked_.begin(), asked_.end());
    asked_.clear();
    narrowed_.clear();
    found_.clear();
    found_rows_.clear();
}

void Checker::repaired() {
    for (wire::KeyRange& range : repairing_) recheck_.push_back({std::move(range), 0});
    repairing_.clear();
}

}  // namespace skerry::store
