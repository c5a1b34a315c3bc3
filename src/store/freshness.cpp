#include "store/freshness.hpp"

#include <algorithm>
#include <set>

#include "store/modes.hpp"

namespace skerry::store {

Result<std::vector<EntityIx>> incomplete(Store& store) {
    std::vector<EntityIx> out;
    if (!store.has_model()) return out;
    SKERRY_ASSIGN(const Modes modes, Modes::load(store.meta(), store.model()));
    SKERRY_ASSIGN(const auto synced, store.meta().integer(key::kSyncedAt));
    std::set<EntityIx> downloading;
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT DISTINCT entity FROM skerry_scope WHERE complete = 0"));
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        downloading.insert(EntityIx{static_cast<std::uint32_t>(get.integer(0))});
    }
    get.reset();
    for (std::uint32_t at = 0; at < store.model().entities.size(); ++at) {
        const EntityIx ix{at};
        // Without a scope it is complete: nothing of it is granted, or nothing of it is ever downloaded.
        if (downloading.contains(ix) || (!synced && !modes.nothing_comes(ix))) out.push_back(ix);
    }
    return out;
}

Result<Freshness> freshness(Store& store, std::span<const EntityIx> entities) {
    SKERRY_TRY(store.number_open());
    Freshness fresh;
    SKERRY_ASSIGN(const auto missing, incomplete(store));
    fresh.complete = std::none_of(entities.begin(), entities.end(), [&](EntityIx ix) {
        return std::find(missing.begin(), missing.end(), ix) != missing.end();
    });
    if (fresh.complete) {
        SKERRY_ASSIGN(fresh.as_of_us, store.meta().integer(key::kFreshAt));
    }
    std::set<std::int64_t> pending;
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT DISTINCT txn FROM skerry_op WHERE entity = ?1"));
    for (const EntityIx ix : entities) {
        get.bind(1, static_cast<std::int64_t>(ix.value));
        for (;;) {
            SKERRY_ASSIGN(const bool row, get.step());
            if (!row) break;
            pending.insert(get.integer(0));
        }
        get.reset();
    }
    fresh.pending = pending.size();
    return fresh;
}

}  // namespace skerry::store
