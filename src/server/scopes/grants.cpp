#include "server/scopes/grants.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "base/hash.hpp"
#include "base/text.hpp"
#include "model/value.hpp"

namespace skerry::server::scopes {

namespace {

using Values = std::vector<std::string>;

// As rows hold it; empty: no row can.
std::optional<std::string> canonical(const model::Entity& entity, const model::Attribute& attribute, std::string text) {
    if (text.size() > kScopeKeyBytesMax) return std::nullopt;
    if (attribute.type == model::Type::kUuid)
        for (char& c : text)
            if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    if (attribute.type != model::Type::kInt && attribute.type != model::Type::kBool) {
        if (!model::check_value(entity, attribute, Value{text})) return std::nullopt;
        return text;
    }
    if (attribute.type == model::Type::kBool && (text == "0" || text == "1")) return text;
    // There may be thousands: an integer as SQLite prints it needs no look at all the ways to write one.
    std::int64_t plain = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), plain);
    if (attribute.type == model::Type::kInt && read.ec == std::errc() && std::to_string(plain) == text) return text;
    const auto value = model::value_from_text(entity, attribute, text);
    if (!value) return std::nullopt;
    const auto* number = std::get_if<std::int64_t>(&*value);
    if (number == nullptr) return std::nullopt;
    return std::to_string(*number);
}

class Asker {
  public:
    Asker(const model::Model& model, storage::Snapshot& view, const Who& who) : model_(model), view_(view), who_(who) {
        parameters_.emplace_back("sub", who.principal.user);
        for (const model::PrincipalValue& value : model.principal) {
            if (value.kind != model::PrincipalKind::kClaim) continue;
            if (const auto claim = who.principal.claims.find(value.name); claim != who.principal.claims.end()) parameters_.emplace_back(value.name, claim->second);
        }
    }

    // What rows of the link's scopes may hold, ascending, each once.
    Result<Values> of(const model::Entity& entity, const model::Link& link) {
        SKERRY_ASSIGN(const Values* raw, said(link.value));
        const model::Attribute& attribute = link.attribute == model::kKeyAttribute ? entity.key : entity.attributes[link.attribute];
        std::set<std::string> values(raw->begin(), raw->end());
        if (!link.many && values.size() > 1)
            return fail(Code::kPrincipalFailed, "'" + link.value + "' gives " + with_commas(values.size()) + " values where one is compared with " +
                                                    entity.name + "." + attribute.name);
        std::set<std::string> held;
        for (const std::string& value : values)
            if (auto one = canonical(entity, attribute, value)) held.insert(std::move(*one));
        return Values(held.begin(), held.end());
    }

  private:
    Result<const Values*> said(const std::string& name) {
        const auto [known, is_new] = said_.try_emplace(name);
        if (is_new) {
            SKERRY_ASSIGN(known->second, ask(name));
        }
        return &known->second;
    }

    Result<Values> ask(const std::string& name) {
        if (name == "sub") return Values{who_.principal.user};
        const auto value = std::find_if(model_.principal.begin(), model_.principal.end(), [&](const auto& v) { return v.name == name; });
        if (value == model_.principal.end()) return fail(Code::kPrincipalFailed, "the model does not say what '" + name + "' is");
        switch (value->kind) {
            case model::PrincipalKind::kQuery: return view_.principal_values(name, value->query, parameters_);
            case model::PrincipalKind::kClaim: {
                const auto claim = who_.principal.claims.find(name);
                return claim == who_.principal.claims.end() ? Values{} : Values{claim->second};
            }
            case model::PrincipalKind::kChosen:
                for (const wire::Chosen& chosen : who_.chosen)
                    if (chosen.name == name) return chosen.values;
                return Values{};
        }
        return Values{};
    }

    const model::Model& model_;
    storage::Snapshot& view_;
    const Who& who_;
    storage::Parameters parameters_;
    std::map<std::string, Values> said_;
};

std::size_t index_of(const model::Model& model, const std::string& profile) {
    for (std::size_t i = 0; i < model.profiles.size(); ++i)
        if (model.profiles[i].name == profile) return i;
    return 0;
}

// By rule, the keys of the scopes that the principal has of it; parents before children, so that a child finds its parent's.
Result<std::map<std::size_t, Values>> keys_of(const model::Model& model, const Rules& rules, const std::string& profile, Asker& asker) {
    const auto& of_entity = rules.of_profile[index_of(model, profile)];
    std::map<std::size_t, EntityIx> wanted;
    for (std::uint32_t i = 0; i < of_entity.size(); ++i)
        if (of_entity[i]) wanted.emplace(*of_entity[i], EntityIx{i});
    std::map<std::size_t, Values> keys;
    std::size_t total = 0;
    for (const auto& [ix, entity] : wanted) {
        const storage::ScopeRule& rule = rules.all[ix];
        Values& of_rule = keys[ix];
        if (rule.key) {
            SKERRY_ASSIGN(of_rule, asker.of(model.entity(entity), *model.in_profile(profile, entity).link));
        } else if (rule.parent) {
            of_rule = keys[*rule.parent];
        } else {
            of_rule = {""};
        }
        total += of_rule.size();
        if (total > kScopesMax)
            return fail(Code::kTooManyScopes, "the profile comes to more than " + with_commas(kScopesMax) + " scopes; " +
                                                  with_commas(of_rule.size()) + " of them are of " + model.entity(entity).name);
    }
    return keys;
}

}  // namespace

Result<std::string> profile_of(const model::Model& model, const access::Principal& principal) {
    const auto claim = principal.claims.find(std::string(access::kProfileClaim));
    const std::string wanted = claim == principal.claims.end() ? std::string() : claim->second;
    if (const model::Profile* profile = model.profile(wanted)) return profile->name;
    if (wanted.empty()) return std::string();
    return fail(Code::kProfileUnknown, "the token names the profile '" + wanted + "', which the model does not have");
}

Result<Grants> grants_of(const model::Model& model, const Rules& rules, storage::Snapshot& view, const Who& who) {
    Grants grants;
    SKERRY_ASSIGN(grants.profile, profile_of(model, who.principal));
    Asker asker(model, view, who);
    SKERRY_ASSIGN(const auto keys, keys_of(model, rules, grants.profile, asker));
    std::vector<storage::ScopeKey> keyed;
    for (const auto& [rule, values] : keys) {
        for (const std::string& key : values) {
            if (!rules.all[rule].whole) {
                keyed.push_back({rule, key});
                continue;
            }
            const EntityIx entity = rules.all[rule].entity;
            grants.scopes.push_back({wire::ScopeId{entity.value + 1}, scope_name(model, rules, {rule, key}), entity, true});
        }
    }
    if (!keyed.empty()) {
        SKERRY_ASSIGN(const auto ids, view.scopes(keyed));
        for (std::size_t i = 0; i < keyed.size(); ++i) {
            if (!ids[i]) {
                grants.without_id.push_back(std::move(keyed[i]));
                continue;
            }
            grants.scopes.push_back({*ids[i], scope_name(model, rules, keyed[i]), rules.all[keyed[i].rule].entity, false});
        }
    }
    if (!grants.without_id.empty()) {
        grants.scopes.clear();
        return grants;
    }
    std::sort(grants.scopes.begin(), grants.scopes.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    Bytes names;
    Writer out(names);
    for (const wire::ScopeInfo& scope : grants.scopes) {
        out.varint(scope.id.value);
        out.varint(scope.entity.value);
        out.u8(scope.whole ? 1 : 0);
    }
    grants.hash = hash64(names);
    return grants;
}

Result<void> keep(storage::Backend& backend, const Grants& grants, Micros now) {
    SKERRY_ASSIGN(const auto txn, backend.begin_write());
    if (grants.without_id.empty()) {
        SKERRY_TRY(txn->put_grant_set(grants.hash, ids_of(grants.scopes), now));
    } else {
        SKERRY_TRY(txn->make_scopes(grants.without_id));
    }
    return txn->commit();
}

std::vector<wire::ScopeId> ids_of(const std::vector<wire::ScopeInfo>& scopes) {
    std::vector<wire::ScopeId> ids;
    ids.reserve(scopes.size());
    for (const wire::ScopeInfo& scope : scopes) ids.push_back(scope.id);
    return ids;
}

}  // namespace skerry::server::scopes
