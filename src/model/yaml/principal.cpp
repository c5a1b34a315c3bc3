#include "model/yaml/principal.hpp"

#include <algorithm>

#include "model/yaml/query.hpp"
#include "model/yaml/words.hpp"

namespace skerry::model::yaml {

namespace {

std::string place_of(const PrincipalValue& value) { return "`principal:`: " + quoted(value.name); }

// Everything but what a query says.
void read_value(Faults& faults, const Node& node, PrincipalValue& value) {
    const std::string place = place_of(value);
    if (node.kind != Kind::kScalar || trimmed(node.text).empty())
        return faults.invalid(node.mark, place + " is `claim`, `chosen`, or a query in one text");
    if (node.text == "claim") return;
    if (node.text == "chosen") {
        value.kind = PrincipalKind::kChosen;
        return;
    }
    if (is_one_word(node.text))
        return faults.wrong_word(node.mark, place + " cannot be " + quoted(node.text), node.text, kPrincipalWords);
    if (node.text.size() > kQueryBytesMax)
        return faults.invalid(node.mark, place + " has a query of " + std::to_string(node.text.size()) +
                                             " bytes; at most " + std::to_string(kQueryBytesMax) + " are allowed");
    value.kind = PrincipalKind::kQuery;
    value.query = node.text;
}

void check_query(Faults& faults, const Node& node, const PrincipalValue& query, const Model& model) {
    const std::string place = place_of(query);
    const QueryScan scan = scan_query(query.query);
    if (!scan.fault.empty()) return faults.invalid(node.mark, place + " " + scan.fault);
    std::vector<std::string_view> known{kUserValue};
    for (const PrincipalValue& value : model.principal)
        if (value.kind == PrincipalKind::kClaim) known.push_back(value.name);
    for (const std::string& name : scan.parameters) {
        if (contains(known, name)) continue;
        const bool declared = std::any_of(model.principal.begin(), model.principal.end(),
                                          [&](const PrincipalValue& value) { return value.name == name; });
        if (declared)
            faults.invalid(node.mark, place + ": a query uses `:sub` and claims only, and " + quoted(name) +
                                          " is neither; write what it stands for into this query");
        else
            faults.wrong_word(node.mark, place + ": `:" + name + "` is no claim of `principal:`", name, known);
    }
}

}  // namespace

void read_principal(Faults& faults, const Node& principal, Model& model) {
    if (principal.kind != Kind::kMap || principal.entries.empty())
        return faults.invalid(
            principal.mark,
            "`principal:` is a map, such as { me: select id from worker where email = :sub, role: claim }");
    if (principal.entries.size() > kPrincipalValuesMax)
        return faults.invalid(principal.mark, std::to_string(principal.entries.size()) +
                                                  " principal values; at most " +
                                                  std::to_string(kPrincipalValuesMax) + " are allowed");
    std::vector<const Node*> nodes;  // of model.principal
    for (const auto& [name, node] : principal.entries) {
        if (name.text == kUserValue) {
            faults.invalid(name.mark, "`principal:`: " + quoted(name.text) +
                                          " is the user's name and need not be declared; leave it out");
            continue;
        }
        PrincipalValue& value = model.principal.emplace_back();
        nodes.push_back(&node);
        value.name = name.text;
        if (faults.name_is_good(name, "principal value")) read_value(faults, node, value);
    }
    // A query may use a claim that is declared behind it.
    for (std::size_t i = 0; i < nodes.size(); ++i)
        if (model.principal[i].kind == PrincipalKind::kQuery) check_query(faults, *nodes[i], model.principal[i], model);
}

}  // namespace skerry::model::yaml
