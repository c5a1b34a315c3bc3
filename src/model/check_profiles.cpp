#include "model/check_profiles.hpp"

#include <set>

#include "base/text.hpp"

namespace skerry::model {

namespace {

tl::unexpected<Error> invalid(std::string message) { return fail(Code::kModelInvalid, std::move(message)); }

bool has_rows(Download download) {
    return download == Download::kAll || download == Download::kRule || download == Download::kWith;
}

Result<void> check_principal(const Model& model) {
    if (model.principal.size() > kPrincipalValuesMax)
        return invalid("the model has more than " + std::to_string(kPrincipalValuesMax) + " principal values");
    std::set<std::string_view> names;
    for (const PrincipalValue& value : model.principal) {
        const std::string place = "the principal value '" + value.name + "'";
        if (!is_valid_name(value.name)) return invalid(place + " has a name that is not allowed");
        if (value.name == kUserValue) return invalid(place + " is the name of the user and cannot be declared");
        if (!names.insert(value.name).second) return invalid(place + " is there twice");
        if (value.kind != PrincipalKind::kQuery && !value.query.empty())
            return invalid(place + " is no query but has one");
        if (value.query.size() > kQueryBytesMax)
            return invalid(place + ": its query is longer than " + std::to_string(kQueryBytesMax) + " bytes");
        if (!is_clean_text(value.query)) return invalid(place + ": its query is not UTF-8 text");
    }
    return {};
}

class ProfileCheck {
  public:
    ProfileCheck(const Model& model, const Profile& profile) : model_(model), profile_(profile) {}

    Result<void> run() {
        by_entity_.assign(model_.entities.size(), nullptr);
        for (const EntityProfile& said : profile_.entities) {
            if (!model_.has(said.entity) || model_.entity(said.entity).builtin())
                return invalid(in_profile() + " speaks of an entity that is not there");
            const EntityProfile*& place = by_entity_[said.entity.value];
            if (place != nullptr) return invalid(of(said) + " is there twice");
            place = &said;
        }
        for (std::size_t i = 0; i < by_entity_.size(); ++i)
            if (by_entity_[i] == nullptr && !model_.entities[i].builtin())
                return invalid(in_profile() + " does not say what becomes of entity '" + model_.entities[i].name +
                               "'");
        for (const EntityProfile& said : profile_.entities) SKERRY_TRY(check_entity(said));
        return no_ring();
    }

  private:
    std::string in_profile() const { return "profile '" + profile_.name + "'"; }
    std::string of(const EntityProfile& said) const {
        return in_profile() + ", entity '" + model_.entity(said.entity).name + "'";
    }

    Result<void> check_entity(const EntityProfile& said) const {
        const bool rule = said.download == Download::kRule;
        const bool with = said.download == Download::kWith;
        if (said.priority > kPriorityMax)
            return invalid(of(said) + ": a priority is at most " + std::to_string(kPriorityMax));
        if (said.where.size() > kExpressionBytesMax)
            return invalid(of(said) + ": its condition is longer than " + std::to_string(kExpressionBytesMax) +
                           " bytes");
        if (!is_clean_text(said.where)) return invalid(of(said) + ": its condition is not UTF-8 text");
        if (!said.where.empty() && !rule && !with)
            return invalid(of(said) + ": a condition stands beside a rule or `with` only");
        if (said.link.has_value() && !rule)
            return invalid(of(said) + ": a link to the user stands in a rule only");
        if (said.with != 0 && !with) return invalid(of(said) + ": an association stands beside `with` only");
        if (rule && !said.link && said.where.empty()) return invalid(of(said) + " has an empty rule");
        if (said.link) return check_link(said, *said.link);
        if (with) return check_with(said);
        return {};
    }

    Result<void> check_link(const EntityProfile& said, const Link& link) const {
        const Entity& entity = model_.entity(said.entity);
        if (link.attribute != kKeyAttribute) {
            if (link.attribute >= entity.attributes.size())
                return invalid(of(said) + ": its link is by an attribute that is not there");
            const Attribute& attribute = entity.attributes[link.attribute];
            if (!may_link(attribute.type))
                return invalid(of(said) + ": its link is by '" + attribute.name + "', whose type " +
                               std::string(type_name(attribute.type)) + " is not supported for that");
        }
        if (link.value == kUserValue) return {};
        for (const PrincipalValue& value : model_.principal)
            if (value.name == link.value) return {};
        return invalid(of(said) + ": its link is to the principal value '" + link.value + "', which is not there");
    }

    Result<void> check_with(const EntityProfile& said) const {
        const Entity& entity = model_.entity(said.entity);
        if (said.with >= entity.attributes.size() || !entity.attributes[said.with].references)
            return invalid(of(said) + ": `with` names what is no association");
        if (!has_rows(parent_of(said)->download))
            return invalid(of(said) + " is taken with entity '" + model_.entity(parent_of(said)->entity).name +
                           "', of which the profile downloads nothing");
        return {};
    }

    const EntityProfile* parent_of(const EntityProfile& said) const {
        return by_entity_[model_.entity(said.entity).attributes[said.with].references->value];
    }

    // A row in a ring of withs would be here because it is here. From each entity one way leads up, so whoever
    // walks more steps than there are entities walks in a ring.
    Result<void> no_ring() const {
        for (const EntityProfile& start : profile_.entities) {
            const EntityProfile* at = &start;
            for (std::size_t steps = 0; at->download == Download::kWith; ++steps) {
                if (steps > profile_.entities.size())
                    return invalid(of(start) + ": its `with` goes round in a ring");
                at = parent_of(*at);
            }
        }
        return {};
    }

    const Model& model_;
    const Profile& profile_;
    std::vector<const EntityProfile*> by_entity_;
};

}  // namespace

bool may_link(Type type) {
    switch (type) {
        case Type::kUuid:
        case Type::kText:
        case Type::kEnum:
        case Type::kInt:
        case Type::kBool:
        case Type::kDate: return true;
        default: return false;
    }
}

Result<void> check_profiles(const Model& model) {
    SKERRY_TRY(check_principal(model));
    if (model.profiles.size() > kProfilesMax)
        return invalid("the model has more than " + std::to_string(kProfilesMax) + " profiles");
    std::set<std::string_view> names;
    for (const Profile& profile : model.profiles) {
        if (!is_valid_name(profile.name)) return invalid("the profile name '" + profile.name + "' is not allowed");
        if (!names.insert(profile.name).second) return invalid("two profiles are named '" + profile.name + "'");
        SKERRY_TRY(ProfileCheck(model, profile).run());
    }
    return {};
}

}  // namespace skerry::model
