#include "store/forget.hpp"

namespace skerry::store {

namespace {

// Newest first, by when they settled. The newest stays however large it is: from its number on the server is asked.
Result<void> forget_archive(sqlite::Database& db, std::int64_t now) {
    SKERRY_ASSIGN(sqlite::Statement get, db.prepare("SELECT rowid, settled_at_us, length(payload) FROM skerry_archive ORDER BY settled_at_us DESC, no DESC"));
    std::vector<std::int64_t> old;
    std::int64_t kept = 0;
    std::int64_t bytes = 0;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        const bool young = now - get.integer(1) < kArchiveAge.count();
        const bool fits = kept < kArchiveMax && bytes + get.integer(2) <= kArchiveBytesMax;
        if (kept == 0 || (fits && (young || kept < kArchiveAlways))) {
            ++kept;
            bytes += get.integer(2);
        } else {
            old.push_back(get.integer(0));
        }
    }
    get.reset();
    SKERRY_ASSIGN(sqlite::Statement forget, db.prepare("DELETE FROM skerry_archive WHERE rowid = ?1"));
    for (const std::int64_t rowid : old) SKERRY_TRY(forget.bind(1, rowid).run());
    return {};
}

}  // namespace

Result<void> forget_old(Store& store) {
    const std::int64_t now = store.clock().wall().count();
    SKERRY_ASSIGN(const auto resend, store.meta().integer(key::kResendFrom));
    if (resend) return {};  // the archive is being sent to a server that lost it
    SKERRY_ASSIGN(const auto last, store.meta().integer(key::kForgotAt));
    if (last && *last <= now && now - *last < kForgetEvery.count()) return {};
    SKERRY_ASSIGN(auto txn, sqlite::Transaction::begin_write(store.db()));
    SKERRY_TRY(forget_archive(store.db(), now));
    SKERRY_ASSIGN(sqlite::Statement drafts, store.db().prepare("DELETE FROM skerry_draft WHERE state <> 1 AND rejected_at_us < ?1"));
    SKERRY_TRY(drafts.bind(1, std::int64_t{now - kClosedDraftAge.count()}).run());
    SKERRY_TRY(store.meta().set(key::kForgotAt, now));
    return txn.commit();
}

}  // namespace skerry::store
