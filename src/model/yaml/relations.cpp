// What entities say of each other and of their attributes: associations, on_delete, lists, checks, reference order.
#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "model/yaml/entities.hpp"
#include "model/yaml/expressions.hpp"
#include "model/yaml/words.hpp"
#include "rules/rules.hpp"

namespace skerry::model::yaml {

// The type of an association is that of the other entity's key.
void EntityReader::resolve_associations() {
    std::map<std::string_view, std::uint32_t> positions;
    for (std::size_t i = 0; i < raw_.size(); ++i) positions.emplace(raw_[i].entity.name, static_cast<std::uint32_t>(i));
    for (Raw& raw : raw_) {
        for (RawAttribute& attribute : raw.attributes) {
            if (attribute.parent.empty()) continue;
            const std::uint32_t position = positions.at(attribute.parent);
            const auto key = std::find_if(raw_[position].attributes.begin(), raw_[position].attributes.end(),
                                          [](const RawAttribute& candidate) { return candidate.is_key; });
            attribute.attribute.references = EntityIx{position};
            if (key == raw_[position].attributes.end() || !key->sound)
                raw.sound = attribute.sound = false;  // the key has its own fault
            else
                attribute.attribute.type = key->attribute.type;
        }
    }
}

void EntityReader::finish(Raw& raw, AttributeReader& reader) {
    for (RawAttribute& attribute : raw.attributes) {
        reader.finish(raw.entity, attribute);
        raw.sound = raw.sound && attribute.sound;
        if (attribute.is_key)
            raw.entity.key = attribute.attribute;
        else
            raw.entity.attributes.push_back(attribute.attribute);
    }
    // What follows counts and names attributes; with one of them unreadable it would only repeat that.
    if (!raw.sound) return;
    no_merge_beside_conflict(raw);
    if (raw.on_delete != nullptr) read_on_delete(raw);
    if (raw.unique != nullptr) read_lists(raw, *raw.unique, "unique", raw.entity.unique);
    if (raw.indexes != nullptr) read_lists(raw, *raw.indexes, "indexes", raw.entity.indexes);
    read_checks(raw);
}

void EntityReader::no_merge_beside_conflict(const Raw& raw) {
    if (raw.entity.conflict == Conflict::kMerge) return;
    for (const RawAttribute& attribute : raw.attributes)
        if (attribute.merge != nullptr && !attribute.is_key && attribute.attribute.merge != Merge::kLast)
            faults_.invalid(attribute.merge->mark,
                            "attribute " + attribute.place + ": `merge:` has no effect beside `conflict: " +
                                std::string(kConflicts[static_cast<std::size_t>(raw.entity.conflict) - 1]) +
                                "` of the entity, which is about whole rows; leave one of them out");
}

void EntityReader::read_on_delete(Raw& raw) {
    const std::string where = "`on_delete:` of entity " + quoted(raw.entity.name);
    if (raw.on_delete->kind != Kind::kMap)
        return faults_.invalid(raw.on_delete->mark,
                               where + " is a map by attribute, such as { household_id: cascade }");
    std::vector<std::string_view> associations;
    for (const RawAttribute& attribute : raw.attributes)
        if (attribute.attribute.references) associations.push_back(attribute.attribute.name);
    for (const auto& [name, value] : raw.on_delete->entries) {
        const auto index = raw.entity.attribute_named(name.text);
        if (!index || !raw.entity.attributes[*index].references) {
            std::string what = where + " names " + quoted(name.text) + ", which is no association of it";
            if (associations.empty())
                faults_.invalid(name.mark, what + "; an association is an attribute whose type is an entity's name");
            else
                faults_.wrong_word(name.mark, std::move(what), name.text, associations);
            continue;
        }
        Attribute& attribute = raw.entity.attributes[*index];
        std::string word = value.text;
        std::replace(word.begin(), word.end(), ' ', '_');
        const auto at = std::find(std::begin(kOnDeletes), std::end(kOnDeletes), word);
        if (value.kind != Kind::kScalar || at == std::end(kOnDeletes)) {
            faults_.wrong_word(value.mark, where + ": " + quoted(name.text) + " cannot be " + quoted(value.text),
                               value.text, kOnDeletes);
            continue;
        }
        attribute.on_delete = static_cast<OnDelete>(at - std::begin(kOnDeletes) + 1);
        if (attribute.on_delete == OnDelete::kSetNull && attribute.required)
            faults_.invalid(
                value.mark,
                where + ": " + quoted(name.text) +
                    " is required, so it cannot become NULL; use restrict or cascade, or leave the `!` out");
        if (attribute.on_delete == OnDelete::kCascade) raw.cascades.emplace_back(*index, &value);
    }
}

void EntityReader::read_lists(Raw& raw, const Node& lists, std::string_view what, std::vector<AttributeList>& out) {
    const std::string where = "`" + std::string(what) + ":` of entity " + quoted(raw.entity.name);
    const bool nested =
        lists.kind == Kind::kList && !lists.items.empty() &&
        std::all_of(lists.items.begin(), lists.items.end(), [](const Node& item) { return item.kind == Kind::kList; });
    if (!nested)
        return faults_.invalid(
            lists.mark, where + " is a list of lists: [[a, b]] is one of two attributes, [[a], [b]] are two of one");
    if (lists.items.size() > kListsMax)
        return faults_.invalid(lists.mark, where + " has " + std::to_string(lists.items.size()) + " lists; at most " +
                                               std::to_string(kListsMax) + " are allowed");
    for (const Node& list : lists.items) read_list(raw, list, what, out);
}

void EntityReader::read_list(Raw& raw, const Node& node, std::string_view what, std::vector<AttributeList>& out) {
    const std::string where = "`" + std::string(what) + ":` of entity " + quoted(raw.entity.name);
    if (node.items.empty() || node.items.size() > kListLengthMax)
        return faults_.invalid(node.mark,
                               where + ": a list has 1 to " + std::to_string(kListLengthMax) + " attributes");
    AttributeList list;
    for (const Node& item : node.items) {
        const std::string_view name = item.text;
        if (name == raw.entity.key.name)
            return faults_.invalid(item.mark,
                                   where + " names the key, which is unique and has its index already; leave it out");
        const auto index = raw.entity.attribute_named(name);
        if (!index) {
            std::vector<std::string_view> names;
            for (const Attribute& attribute : raw.entity.attributes) names.push_back(attribute.name);
            return faults_.wrong_word(item.mark, where + " names " + quoted(name) + ", which is no attribute of it",
                                      name, names);
        }
        if (std::find(list.begin(), list.end(), *index) != list.end())
            return faults_.invalid(item.mark, where + " names " + quoted(name) + " twice in one list; leave one out");
        list.push_back(*index);
    }
    if (std::find(out.begin(), out.end(), list) != out.end())
        return faults_.invalid(node.mark, where + " has the same list twice; leave one out");
    out.push_back(std::move(list));
}

void EntityReader::read_checks(Raw& raw) {
    const auto too_many = [&](Mark mark) {
        faults_.invalid(
            mark, "entity " + quoted(raw.entity.name) + " has more than " + std::to_string(kChecksMax) + " checks");
    };
    for (const RawAttribute& attribute : raw.attributes) {
        if (attribute.check == nullptr) continue;
        if (raw.entity.checks.size() >= kChecksMax) return too_many(attribute.check->mark);
        read_check(raw, *attribute.check, attribute.attribute.name);
    }
    if (raw.checks == nullptr) return;
    if (raw.checks->kind != Kind::kList)
        return faults_.invalid(raw.checks->mark, "`checks:` of entity " + quoted(raw.entity.name) +
                                                     " is a list of expressions, such as [\"starts <= ends\"]");
    for (const Node& node : raw.checks->items) {
        if (raw.entity.checks.size() >= kChecksMax) return too_many(node.mark);
        read_check(raw, node, "");
    }
}

void EntityReader::read_check(Raw& raw, const Node& node, std::string_view attribute) {
    const std::string place = attribute.empty()
                                  ? "a check of entity " + quoted(raw.entity.name)
                                  : "`check:` of attribute " + quoted(raw.entity.name + "." + std::string(attribute));
    if (node.kind != Kind::kScalar || node.text.empty())
        return faults_.invalid(node.mark, place + " is an expression in quotes, such as \"members >= 0\"");
    if (auto expression = rules::parse(node.text, raw.entity); !expression)
        return expression_fault(faults_, place, node.mark, expression.error(), raw.entity, "a check sees the values of its own row");
    Check check{node.text, std::string(attribute)};
    if (std::find(raw.entity.checks.begin(), raw.entity.checks.end(), check) != raw.entity.checks.end())
        return faults_.invalid(node.mark, place + " is there twice; leave one out");
    raw.entity.checks.push_back(std::move(check));
}

// See check_cascades() in check.cpp for why; here the fault gets its place.
void EntityReader::find_cascade_ring() {
    std::vector<int> state(raw_.size(), 0);  // 1: on the path, 2: done
    std::function<void(std::size_t)> visit = [&](std::size_t child) {
        state[child] = 1;
        for (const auto& [index, node] : raw_[child].cascades) {
            const std::size_t parent = raw_[child].entity.attributes[index].references->value;
            if (parent == child) continue;
            if (state[parent] == 1)
                faults_.not_yet(node->mark,
                                "`on_delete: cascade` goes round in a ring from entity " +
                                    quoted(raw_[child].entity.name) + " back to " + quoted(raw_[parent].entity.name) +
                                    ", which is not supported; use set_null or restrict at one place of the ring");
            else if (state[parent] == 0)
                visit(parent);
        }
        state[child] = 2;
    };
    for (std::size_t i = 0; i < raw_.size(); ++i)
        if (state[i] == 0) visit(i);
}

std::vector<Entity> EntityReader::in_reference_order() {
    const std::size_t n = raw_.size();
    std::vector<bool> placed(n, false);
    std::vector<std::set<std::size_t>> all_parents(n);
    for (std::size_t child = 0; child < n; ++child)
        for (const Attribute& attribute : raw_[child].entity.attributes)
            if (attribute.references && attribute.references->value != child)
                all_parents[child].insert(attribute.references->value);
    const auto parents = [&](std::size_t child) {
        std::vector<std::size_t> out;
        for (const std::size_t parent : all_parents[child])
            if (!placed[parent]) out.push_back(parent);
        return out;
    };
    // Whether `from` comes back to itself over entities that are not placed.
    const auto in_ring = [&](std::size_t from) {
        std::vector<bool> seen(n, false);
        std::vector<std::size_t> open = parents(from);
        while (!open.empty()) {
            const std::size_t at = open.back();
            open.pop_back();
            if (at == from) return true;
            if (seen[at]) continue;
            seen[at] = true;
            for (const std::size_t parent : parents(at)) open.push_back(parent);
        }
        return false;
    };
    std::vector<EntityIx> position(n);
    std::vector<std::size_t> order;
    while (order.size() < n) {
        std::size_t next = n;
        for (std::size_t i = 0; i < n && next == n; ++i)
            if (!placed[i] && parents(i).empty()) next = i;
        for (std::size_t i = 0; i < n && next == n; ++i)
            if (!placed[i] && in_ring(i)) next = i;
        placed[next] = true;
        position[next] = EntityIx{static_cast<std::uint32_t>(order.size())};
        order.push_back(next);
    }
    std::vector<Entity> out;
    for (const std::size_t at : order) {
        Entity& entity = out.emplace_back(std::move(raw_[at].entity));
        for (Attribute& attribute : entity.attributes)
            if (attribute.references) attribute.references = position[attribute.references->value];
    }
    return out;
}

}  // namespace skerry::model::yaml
