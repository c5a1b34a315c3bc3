#include "model/evolve_profiles.hpp"

#include <algorithm>

namespace skerry::model {

namespace {

template <class Item, class Name, class Wanted>
const Item* named(const std::vector<Item>& list, Name name, const Wanted& wanted) {
    for (const Item& item : list)
        if (name(item) == wanted) return &item;
    return nullptr;
}

std::string_view value_name(const PrincipalValue& value) { return value.name; }
std::string_view profile_name(const Profile& profile) { return profile.name; }
EntityIx entity_of(const EntityProfile& said) { return said.entity; }

// `list`, what `before` has too in its order, the rest as it comes.
template <class Item, class Name>
std::vector<Item> in_order_of(const std::vector<Item>& before, const std::vector<Item>& list, Name name) {
    std::vector<Item> out;
    for (const Item& was : before)
        if (const Item* now = named(list, name, name(was))) out.push_back(*now);
    for (const Item& now : list)
        if (named(before, name, name(now)) == nullptr) out.push_back(now);
    return out;
}

EntityProfile placed(const Model& wanted, const Model& next, EntityProfile said) {
    const Entity& entity = wanted.entity(said.entity);
    const Entity* there = next.find(entity.name, &said.entity);
    const auto move = [&](std::uint32_t& attribute) {
        attribute = *there->attribute_named(entity.attributes[attribute].name);
    };
    if (said.link && said.link->attribute != kKeyAttribute) move(said.link->attribute);
    if (said.download == Download::kWith) move(said.with);
    return said;
}

std::string quote(std::string_view name) { return "'" + std::string(name) + "'"; }

std::string_view kind_text(PrincipalKind kind) {
    switch (kind) {
        case PrincipalKind::kClaim: return "a claim";
        case PrincipalKind::kQuery: return "a query";
        case PrincipalKind::kChosen: return "chosen by the app";
    }
    return "?";
}

std::string download_text(const Model& model, const EntityProfile& said) {
    const Entity& entity = model.entity(said.entity);
    switch (said.download) {
        case Download::kAll: return "all";
        case Download::kNoneClear: return "none_clear";
        case Download::kNonePreserve: return "none_preserve";
        case Download::kNever: return "never";
        case Download::kWith:
            return "with: " + entity.attributes[said.with].name +
                   (said.where.empty() ? "" : ", where: " + said.where);
        case Download::kRule: break;
    }
    if (!said.link) return said.where;
    const std::string& attribute =
        said.link->attribute == kKeyAttribute ? entity.key.name : entity.attributes[said.link->attribute].name;
    return attribute + (said.link->many ? " in :" : " = :") + said.link->value +
           (said.where.empty() ? "" : " and " + said.where);
}

void principal_differences(const Model& old, const Model& next, std::vector<std::string>& out) {
    for (const PrincipalValue& was : old.principal)
        if (named(next.principal, value_name, was.name) == nullptr)
            out.push_back("the principal value " + quote(was.name) + " is no longer there");
    for (const PrincipalValue& now : next.principal) {
        const std::string place = "the principal value " + quote(now.name);
        const PrincipalValue* was = named(old.principal, value_name, now.name);
        if (was == nullptr)
            out.push_back(place + " is new: " + std::string(kind_text(now.kind)));
        else if (was->kind != now.kind)
            out.push_back(place + " is " + std::string(kind_text(now.kind)) + " instead of " +
                          std::string(kind_text(was->kind)));
        else if (was->query != now.query)
            out.push_back(place + " has another query");
    }
}

void entity_differences(const Model& old, const Model& next, const Profile& was, const Profile& now,
                        std::vector<std::string>& out) {
    for (const EntityProfile& said : now.entities) {
        const std::string place =
            "profile " + quote(now.name) + ", entity " + quote(next.entity(said.entity).name);
        const EntityProfile* before = named(was.entities, entity_of, said.entity);
        const std::string download = download_text(next, said);
        if (before == nullptr) {
            out.push_back(place + ": `" + download + "`");
            continue;
        }
        if (const std::string then = download_text(old, *before); then != download)
            out.push_back(place + ": `" + download + "` instead of `" + then + "`");
        if (before->upload != said.upload)
            out.push_back(place +
                          (said.upload == Upload::kReject ? ": changes are rejected" : ": changes are taken"));
        if (before->priority != said.priority)
            out.push_back(place + ": `priority` is " + std::to_string(said.priority) + " instead of " +
                          std::to_string(before->priority));
    }
}

}  // namespace

void place_profiles(const Model& old, const Model& wanted, Model& next) {
    next.principal = in_order_of(old.principal, wanted.principal, value_name);
    for (const Profile& profile : wanted.profiles) {
        std::vector<EntityProfile> entities;
        for (const EntityProfile& said : profile.entities) entities.push_back(placed(wanted, next, said));
        const Profile* was = named(old.profiles, profile_name, profile.name);
        if (was != nullptr) entities = in_order_of(was->entities, entities, entity_of);
        next.profiles.push_back({profile.name, std::move(entities)});
    }
}

void profile_differences(const Model& old, const Model& next, std::vector<std::string>& out) {
    principal_differences(old, next, out);
    for (const Profile& was : old.profiles)
        if (next.profiles.empty() || next.profile(was.name) == nullptr)
            out.push_back("profile " + quote(was.name) +
                          " is no longer there; tokens that name it no longer sync");
    for (const Profile& now : next.profiles) {
        if (const Profile* was = named(old.profiles, profile_name, now.name))
            entity_differences(old, next, *was, now, out);
        else
            out.push_back("profile " + quote(now.name) + " is new");
    }
    const std::string_view was = old.profiles.empty() ? "" : std::string_view(old.profiles[0].name);
    const std::string_view now = next.profiles.empty() ? "" : std::string_view(next.profiles[0].name);
    if (was == now) return;
    if (now.empty())
        out.push_back("there are no profiles any more: devices take every row");
    else
        out.push_back("devices whose token names no profile have " + quote(now) + " instead of " +
                      (was.empty() ? std::string("every row") : quote(was)));
}

}  // namespace skerry::model
