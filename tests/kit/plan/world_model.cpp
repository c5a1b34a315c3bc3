// The model of random worlds: every type and every policy, in entities so small that devices meet on the same rows.
// Some attributes are named like what a program has of its own, and like words of SQL.
#include "kit/plan/plan.hpp"

namespace skerry::kit {

namespace {

using model::Attribute;
using model::Entity;
using model::Merge;
using model::OnDelete;
using model::Type;

Attribute plain(std::string name, Type type, Merge merge = Merge::kLast) { return {.name = std::move(name), .type = type, .merge = merge}; }
Attribute counter(std::string name) { return {.name = std::move(name), .type = Type::kInt, .merge = Merge::kCounter, .default_value = Value{std::int64_t{0}}}; }
Attribute decimal(std::string name, Merge merge, std::uint8_t precision, std::uint8_t scale) {
    return {.name = std::move(name), .type = Type::kDecimal, .merge = merge, .default_value = Value{std::int64_t{0}}, .precision = precision, .scale = scale};
}
Attribute parent(std::string name, std::uint32_t entity, OnDelete on_delete) {
    return {.name = std::move(name), .type = Type::kText, .references = EntityIx{entity}, .on_delete = on_delete};
}
Attribute tags() { return {.name = "tags", .type = Type::kSet, .merge = Merge::kSet, .default_value = Value{std::string("[]")}}; }

Entity card() {
    Entity card{"card", {"id", Type::kText}};
    card.attributes = {plain("one", Type::kText, Merge::kFirst), plain("hi", Type::kInt, Merge::kMax),
                       decimal("lo", Merge::kMin, 8, 2), counter("visits"),
                       decimal("money", Merge::kCounter, 6, 2), tags(),
                       {.name = "body", .type = Type::kText, .merge = Merge::kText, .default_value = Value{std::string("w0 w1 w2 w3 w4 w5")}},
                       plain("who", Type::kText, Merge::kAsk), plain("ratio", Type::kReal),
                       plain("seen", Type::kBool), plain("day", Type::kDate, Merge::kMax),
                       plain("at", Type::kTimestamp, Merge::kMin), plain("data", Type::kJson), plain("raw", Type::kBlob),
                       {.name = "kind", .type = Type::kEnum, .required = true, .default_value = Value{std::string("open")}, .values = {"open", "moved", "closed"}}};
    card.checks = {{"hi < 5000", "hi"}, {"visits <= 220", "visits"}};
    return card;
}

// part: site id in :sites; visit and task with their site, leaf with its visit; open tasks, open cards; note tag = :role;
//       member user = :sub; what is written into flag is sent and cleared
// wide: note tag in :tags; everything else
// whole: everything
void add_profiles(model::Model& m) {
    using model::Download;
    using model::EntityProfile;
    const auto named = [&](std::string_view name) {
        EntityIx ix;
        static_cast<void>(m.find(name, &ix));
        return ix;
    };
    const EntityIx site = named("site"), visit = named("visit");
    m.entities.push_back({"member", {"id", Type::kText}, {plain("user", Type::kText), parent("site_id", site.value, OnDelete::kCascade), plain("tag", Type::kText)}});
    m.entities.push_back({"leaf", {"id", Type::kText}, {parent("visit_id", visit.value, OnDelete::kCascade), plain("n", Type::kInt)}});
    m.principal = {{"role", model::PrincipalKind::kClaim},
                   {"sites", model::PrincipalKind::kQuery, "select site_id from member where user = :sub"},
                   {"tags", model::PrincipalKind::kQuery, "select tag from member where user = :sub"}};
    for (const std::string_view name : kPlanProfiles) {
        model::Profile profile{std::string(name), {}};
        for (std::uint32_t e = 0; e < m.entities.size(); ++e) profile.entities.push_back({.entity = EntityIx{e}});
        m.profiles.push_back(std::move(profile));
    }
    const auto rule = [&](std::size_t profile, std::string_view entity) -> EntityProfile& {
        EntityProfile& out = m.profiles[profile].entities[named(entity).value];
        out.download = Download::kRule;
        return out;
    };
    constexpr std::uint32_t kNoteTag = 2, kMemberUser = 0, kFirst = 0;
    rule(0, "site").link = model::Link{model::kKeyAttribute, "sites", true};
    rule(0, "note").link = model::Link{kNoteTag, "role", false};
    rule(0, "card").where = "kind = 'open'";
    rule(0, "member").link = model::Link{kMemberUser, std::string(model::kUserValue), false};
    for (const char* child : {"visit", "task", "leaf"}) {
        EntityProfile& with = rule(0, child);
        with.download = Download::kWith;
        with.with = kFirst;
    }
    m.profiles[0].entities[named("task").value].where = "done is null or done = false";
    m.profiles[0].entities[named("leaf").value].priority = 3;
    m.profiles[0].entities[named("item").value].priority = 5;
    m.profiles[0].entities[named("flag").value].download = Download::kNoneClear;
    rule(1, "note").link = model::Link{kNoteTag, "tags", true};
}

enum class Profiles { kNone, kSome };

model::Model make(Profiles profiles) {
    model::Model m;
    m.app = "world";
    constexpr std::uint32_t kSite = 5, kVisit = 6, kMark = 8;
    m.entities = {
        {"note", {"id", Type::kText}, {plain("text", Type::kText), plain("n", Type::kInt), plain("tag", Type::kText)}},
        {"item", {"id", Type::kUuid}, {plain("name", Type::kText), plain("qty", Type::kInt)}},
        {"grp", {"id", Type::kText}, {plain("g", Type::kText), plain("n", Type::kInt), plain("k", Type::kInt)}},
        {"tick", {"id", Type::kText}, {plain("v", Type::kInt)}},
        {"total", {"id", Type::kText}, {plain("n", Type::kInt)}},
        {"site", {"id", Type::kText}, {{.name = "code", .type = Type::kText, .required = true}, plain("name", Type::kText)}},
        {"visit", {"id", Type::kText}, {parent("site_id", kSite, OnDelete::kRestrict), parent("up", kVisit, OnDelete::kSetNull), counter("n")}},
        {"task", {"id", Type::kText}, {parent("site_id", kSite, OnDelete::kCascade), plain("done", Type::kBool)}},
        {"mark", {"id", Type::kText}, {parent("site_id", kSite, OnDelete::kSetNull), parent("up", kMark, OnDelete::kCascade), plain("v", Type::kInt)}},
        card(),
        {"form", {"id", Type::kText}, {plain("title", Type::kText), plain("n", Type::kInt)}},
        {"flag", {"id", Type::kText}, {plain("key", Type::kText), plain("gone", Type::kInt)}},
        {"pair", {"id", Type::kText}, {counter("debit"), counter("credit"), plain("who", Type::kText, Merge::kAsk)}},
        {"back", {"id", Type::kText}, {plain("a", Type::kText), counter("n")}},
        {"keep", {"id", Type::kText}, {plain("existed", Type::kText), plain("order", Type::kInt)}},
        {"nat", {"id", Type::kText}, {plain("group", Type::kText), plain("m", Type::kInt, Merge::kMax), plain("who", Type::kText, Merge::kAsk), tags()}},
    };
    const auto named = [&](std::string_view name) -> Entity& {
        for (Entity& entity : m.entities)
            if (entity.name == name) return entity;
        return m.entities.front();
    };
    named("site").unique = {{0}};
    named("visit").indexes = {{0, 2}};
    named("form").conflict = model::Conflict::kDetect;
    named("flag").conflict = model::Conflict::kLast;
    named("pair").strict = true;
    named("pair").checks = {{"debit <= 1000000", ""}};
    named("back").update_delete = model::UpdateDelete::kUpdateWins;
    named("keep").update_delete = model::UpdateDelete::kAsk;
    named("nat").create_create = model::CreateCreate::kMerge;
    if (profiles == Profiles::kSome) add_profiles(m);
    model::complete(m);
    return m;
}

}  // namespace

const model::Model& world_model() {
    static const model::Model model = make(Profiles::kNone);
    return model;
}
const model::Model& scoped_model() {
    static const model::Model model = make(Profiles::kSome);
    return model;
}

}  // namespace skerry::kit
