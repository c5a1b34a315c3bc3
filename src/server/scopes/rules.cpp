#include "server/scopes/rules.hpp"

#include <map>

#include "base/assert.hpp"
#include "base/text.hpp"
#include "rules/rules.hpp"

namespace skerry::server::scopes {

namespace {

using storage::ScopeRule;

// "name" of the key or of an attribute.
const std::string& name_of(const model::Entity& entity, std::uint32_t attribute) {
    return attribute == model::kKeyAttribute ? entity.key.name : entity.attributes[attribute].name;
}

class Maker {
  public:
    explicit Maker(const model::Model& model) : model_(model) {}

    Result<Rules> make() {
        if (model_.profiles.empty()) {
            auto& whole = rules_.of_profile.emplace_back();
            for (std::uint32_t i = 0; i < model_.entities.size(); ++i) whole.push_back(add(whole_of(EntityIx{i})));
        }
        for (const model::Profile& profile : model_.profiles) SKERRY_TRY(add_profile(profile));
        return std::move(rules_);
    }

  private:
    Result<void> add_profile(const model::Profile& profile) {
        of_.assign(model_.entities.size(), std::nullopt);
        looked_at_.assign(model_.entities.size(), false);
        for (std::uint32_t i = 0; i < model_.entities.size(); ++i) SKERRY_TRY(look_at(profile, EntityIx{i}));
        rules_.of_profile.push_back(of_);
        return {};
    }

    // Parents first; a model that was checked has no ring of them.
    Result<void> look_at(const model::Profile& profile, EntityIx ix) {
        if (looked_at_[ix.value]) return {};
        looked_at_[ix.value] = true;
        const model::Entity& entity = model_.entity(ix);
        const model::EntityProfile said = model_.in_profile(profile.name, ix);
        ScopeRule rule = whole_of(ix);
        switch (said.download) {
            case model::Download::kAll: break;
            case model::Download::kRule:
                rule.whole = !said.link && said.where.empty();
                if (said.link) rule.key = said.link->attribute;
                break;
            case model::Download::kWith: {
                const EntityIx parent = *entity.attributes[said.with].references;
                SKERRY_TRY(look_at(profile, parent));
                SKERRY_ASSERT(of_[parent.value].has_value());
                rule.whole = false;
                rule.parent = of_[parent.value];
                rule.association = said.with;
                break;
            }
            case model::Download::kNoneClear:
            case model::Download::kNonePreserve:
            case model::Download::kNever: return {};
        }
        if (!rule.whole && !said.where.empty()) {
            SKERRY_ASSIGN(const auto condition, rules::parse(said.where, entity));
            rule.where = rules::to_sql(condition, "r.");
        }
        of_[ix.value] = add(std::move(rule));
        return {};
    }

    static ScopeRule whole_of(EntityIx ix) {
        ScopeRule rule;
        rule.entity = ix;
        rule.whole = true;
        return rule;
    }

    std::size_t add(ScopeRule rule) {
        const model::Entity& entity = model_.entity(rule.entity);
        rule.name = entity.name;
        if (rule.whole) rule.name += " whole";
        if (rule.key) rule.name += " by " + quote_name(name_of(entity, *rule.key));
        if (rule.parent) rule.name += " with " + quote_name(name_of(entity, rule.association)) + " in (" + rules_.all[*rule.parent].name + ")";
        if (!rule.where.empty()) rule.name += " where " + rule.where;
        const auto [known, is_new] = by_name_.try_emplace(rule.name, rules_.all.size());
        if (is_new) rules_.all.push_back(std::move(rule));
        return known->second;
    }

    const model::Model& model_;
    Rules rules_;
    std::map<std::string, std::size_t> by_name_;
    std::vector<std::optional<std::size_t>> of_;  // of the profile at work
    std::vector<bool> looked_at_;
};

}  // namespace

Result<Rules> rules_of(const model::Model& model) { return Maker(model).make(); }

std::string scope_name(const model::Model& model, const Rules& rules, const storage::ScopeKey& scope) {
    const ScopeRule* rule = &rules.all[scope.rule];
    const model::Entity* entity = &model.entity(rule->entity);
    std::string name = entity->name;
    for (; rule->parent; entity = &model.entity(rule->entity)) {
        name += " of " + name_of(*entity, rule->association);
        rule = &rules.all[*rule->parent];
    }
    if (rule->key) name += ", " + name_of(*entity, *rule->key) + " = " + scope.key;
    return name;
}

}  // namespace skerry::server::scopes
