#include "store/held.hpp"

#include "store/schema_parts.hpp"
#include "store/store.hpp"

namespace skerry::store {

using sqlite::quote_name;

Result<std::vector<EntityIx>> held_entities(Store& store) {
    SKERRY_ASSIGN(sqlite::Statement get, store.db().prepare("SELECT DISTINCT entity FROM skerry_scope WHERE complete = 1 ORDER BY entity"));
    std::vector<EntityIx> entities;
    for (;;) {
        SKERRY_ASSIGN(const bool row, get.step());
        if (!row) break;
        const EntityIx ix{static_cast<std::uint32_t>(get.integer(0))};
        if (store.model().has(ix)) entities.push_back(ix);
    }
    get.reset();
    return entities;
}

// The end of the range is looked at here and not in SQL: "?2 IS NULL OR key <= ?2" would read on to the end of the table.
Result<std::unique_ptr<HeldRows>> HeldRows::open(Store& store, const wire::KeyRange& range) {
    const model::Entity& entity = store.model().entity(range.entity);
    sqlite::Database& db = store.db();
    std::unique_ptr<HeldRows> self(new HeldRows(entity, range));
    HeldRows& held = *self;
    const auto number = static_cast<std::int64_t>(range.entity.value);
    SKERRY_ASSIGN(sqlite::Statement scopes, db.prepare("SELECT ifnull(max(complete = 1), 0), ifnull(max(complete <> 1), 0) FROM skerry_scope WHERE entity = ?1 AND whole = 1"));
    SKERRY_ASSIGN(const bool one, scopes.bind(1, number).step());
    static_cast<void>(one);  // an aggregate always gives one
    held.whole_ = scopes.integer(0) != 0;
    held.strays_ = scopes.integer(1) == 0;
    scopes.reset();

    const std::string key = "t." + quote_name(entity.key.name);
    SKERRY_ASSIGN(held.sources_[0].get, db.prepare("SELECT key, payload FROM skerry_quarantine WHERE entity = ?2 AND key > ?1 ORDER BY key"));
    held.sources_[0].encoded = true;
    SKERRY_ASSIGN(held.sources_[1].get, db.prepare("SELECT skerry_key" + schema::columns(entity, "", ", ") + " FROM " +
                                                   quote_name("skerry_base_" + entity.name) + " WHERE skerry_key > ?1 ORDER BY skerry_key"));
    // Without a base row, a row with unsettled operations is not the server's.
    SKERRY_ASSIGN(held.sources_[2].get, db.prepare("SELECT " + key + schema::columns(entity, "t.", ", ") + " FROM " + quote_name(entity.name) +
                                                   " t WHERE " + key + " > ?1 AND NOT EXISTS (SELECT 1 FROM skerry_op o WHERE o.entity = ?2 AND o.key = " +
                                                   key + ") ORDER BY " + key));
    for (Source& source : held.sources_) {
        source.get.bind_text(1, held.range_.after);
        if (source.get.parameters() > 1) source.get.bind(2, number);
        SKERRY_TRY(held.step(source));
    }
    if (!held.whole_) {
        SKERRY_ASSIGN(held.lines_, db.prepare("SELECT r.key, r.scope, s.complete = 1 AND s.whole = 0 FROM skerry_scope_row r "
                                              "LEFT JOIN skerry_scope s ON s.id = r.scope WHERE r.entity = ?1 AND r.key > ?2 ORDER BY r.key, r.scope"));
        held.lines_.bind(1, number).bind_text(2, held.range_.after);
        SKERRY_TRY(held.step_lines());
    }
    return self;
}

HeldRows::~HeldRows() {
    for (Source& source : sources_)
        if (source.get) source.get.reset();
    if (lines_) lines_.reset();
}

Result<void> HeldRows::step(Source& source) {
    source.key.reset();
    source.row.reset();
    SKERRY_ASSIGN(const bool found, source.get.step());
    if (!found || (range_.upto && source.get.text(0) > *range_.upto)) {
        source.get.reset();
        return {};
    }
    source.key = source.get.text(0);
    if (source.encoded) {
        Reader in(source.get.blob(1));
        model::Row row = model::get_row(in, entity_);
        if (in.at_end()) source.row = std::move(row);
        return {};
    }
    model::Row& row = source.row.emplace();
    row.reserve(entity_.attributes.size());
    for (std::size_t i = 0; i < entity_.attributes.size(); ++i) row.push_back(source.get.value(static_cast<int>(i) + 1));
    return {};
}

Result<void> HeldRows::step_lines() {
    line_key_.reset();
    SKERRY_ASSIGN(const bool found, lines_.step());
    if (found && (!range_.upto || lines_.text(0) <= *range_.upto)) {
        line_key_ = lines_.text(0);
    } else {
        lines_.reset();
    }
    return {};
}

Result<bool> HeldRows::lines_of(const std::string& key, std::vector<wire::ScopeId>& lines) {
    while (line_key_ && *line_key_ < key) SKERRY_TRY(step_lines());  // lines without a row
    bool any = false;
    while (line_key_ && *line_key_ == key) {
        any = true;
        if (lines_.integer(2) != 0) lines.push_back(wire::ScopeId{static_cast<std::uint32_t>(lines_.integer(1))});
        SKERRY_TRY(step_lines());
    }
    return any ? !lines.empty() : strays_;
}

Result<bool> HeldRows::next(wire::HeldRow& out) {
    for (;;) {
        const Source* first = nullptr;
        for (const Source& source : sources_)
            if (source.key && (first == nullptr || *source.key < *first->key)) first = &source;
        if (first == nullptr) return false;
        const std::string key = *first->key;
        const std::optional<model::Row> row = first->row;
        for (Source& source : sources_)
            if (source.key == key) SKERRY_TRY(step(source));
        std::vector<wire::ScopeId> lines;
        if (!whole_) {
            SKERRY_ASSIGN(const bool counts, lines_of(key, lines));
            if (!counts) continue;
        }
        if (!row) continue;
        out.key = key;
        out.hash = wire::held_hash(entity_, key, *row, lines);
        return true;
    }
}

}  // namespace skerry::store
