// Which downloads come first: what this pull asks for first, then by priority, then parents before children.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/model.hpp"
#include "server/scopes/token.hpp"

namespace skerry::server::outflow {

// By entity: the profile's priority, and never less than that of an entity that refers to it.
std::vector<std::uint32_t> priorities_of(const model::Model& model, const std::string& profile);

// By entity: whether it is one of `first`, or one of these refers to it, over any number of associations.
std::vector<bool> with_parents(const model::Model& model, std::span<const EntityIx> first);

// Puts them in order; gives how many of them, from the front, are of `first` and their parents.
std::size_t put_in_order(std::vector<scopes::Download>& downloads, const model::Model& model, const std::string& profile,
                         std::span<const EntityIx> first);

}  // namespace skerry::server::outflow
