#include "model/evolve.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/evolve_profiles.hpp"
#include "model/value.hpp"

namespace skerry::model {

namespace {

std::string_view on_delete_word(OnDelete on_delete) {
    switch (on_delete) {
        case OnDelete::kRestrict:
            return "restrict";
        case OnDelete::kCascade:
            return "cascade";
        case OnDelete::kSetNull:
            return "set_null";
    }
    return "?";
}

std::string_view conflict_word(Conflict conflict) {
    switch (conflict) {
        case Conflict::kMerge:
            return "merge";
        case Conflict::kLast:
            return "last";
        case Conflict::kDetect:
            return "detect";
    }
    return "?";
}

std::string_view update_delete_word(UpdateDelete policy) {
    switch (policy) {
        case UpdateDelete::kDeleteWins:
            return "delete_wins";
        case UpdateDelete::kAsk:
            return "ask";
        case UpdateDelete::kUpdateWins:
            return "update_wins";
    }
    return "?";
}

std::string quote(std::string_view name) {
    return "'" + std::string(name) + "'";
}

std::string type_text(const Model& model, const Attribute& attribute) {
    if (attribute.references) return "an association to " + quote(model.entity(*attribute.references).name);
    std::string out(type_name(attribute.type));
    if (attribute.type == Type::kDecimal)
        out += "(" + std::to_string(attribute.precision) + ", " + std::to_string(attribute.scale) + ")";
    return out;
}

std::string list_text(const Entity& entity, const AttributeList& list) {
    std::string out = "[";
    for (const std::uint32_t attribute : list) {
        if (out.size() > 1) out += ", ";
        out += entity.attributes[attribute].name;
    }
    return out + "]";
}

// Puts `wanted` into the positions of `old`, collecting what cannot be.
class Evolution {
  public:
    Evolution(const Model& old, const Model& wanted) : old_(old), wanted_(wanted) {}

    Result<Model> run() {
        if (old_.app != wanted_.app)
            refuse("the app is called " + quote(wanted_.app) + ", not " + quote(old_.app) +
                   "; a model in place is of the same app");
        place_entities();
        Model next{old_.app, wanted_.version, {}};
        for (const std::size_t at : order_) next.entities.push_back(entity(wanted_.entities[at]));
        if (!refusals_.empty()) {
            std::string message;
            for (const std::string& line : refusals_) message += (message.empty() ? "" : "\n") + line;
            return fail(Code::kModelChange, std::move(message));
        }
        place_profiles(old_, wanted_, next);
        SKERRY_TRY(check_version(next));
        return next;
    }

  private:
    void refuse(std::string line) { refusals_.push_back(std::move(line)); }

    void place_entities() {
        new_position_.assign(wanted_.entities.size(), EntityIx{});
        std::vector<bool> placed(wanted_.entities.size(), false);
        const auto place = [&](std::size_t at) {
            new_position_[at] = EntityIx{static_cast<std::uint32_t>(order_.size())};
            order_.push_back(at);
            placed[at] = true;
        };
        for (const Entity& entity : old_.entities) {
            EntityIx at;
            if (wanted_.find(entity.name, &at) != nullptr)
                place(at.value);
            else
                refuse("entity " + quote(entity.name) +
                       " is no longer there; keep it: its rows are on devices, and a new name is a new entity");
        }
        for (std::size_t at = 0; at < placed.size(); ++at)
            if (!placed[at]) place(at);
    }

    // A reference of `wanted` as it will be numbered.
    Attribute renumbered(Attribute attribute) const {
        if (attribute.references) attribute.references = new_position_[attribute.references->value];
        return attribute;
    }

    Entity entity(const Entity& wanted) {
        Entity next = wanted;
        next.key = renumbered(wanted.key);
        for (Attribute& attribute : next.attributes) attribute = renumbered(std::move(attribute));
        const Entity* old = old_.find(wanted.name);
        if (old == nullptr) return next;
        const bool whole = place_attributes(*old, wanted, next);
        if (old->key.name != wanted.key.name || old->key.type != wanted.key.type)
            refuse("the key of entity " + quote(wanted.name) + " was " + quote(old->key.name) + " of type " +
                   std::string(type_name(old->key.type)) + " and cannot change");
        if (whole) lists_and_checks(*old, next);
        return next;
    }

    // next.attributes in the old order, new ones appended; the lists of next follow. False when one is missing.
    bool place_attributes(const Entity& old, const Entity& wanted, Entity& next) {
        std::vector<std::uint32_t> place(wanted.attributes.size(), UINT32_MAX);
        std::vector<Attribute> attributes;
        bool whole = true;
        for (const Attribute& was : old.attributes) {
            const auto at = wanted.attribute_named(was.name);
            if (!at) {
                refuse("attribute '" + old.name + "." + was.name +
                       "' is no longer there; keep it: devices hold values of it, and a new name is a new attribute");
                whole = false;
                continue;
            }
            place[*at] = static_cast<std::uint32_t>(attributes.size());
            attributes.push_back(changed(old, was, next.attributes[*at]));
        }
        for (std::size_t at = 0; at < place.size(); ++at) {
            if (place[at] != UINT32_MAX) continue;
            const Attribute& added = next.attributes[at];
            if (added.required && !added.default_value)
                refuse("the new attribute '" + old.name + "." + added.name +
                       "' is required and has no default, so the rows that are there could not have it; give it a "
                       "`default:` or leave the `!` out");
            place[at] = static_cast<std::uint32_t>(attributes.size());
            attributes.push_back(added);
        }
        next.attributes = std::move(attributes);
        for (auto* lists : {&next.unique, &next.indexes})
            for (AttributeList& list : *lists)
                for (std::uint32_t& attribute : list) attribute = place[attribute];
        return whole;
    }

    Attribute changed(const Entity& entity, const Attribute& was, Attribute now) {
        const std::string place = "attribute '" + entity.name + "." + was.name + "'";
        // By name: positions mean nothing yet when an entity is missing.
        const auto parent = [](const Model& model, std::size_t at) {
            return std::string_view(model.entities[at].name);
        };
        const std::string_view parent_was = was.references ? parent(old_, was.references->value) : "";
        const std::string_view parent_now = now.references ? parent(wanted_, order_[now.references->value]) : "";
        if (was.type != now.type || was.precision != now.precision || was.scale != now.scale ||
            parent_was != parent_now) {
            refuse(place + " was " + type_text(old_, was) +
                   ", and its type cannot change; keep it and add another attribute");
            return now;
        }
        if (was.required != now.required)
            refuse(place + (was.required ? " was required and cannot become optional; keep the `!`"
                                         : " was optional and cannot become required; leave the `!` out"));
        if (was.default_value != now.default_value)
            refuse(place + ": its default was " + to_text(default_of(was)) + " and cannot change");
        if (was.on_delete != now.on_delete)
            refuse(place + ": `on_delete` was " + std::string(on_delete_word(was.on_delete)) + " and cannot change");
        std::vector<std::string> values = was.values;
        for (const std::string& value : was.values)
            if (std::find(now.values.begin(), now.values.end(), value) == now.values.end())
                refuse(place + " no longer has the value " + quote(value) + "; keep it: rows may hold it");
        for (const std::string& value : now.values)
            if (std::find(was.values.begin(), was.values.end(), value) == was.values.end()) values.push_back(value);
        now.values = std::move(values);
        return now;
    }

    void lists_and_checks(const Entity& old, Entity& next) {
        const auto has = [](const auto& list, const auto& item) {
            return std::find(list.begin(), list.end(), item) != list.end();
        };
        for (const Check& check : old.checks)
            if (!has(next.checks, check))
                refuse("entity " + quote(old.name) + ": the check `" + check.expression +
                       "` is no longer there; checks cannot change");
        for (const Check& check : next.checks)
            if (!has(old.checks, check))
                refuse("entity " + quote(old.name) + ": the check `" + check.expression +
                       "` is new; checks cannot change: rows that are there may break it");
        next.checks = old.checks;

        // The order within a unique says nothing; within an index it is what the index is for.
        const auto sorted = [](AttributeList list) {
            std::sort(list.begin(), list.end());
            return list;
        };
        std::vector<AttributeList> before;
        std::vector<AttributeList> after;
        for (const AttributeList& list : old.unique) before.push_back(sorted(list));
        for (const AttributeList& list : next.unique) after.push_back(sorted(list));
        for (std::size_t i = 0; i < before.size(); ++i)
            if (!has(after, before[i]))
                refuse("entity " + quote(old.name) + ": unique " + list_text(old, old.unique[i]) +
                       " is no longer there; uniques cannot change");
        for (std::size_t i = 0; i < after.size(); ++i)
            if (!has(before, after[i]))
                refuse("entity " + quote(old.name) + ": unique " + list_text(next, next.unique[i]) +
                       " is new; uniques cannot change: rows that are there may break it");
        next.unique = old.unique;

        std::vector<AttributeList> indexes;
        for (const AttributeList& list : old.indexes)
            if (has(next.indexes, list)) indexes.push_back(list);
        for (const AttributeList& list : next.indexes)
            if (!has(indexes, list)) indexes.push_back(list);
        next.indexes = std::move(indexes);
    }

    Result<void> check_version(const Model& next) const {
        if (next.version > old_.version || next == old_) return {};
        if (next.version < old_.version)
            return fail(Code::kModelChange, "version " + std::to_string(next.version) + " is older than version " +
                                                std::to_string(old_.version) + ", which is in use");
        return fail(Code::kModelChange,
                    "the model differs from the one in use, but both are version " + std::to_string(old_.version) +
                        "; write `version: " + std::to_string(std::uint64_t{old_.version} + 1) + "`");
    }

    const Model& old_;
    const Model& wanted_;
    std::vector<std::size_t> order_;      // positions of wanted_, in the new order
    std::vector<EntityIx> new_position_;  // of wanted_'s entities
    std::vector<std::string> refusals_;
};

void entity_differences(const Model& next, const Entity& was, const Entity& now, std::vector<std::string>& out) {
    const std::string place = "entity " + quote(now.name);
    for (std::size_t i = 0; i < now.attributes.size(); ++i) {
        const Attribute& attribute = now.attributes[i];
        const std::string name = "attribute '" + now.name + "." + attribute.name + "'";
        if (i >= was.attributes.size()) {
            out.push_back(
                name + " is new: " + type_text(next, attribute) +
                (attribute.default_value ? ", rows that are there have " + to_text(*attribute.default_value) : ""));
            continue;
        }
        const Attribute& before = was.attributes[i];
        for (std::size_t v = before.values.size(); v < attribute.values.size(); ++v)
            out.push_back(name + " may be " + quote(attribute.values[v]) + " too");
        if (before.merge != attribute.merge)
            out.push_back(name + ": `merge` is " + std::string(merge_name(attribute.merge)) + " instead of " +
                          std::string(merge_name(before.merge)));
    }
    const auto policy = [&](std::string_view word, std::string_view before, std::string_view after) {
        if (before != after)
            out.push_back(place + ": `" + std::string(word) + "` is " + std::string(after) + " instead of " +
                          std::string(before));
    };
    policy("conflict", conflict_word(was.conflict), conflict_word(now.conflict));
    policy("update_delete", update_delete_word(was.update_delete), update_delete_word(now.update_delete));
    policy("create_create", was.create_create == CreateCreate::kMerge ? "merge" : "reject",
           now.create_create == CreateCreate::kMerge ? "merge" : "reject");
    policy("strict", was.strict ? "true" : "false", now.strict ? "true" : "false");
    for (const AttributeList& list : was.indexes)
        if (std::find(now.indexes.begin(), now.indexes.end(), list) == now.indexes.end())
            out.push_back(place + ": the index " + list_text(was, list) + " is dropped");
    for (const AttributeList& list : now.indexes)
        if (std::find(was.indexes.begin(), was.indexes.end(), list) == was.indexes.end())
            out.push_back(place + ": the index " + list_text(now, list) + " is new");
}

}  // namespace

Result<Model> evolve(const Model& old, const Model& wanted) {
    return Evolution(old, wanted).run();
}

std::vector<std::string> differences(const Model& old, const Model& next) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < next.entities.size(); ++i) {
        const Entity& now = next.entities[i];
        if (i < old.entities.size())
            entity_differences(next, old.entities[i], now, out);
        else
            out.push_back("entity " + quote(now.name) + " is new, with " + std::to_string(now.attributes.size()) +
                          " attribute" + (now.attributes.size() == 1 ? "" : "s") + " beside its key");
    }
    profile_differences(old, next, out);
    if (old.version != next.version)
        out.push_back("the version is " + std::to_string(next.version) + " instead of " + std::to_string(old.version));
    return out;
}

}  // namespace skerry::model
