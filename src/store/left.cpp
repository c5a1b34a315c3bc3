#include "store/left.hpp"

#include "store/store.hpp"

namespace skerry::store {

std::string_view left_name(wire::Left why) {
    switch (why) {
        case wire::Left::kDeleted: return "deleted";
        case wire::Left::kMoved: return "moved";
        case wire::Left::kLost: return "lost";
        case wire::Left::kOutside: return "outside";
    }
    return {};
}

void LeftCounts::add(wire::Left why, std::uint64_t n) {
    switch (why) {
        case wire::Left::kDeleted: deleted += n; break;
        case wire::Left::kMoved: moved += n; break;
        case wire::Left::kLost: lost += n; break;
        case wire::Left::kOutside: outside += n; break;
    }
}

Result<std::optional<LeftRow>> LeftRows::find(EntityIx ix, std::string_view key) {
    SKERRY_ASSIGN(sqlite::Statement get, store_.db().prepare("SELECT why, at_us FROM skerry_left WHERE entity = ?1 AND key = ?2"));
    get.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key);
    SKERRY_ASSIGN(const bool found, get.step());
    std::optional<LeftRow> row;
    if (found) row = LeftRow{static_cast<wire::Left>(get.integer(0)), get.integer(1)};
    get.reset();
    return row;
}

Result<void> LeftRows::begin() {
    SKERRY_ASSIGN(const std::int64_t some, store_.db().integer("SELECT EXISTS (SELECT 1 FROM skerry_left)"));
    some_ = some != 0;
    now_us_ = store_.clock().wall().count();
    return {};
}

Result<void> LeftRows::note(EntityIx ix, std::string_view key, wire::Left why) {
    counts_.add(why, 1);
    some_ = true;
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare("INSERT OR REPLACE INTO skerry_left(entity, key, why, at_us) VALUES(?1, ?2, ?3, ?4)"));
    put.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key).bind(3, static_cast<std::int64_t>(why));
    return put.bind(4, now_us_).run();
}

Result<void> LeftRows::note_marked(EntityIx ix) {
    const auto entity = static_cast<std::int64_t>(ix.value);
    // Of several reasons the one with the highest mark: what is deleted is deleted, whatever right was lost besides.
    SKERRY_ASSIGN(sqlite::Statement count, store_.db().prepare(
        "SELECT mark, count(*) FROM (SELECT max(scope) AS mark FROM skerry_scope_row WHERE +entity = ?1 AND scope < 0 GROUP BY key) GROUP BY mark"));
    count.bind(1, entity);
    for (;;) {
        SKERRY_ASSIGN(const bool row, count.step());
        if (!row) break;
        counts_.add(static_cast<wire::Left>(-count.integer(0)), static_cast<std::uint64_t>(count.integer(1)));
    }
    count.reset();
    some_ = true;
    SKERRY_ASSIGN(sqlite::Statement put, store_.db().prepare(
        "INSERT OR REPLACE INTO skerry_left(entity, key, why, at_us) SELECT entity, key, -max(scope), ?2 FROM skerry_scope_row "
        "WHERE +entity = ?1 AND scope < 0 GROUP BY key LIMIT ?3"));
    return put.bind(1, entity).bind(2, now_us_).bind(3, kLeftKept).run();
}

Result<void> LeftRows::forget(EntityIx ix, std::string_view key) {
    if (!some_) return {};
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_left WHERE entity = ?1 AND key = ?2"));
    return drop.bind(1, static_cast<std::int64_t>(ix.value)).bind_text(2, key).run();
}

Result<void> LeftRows::trim() {
    if (!some_) return {};
    SKERRY_ASSIGN(sqlite::Statement drop, store_.db().prepare("DELETE FROM skerry_left WHERE n <= (SELECT max(n) FROM skerry_left) - ?1"));
    return drop.bind(1, kLeftKept).run();
}

}  // namespace skerry::store
