// What is asked of a transaction as a whole at its end: children of deleted rows, references, uniques.
#include "kit/oracle/judging.hpp"

namespace skerry::kit {

void Judging::children() {
    std::vector<RowId> wave(removed_.begin(), removed_.end());
    while (!wave.empty()) {
        std::vector<RowId> next;
        for (const RowId& parent : wave) {
            if (state_.rows.contains(parent)) continue;
            for (std::uint32_t e = 0; e < model_.entities.size(); ++e) {
                const auto& attributes = model_.entities[e].attributes;
                for (std::uint32_t i = 0; i < attributes.size(); ++i) {
                    if (attributes[i].references != std::optional(parent.entity) || attributes[i].on_delete == model::OnDelete::kRestrict) continue;
                    std::vector<RowId> found;
                    for (const auto& [row, values] : state_.rows)
                        if (row.entity.value == e && values[i] == Value{parent.key}) found.push_back(row);
                    for (const RowId& child : found) {
                        if (attributes[i].on_delete == model::OnDelete::kCascade) {
                            meet("cascade on the server");
                            remove(child);
                            next.push_back(child);
                        } else {
                            meet("set null on the server");
                            model::Row values = state_.rows.at(child);
                            values[i] = Null{};
                            write(child, std::move(values));
                        }
                    }
                }
            }
        }
        wave = std::move(next);
    }
    for (const RowId& parent : removed_) {
        if (state_.rows.contains(parent)) continue;
        for (const auto& [row, values] : state_.rows)
            for (std::uint32_t i = 0; i < values.size(); ++i)
                if (entity(row).attributes[i].references == std::optional(parent.entity) && values[i] == Value{parent.key})
                    reject(Code::kStillReferenced, label_, "'" + parent.key + "' is referred to by '" + row.key + "'");
    }
}

void Judging::references() {
    for (const RowId& row : touched_) {
        const auto found = state_.rows.find(row);
        if (found == state_.rows.end()) continue;
        for (std::uint32_t i = 0; i < found->second.size(); ++i) {
            const auto& to = entity(row).attributes[i].references;
            if (!to || is_null(found->second[i])) continue;
            const std::string& key = std::get<std::string>(found->second[i]);
            if (!state_.rows.contains({*to, key})) reject(Code::kReferenceMissing, label_, "refers to '" + key + "'");
        }
    }
}

void Judging::uniques() {
    for (const RowId& row : touched_) {
        const auto mine = state_.rows.find(row);
        if (mine == state_.rows.end()) continue;
        for (const model::AttributeList& list : entity(row).unique) {
            const auto same = [&](const model::Row& other) {
                for (const std::uint32_t i : list)
                    if (is_null(mine->second[i]) || mine->second[i] != other[i]) return false;
                return true;
            };
            for (const auto& [other, values] : state_.rows)
                if (other.entity == row.entity && other != row && same(values)) reject(Code::kNotUnique, label_, "'" + row.key + "' is like '" + other.key + "'");
        }
    }
}

}  // namespace skerry::kit
