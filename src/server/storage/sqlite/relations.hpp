// References, uniques and on_delete, set-based: one question per entity and constraint, about the rows that were
// written since a place in the queue. What asks them in the triggers of direct SQL is in relations.cpp too.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"

namespace skerry::server::storage {

// An association. ?1 is the place in the queue.
struct RelationSql {
    EntityIx child;
    std::uint32_t attribute = 0;
    EntityIx parent;
    model::OnDelete on_delete = model::OnDelete::kRestrict;
    std::string missing;   // -> key of a row written since, key of the parent that is not there
    std::string orphans;   // -> keys of rows whose parent was deleted since
    std::string set_null;  // for orphans, where on_delete says so
};

struct UniqueSql {
    EntityIx entity;
    std::size_t list = 0;  // index into Entity::unique
    std::string clash;     // -> key of a row written since that equals another
};

struct Relations {
    explicit Relations(const model::Model& model);
    std::vector<RelationSql> associations;
    std::vector<UniqueSql> uniques;
    bool none() const { return associations.empty() && uniques.empty(); }
};

std::string missing_message(const model::Entity& child, const model::Attribute& attribute, const model::Entity& parent);
std::string still_message(const model::Entity& child, const model::Attribute& attribute, const model::Entity& parent);
std::string clash_message(const model::Entity& entity, const model::AttributeList& list);

}  // namespace skerry::server::storage
