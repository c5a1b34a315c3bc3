#include "kit/world/views.hpp"

#include <set>

#include "kit/world/looking.hpp"

namespace skerry::kit {

namespace {

struct View {
    std::string_view profile;
    std::string_view entity;
    std::string_view keys;  // ?1 = the user's name, ?2 = his role
};

#define SKERRY_KIT_SITES "(SELECT site_id FROM member WHERE user = ?1)"

// What is not listed is there whole.
constexpr View kViews[] = {
    {"part", "site", "SELECT id FROM site WHERE id IN " SKERRY_KIT_SITES},
    {"part", "visit", "SELECT id FROM visit WHERE site_id IN " SKERRY_KIT_SITES},
    {"part", "leaf", "SELECT id FROM leaf WHERE visit_id IN (SELECT id FROM visit WHERE site_id IN " SKERRY_KIT_SITES ")"},
    {"part", "task", "SELECT id FROM task WHERE site_id IN " SKERRY_KIT_SITES " AND coalesce(done, 0) = 0"},
    {"part", "note", "SELECT id FROM note WHERE tag = ?2"},
    {"part", "card", "SELECT id FROM card WHERE kind = 'open'"},
    {"part", "member", "SELECT id FROM member WHERE user = ?1"},
    {"part", "flag", "SELECT id FROM flag WHERE 0"},
    {"wide", "note", "SELECT id FROM note WHERE tag IN (SELECT tag FROM member WHERE user = ?1)"},
};
#undef SKERRY_KIT_SITES

}  // namespace

Result<Images> view_of(sqlite::Database& server, const model::Model& model, const Viewer& viewer, const Images& all) {
    Images out = all;
    if (&model != &scoped_model()) return out;
    const auto said = viewer.claims.find("profile");
    const std::string_view profile = said == viewer.claims.end() ? kPlanProfiles[0] : std::string_view(said->second);
    const auto said_role = viewer.claims.find("role");
    // What is bound has to outlive the statement's steps.
    const Value user{viewer.user};
    const Value role = said_role == viewer.claims.end() ? Value{Null{}} : Value{said_role->second};
    for (const View& view : kViews) {
        if (view.profile != profile) continue;
        EntityIx ix;
        static_cast<void>(model.find(view.entity, &ix));
        SKERRY_ASSIGN(sqlite::OwnedStatement rows, server.prepare_once(view.keys));
        if (rows->parameters() >= 1) rows->bind(1, user);
        if (rows->parameters() >= 2) rows->bind(2, role);
        std::set<std::string, std::less<>> keys;
        for (;;) {
            SKERRY_ASSIGN(const bool more, rows->step());
            if (!more) break;
            keys.emplace(rows->text(0));
        }
        std::erase_if(out, [&](const auto& row) { return row.first.entity == ix && !keys.contains(row.first.key); });
    }
    return out;
}

}  // namespace skerry::kit
