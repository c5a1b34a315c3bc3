#include "kit/oracle/facts.hpp"

#include "base/assert.hpp"

namespace skerry::kit {

std::string_view judgement_name(Judgement judgement) {
    switch (judgement) {
        case Judgement::kApplied: return "applied";
        case Judgement::kMerged: return "merged";
        case Judgement::kConflict: return "conflict";
        case Judgement::kRejected: return "rejected";
    }
    return "?";
}

bool agrees(const Prediction& predicted, const Observed& observed) {
    if (predicted.merged_or_applied && predicted.judgement <= Judgement::kMerged) return observed.judgement <= Judgement::kMerged;
    return observed.judgement == predicted.judgement && (observed.judgement < Judgement::kConflict || predicted.codes.contains(observed.code));
}

std::vector<Touched> difference(const Images& before, const Images& after) {
    std::vector<Touched> out;
    for (const auto& [row, image] : before) {
        const auto now = after.find(row);
        if (now == after.end()) {
            out.push_back({row, image, std::nullopt});
        } else if (now->second != image) {
            out.push_back({row, image, now->second});
        }
    }
    for (const auto& [row, image] : after)
        if (!before.contains(row)) out.push_back({row, std::nullopt, image});
    return out;
}

Images canonical(Images images, const model::Model& model) {
    for (auto& [row, values] : images) {
        const model::Entity& entity = model.entity(row.entity);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const model::Attribute& attribute = entity.attributes[i];
            if (attribute.type != model::Type::kJson && attribute.type != model::Type::kSet) continue;
            if (auto value = model::canonical(entity, attribute, values[i])) values[i] = std::move(*value);
        }
    }
    return images;
}

Images without_records(Images images, const model::Model& model) {
    std::erase_if(images, [&](const auto& row) { return model.entity(row.first.entity).builtin(); });
    return images;
}

std::optional<bool> holds(const model::Entity& entity, const model::Row& row, const std::string& expression) {
    const std::size_t first = expression.find(' ');
    const std::size_t second = expression.find(' ', first + 1);
    SKERRY_ASSERT(first != std::string::npos && second != std::string::npos);
    const auto attribute = entity.attribute_named(expression.substr(0, first));
    SKERRY_ASSERT(attribute.has_value());
    const std::string with = expression.substr(first + 1, second - first - 1);
    const std::string literal = expression.substr(second + 1);
    const Value& value = row[*attribute];
    if (is_null(value)) return std::nullopt;
    int order = 0;
    if (const auto* n = std::get_if<std::int64_t>(&value)) {
        const std::int64_t other = std::strtoll(literal.c_str(), nullptr, 10);
        order = *n < other ? -1 : *n > other ? 1 : 0;
    } else {
        order = std::get<std::string>(value).compare(literal.substr(1, literal.size() - 2));
    }
    if (with == "=") return order == 0;
    if (with == "<>") return order != 0;
    if (with == "<") return order < 0;
    if (with == "<=") return order <= 0;
    if (with == ">") return order > 0;
    SKERRY_ASSERT(with == ">=");
    return order >= 0;
}

}  // namespace skerry::kit
