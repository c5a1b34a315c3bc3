#include "server/outflow/order.hpp"

#include <algorithm>

namespace skerry::server::outflow {

namespace {

// Calls `pass(child, parent)` for every association until nothing moves any more.
template <class Pass>
void spread(const model::Model& model, const Pass& pass) {
    for (bool moved = true; moved;) {
        moved = false;
        for (std::uint32_t child = 0; child < model.entities.size(); ++child)
            for (const model::Attribute& attribute : model.entities[child].attributes)
                if (attribute.references) moved = pass(child, attribute.references->value) || moved;
    }
}

}  // namespace

std::vector<std::uint32_t> priorities_of(const model::Model& model, const std::string& profile) {
    std::vector<std::uint32_t> priorities;
    for (std::uint32_t i = 0; i < model.entities.size(); ++i) priorities.push_back(model.in_profile(profile, EntityIx{i}).priority);
    spread(model, [&](std::uint32_t child, std::uint32_t parent) {
        if (priorities[parent] >= priorities[child]) return false;
        priorities[parent] = priorities[child];
        return true;
    });
    return priorities;
}

std::vector<bool> with_parents(const model::Model& model, std::span<const EntityIx> first) {
    std::vector<bool> named(model.entities.size());
    for (const EntityIx entity : first) named[entity.value] = true;
    spread(model, [&](std::uint32_t child, std::uint32_t parent) {
        if (!named[child] || named[parent]) return false;
        named[parent] = true;
        return true;
    });
    return named;
}

std::size_t put_in_order(std::vector<scopes::Download>& downloads, const model::Model& model, const std::string& profile,
                         std::span<const EntityIx> first) {
    if (downloads.empty()) return 0;
    const std::vector<std::uint32_t> priorities = priorities_of(model, profile);
    const std::vector<bool> named = with_parents(model, first);
    std::sort(downloads.begin(), downloads.end(), [&](const scopes::Download& a, const scopes::Download& b) {
        if (named[a.entity.value] != named[b.entity.value]) return static_cast<bool>(named[a.entity.value]);
        if (priorities[a.entity.value] != priorities[b.entity.value]) return priorities[a.entity.value] > priorities[b.entity.value];
        return std::tie(a.entity, a.scopes) < std::tie(b.entity, b.scopes);
    });
    return static_cast<std::size_t>(std::count_if(downloads.begin(), downloads.end(), [&](const auto& d) { return named[d.entity.value]; }));
}

}  // namespace skerry::server::outflow
