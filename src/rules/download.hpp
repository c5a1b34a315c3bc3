// The rule of a download: which rows of an entity a device holds. It is a condition of rules.hpp, joined by `and`
// with at most one link to the user:
//
//   status <> 'closed' and assignee_id = :me          attribute = :name, :name = attribute
//   assignee_id in :reports                           :name may give several values
//
// The link becomes the key of a scope, so that what one user holds is found without asking the rule of every row;
// the rest filters rows, the same for everybody.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/model.hpp"

namespace skerry::rules {

struct DownloadRule {
    std::optional<model::Link> link{};
    std::size_t value_at = 0;  // the byte where the link's :name begins
    std::string where{};       // the rest, which parse() accepts; empty: none
};

// expression_invalid with the byte where it fails; not_supported, with what to write instead, for what links the
// row with the user in any other way. Whether there is a value of that name is not known here.
Result<DownloadRule> parse_download(std::string_view text, const model::Entity& entity);

}  // namespace skerry::rules
