#include "kit/oracle/causality.hpp"

#include <algorithm>

namespace skerry::kit {

Causality::Causality(const model::Model& model) {
    static_cast<void>(model.find("total", &groups_));
    static_cast<void>(model.find("tick", &ticks_));
}

void Causality::committed(Label label, const Images& before, const std::vector<Touched>& written) {
    Cause cause;
    bool known = false;
    for (const Touched& row : written) {
        if (row.row.entity != groups_) continue;
        if (!row.after) {
            deleted_.insert(row.row.key);
            continue;
        }
        if (row.before) continue;
        if (!known) {
            for (const auto& [at, values] : before) {
                if (at.entity == groups_) cause.groups.insert(at.key);
                if (const auto* v = at.entity == ticks_ ? std::get_if<std::int64_t>(&values.front()) : nullptr) cause.ticks.emplace(at.key, *v);
            }
            known = true;
        }
        makers_[row.row.key].insert(label);
        causes_.insert_or_assign(row.row.key, cause);
    }
}

Causality::Look Causality::look(const Seen& before, const Seen& now, const std::function<bool(Label)>& stayed_out) const {
    Look out;
    for (const std::string& group : now.groups) {
        if (before.groups.contains(group)) continue;
        const auto cause = causes_.find(group);
        // Of one that was written twice, a draft that was sent again, it cannot be told which of them is seen.
        if (cause == causes_.end() || makers_.at(group).size() != 1) continue;
        if (!cause->second.groups.empty() || !cause->second.ticks.empty()) ++out.compared;
        for (const std::string& earlier : cause->second.groups) {
            if (now.groups.contains(earlier) || deleted_.contains(earlier)) continue;
            const auto makers = makers_.find(earlier);
            if (makers == makers_.end() || std::any_of(makers->second.begin(), makers->second.end(), stayed_out)) continue;
            out.missing = "sees " + group + " and not " + earlier + ", which its author had seen";
            return out;
        }
        for (const auto& [row, value] : cause->second.ticks) {
            const auto tick = now.ticks.find(row);
            if (tick != now.ticks.end() && tick->second >= value) continue;
            out.missing = "sees " + group + " and tick '" + row + "' at " + (tick == now.ticks.end() ? "nothing" : std::to_string(tick->second)) + ", where its author had seen " + std::to_string(value);
            return out;
        }
    }
    return out;
}

}  // namespace skerry::kit
