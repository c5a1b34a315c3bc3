// What a model must be, whoever made it: the YAML reader, which finds most of this earlier and with its place in the
// file, or bytes from another machine.
#include <functional>
#include <set>

#include "base/text.hpp"
#include "model/check_profiles.hpp"
#include "model/model.hpp"
#include "model/value.hpp"

namespace skerry::model {

namespace {

tl::unexpected<Error> invalid(std::string message) { return fail(Code::kModelInvalid, std::move(message)); }

tl::unexpected<Error> bad_name(std::string_view what, std::string_view name) {
    return invalid("the " + std::string(what) + " name '" + std::string(name) +
                   "' is not allowed: use lower-case letters, digits and underscores, at most " + std::to_string(kNameLengthMax) +
                   " of them, beginning with a letter, and not with 'skerry' or 'sqlite'");
}

Result<void> check_attribute(const Model& model, const Entity& entity, const Attribute& attribute) {
    const std::string place = "attribute '" + entity.name + "." + attribute.name + "'";
    if (attribute.type == Type::kEnum) {
        if (attribute.values.empty() || attribute.values.size() > kEnumValuesMax)
            return invalid(place + ": an enum has 1 to " + std::to_string(kEnumValuesMax) + " values");
        std::set<std::string_view> seen;
        for (const std::string& value : attribute.values) {
            if (value.empty() || value.size() > kNameLengthMax * 4 || !seen.insert(value).second)
                return invalid(place + ": the enum value '" + value + "' is empty, too long or there twice");
        }
    }
    if (attribute.type == Type::kDecimal &&
        (attribute.precision < 1 || attribute.precision > kPrecisionMax || attribute.scale > attribute.precision))
        return invalid(place + ": decimal(precision, scale) has a precision from 1 to " + std::to_string(kPrecisionMax) +
                       " and a scale up to it");
    if (const std::string_view needs = merge_needs(attribute.merge, attribute.type); !needs.empty())
        return invalid(place + ": `merge: " + std::string(merge_name(attribute.merge)) + "` is for " + std::string(needs));
    if (attribute.default_value) {
        if (auto good = check_value(entity, attribute, *attribute.default_value); !good)
            return invalid(place + ": its default is not allowed: " + good.error().message);
    }
    if (!attribute.references) return {};
    if (!model.has(*attribute.references) || model.entity(*attribute.references).builtin())
        return invalid(place + " refers to an entity that is not there");
    if (model.entity(*attribute.references).key.type != attribute.type)
        return invalid(place + " has another type than the key that it refers to");
    if (attribute.on_delete == OnDelete::kSetNull && attribute.required)
        return invalid(place + " is required and cannot be `set null` when its parent is deleted");
    return {};
}

Result<void> check_lists(const Entity& entity, const std::vector<AttributeList>& lists, std::string_view what) {
    if (lists.size() > kListsMax)
        return invalid("entity '" + entity.name + "' has more than " + std::to_string(kListsMax) + " " + std::string(what));
    for (const AttributeList& list : lists) {
        std::set<std::uint32_t> seen;
        if (list.empty() || list.size() > kListLengthMax)
            return invalid("entity '" + entity.name + "': " + std::string(what) + " have 1 to " + std::to_string(kListLengthMax) + " attributes");
        for (const std::uint32_t attribute : list)
            if (attribute >= entity.attributes.size() || !seen.insert(attribute).second)
                return invalid("entity '" + entity.name + "': " + std::string(what) + " name an attribute that is not there, or one twice");
    }
    return {};
}

Result<void> check_entity(const Model& model, const Entity& entity) {
    if (entity.key.type != Type::kUuid && entity.key.type != Type::kText)
        return fail(Code::kNotSupported, "entity '" + entity.name + "': a key of type " + std::string(type_name(entity.key.type)) +
                                             " is not supported; use a uuid or a text key");
    if (entity.key.references) return fail(Code::kNotSupported, "entity '" + entity.name + "': a key that is an association is not supported");
    if (entity.attributes.size() > kAttributesMax)
        return invalid("entity '" + entity.name + "' has more than " + std::to_string(kAttributesMax) + " attributes");
    std::set<std::string_view> attributes;
    if (!is_valid_name(entity.key.name)) return bad_name("attribute", entity.key.name);
    attributes.insert(entity.key.name);
    for (const Attribute& attribute : entity.attributes) {
        if (!is_valid_name(attribute.name)) return bad_name("attribute", attribute.name);
        if (!attributes.insert(attribute.name).second)
            return invalid("entity '" + entity.name + "' has two attributes named '" + attribute.name + "'");
        SKERRY_TRY(check_attribute(model, entity, attribute));
        if (entity.conflict != Conflict::kMerge && attribute.merge != Merge::kLast)
            return invalid("attribute '" + entity.name + "." + attribute.name + "': `merge:` has no effect beside `conflict: " +
                           (entity.conflict == Conflict::kLast ? "last" : "detect") + "` of the entity; leave one of them out");
    }
    if (entity.checks.size() > kChecksMax)
        return invalid("entity '" + entity.name + "' has more than " + std::to_string(kChecksMax) + " checks");
    for (const Check& one : entity.checks)
        if (one.expression.empty() || one.expression.size() > kExpressionBytesMax)
            return invalid("entity '" + entity.name + "': a check is empty or longer than " + std::to_string(kExpressionBytesMax) + " bytes");
        else if (!is_clean_text(one.expression))
            return invalid("entity '" + entity.name + "': a check is not UTF-8 text");
    SKERRY_TRY(check_lists(entity, entity.unique, "uniques"));
    return check_lists(entity, entity.indexes, "indexes");
}

// Triggers of SQLite do not enter themselves again in a program that left recursive_triggers off, so a cascade that
// comes back to its own entity by way of another would stop half way there. One entity that refers to itself is fine.
Result<void> check_cascades(const Model& model) {
    const std::size_t n = model.entities.size();
    std::vector<int> state(n, 0);  // 1: on the path, 2: done
    std::function<bool(std::size_t)> ring = [&](std::size_t child) {
        state[child] = 1;
        for (const Attribute& attribute : model.entities[child].attributes) {
            if (!attribute.references || attribute.on_delete != OnDelete::kCascade) continue;
            const std::size_t parent = attribute.references->value;
            if (parent == child) continue;
            if (state[parent] == 1 || (state[parent] == 0 && ring(parent))) return true;
        }
        state[child] = 2;
        return false;
    };
    for (std::size_t i = 0; i < n; ++i)
        if (state[i] == 0 && ring(i))
            return fail(Code::kNotSupported, "`on_delete: cascade` goes round in a ring through entity '" + model.entities[i].name +
                                                 "', which is not supported; use `set null` at one place of it");
    return {};
}

}  // namespace

std::string_view merge_needs(Merge merge, Type type) {
    const bool number = type == Type::kInt || type == Type::kDecimal;
    switch (merge) {
        case Merge::kLast:
        case Merge::kFirst:
        case Merge::kAsk: return "";
        case Merge::kMax:
        case Merge::kMin:
            return number || type == Type::kReal || type == Type::kDate || type == Type::kTimestamp ? "" : "int, real, decimal, date and timestamp";
        case Merge::kCounter: return number ? "" : "int and decimal";
        case Merge::kSet: return type == Type::kSet ? "" : "set";
        case Merge::kText: return type == Type::kText ? "" : "text";
    }
    return "nothing";
}

Result<void> check(const Model& model) {
    if (!is_valid_name(model.app)) return bad_name("app", model.app);
    if (model.version == 0) return invalid("version must be 1 or more");
    if (model.entities.empty()) return invalid("the model has no entities");
    if (model.entities.size() > kEntitiesMax + 1)
        return invalid("a model can have at most " + std::to_string(kEntitiesMax) + " entities");
    std::set<std::string_view> names;
    for (const Entity& entity : model.entities) {
        if (!names.insert(entity.name).second) return invalid("two entities are named '" + entity.name + "'");
        if (entity.builtin()) {
            if (entity != conflict_entity()) return invalid("the entity of conflict records is not the one that this program knows");
            continue;
        }
        if (!is_valid_name(entity.name)) return bad_name("entity", entity.name);
        SKERRY_TRY(check_entity(model, entity));
    }
    SKERRY_TRY(check_cascades(model));
    return check_profiles(model);
}

}  // namespace skerry::model
