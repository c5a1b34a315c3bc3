#include "simulation/model_report.hpp"

#include <algorithm>

#include "cli/print.hpp"

namespace skerry::sim {

namespace {

using cli::grouped;
using cli::json_text;

// Of hints: what happened once or twice is shown by its example and needs no advice.
constexpr std::uint64_t kHintsFrom = 3;

std::uint64_t at(const auto& map, const auto& key) {
    const auto found = map.find(key);
    if constexpr (requires { found->second.n; }) {
        return found == map.end() ? 0 : found->second.n;
    } else {
        return found == map.end() ? 0 : found->second;
    }
}

std::string times(std::uint64_t n) { return n == 1 ? "once" : n == 2 ? "twice" : grouped(n) + " times"; }
std::string of_many(std::uint64_t n, const char* one, const char* many) { return grouped(n) + " " + (n == 1 ? one : many); }

std::string policy(const model::Entity& entity, const model::Attribute& attribute) {
    if (entity.conflict == model::Conflict::kLast) return "conflict: last";
    if (entity.conflict == model::Conflict::kDetect) return "conflict: detect";
    return std::string(model::merge_name(attribute.merge));
}

std::string said(Fate fate, std::uint64_t n, const std::string& by) {
    const std::string many = grouped(n);
    switch (fate) {
        case Fate::kSame: return many + " the same value";
        case Fate::kMerged: return many + " merged";
        case Fate::kReplaced: return many + " stayed, the other's value is lost (" + by + "; the history keeps it)";
        case Fate::kGaveWay: return many + " lost, the other's value stayed (" + by + "; the history keeps it)";
        case Fate::kAsked: return many + (n == 1 ? " waits" : " wait") + " in a conflict record for a person";
        case Fate::kTransaction: return many + " rejected with the transaction, kept as a draft";
    }
    return many;
}

std::string said(Happening happening, std::uint64_t n) {
    const std::string many = grouped(n);
    switch (happening) {
        case Happening::kChangedAfterDeletion: return many + " changed after somebody had deleted the row: a conflict record keeps the change";
        case Happening::kCameBack: return many + " changed after somebody had deleted the row: it came back (update_wins)";
        case Happening::kDeletedWithChanges: return many + " deleted with changes that the deleter had not seen: the last version is in the history (delete_wins)";
        case Happening::kDeletionGaveWay: return many + (n == 1 ? " deletion" : " deletions") + " of a row that somebody had changed did nothing (update_wins)";
        case Happening::kDeletionAsked: return many + (n == 1 ? " deletion" : " deletions") + " of a row that somebody had changed: a conflict record waits";
        case Happening::kCreatedTwice: return many + " made by two people: merged into one row";
        case Happening::kRowAsked: return many + " put to a person as a whole: a conflict record on the row waits";
    }
    return many;
}

// The first; the JSON has more.
std::string example(const Counted& counted) { return counted.examples.empty() ? "" : "      " + cli::visible(counted.examples.front()) + "\n"; }

std::uint64_t drafts(const Findings& findings) { return at(findings.verdicts, kit::Judgement::kRejected); }

std::string held(const ModelRun& run, const Findings& f) {
    std::string out;
    if (run.violations.empty() && f.transactions == 0) return "No transaction reached the server: nothing was shown.\n";
    if (run.violations.empty())
        out += "All held. In every world all devices ended with the server's rows, and none of the " + of_many(f.transactions, "transaction", "transactions") +
               " that an app had committed was lost:\n";
    for (const Violation& one : run.violations)
        out += "VIOLATED in the world of seed " + std::to_string(one.seed) + ": " + one.invariant + "\n  " + cli::visible(one.what) + "\n  replay: " + cli::visible(one.replay) +
               "\n  This is a fault of Skerry or of its simulator, not of your model: please report it with the model and the line above.\n";
    out += "  " + grouped(at(f.verdicts, kit::Judgement::kApplied)) + " applied, " + grouped(at(f.verdicts, kit::Judgement::kMerged)) + " merged, " +
           grouped(at(f.verdicts, kit::Judgement::kConflict)) + " in conflict (a conflict record waits for a person), " + grouped(drafts(f)) + " rejected (a draft keeps each)\n";
    return out;
}

std::string attributes_text(const ModelRun& run, const Findings& f) {
    std::string out = "\nWhen two people changed the same\n";
    bool any = false;
    for (const auto& [place, of] : f.attributes) {
        if (of.met == 0) continue;
        any = true;
        const model::Entity& entity = run.model.entities[place.first];
        const model::Attribute& attribute = entity.attributes[place.second];
        out += "  " + entity.name + "." + attribute.name + "  (" + policy(entity, attribute) + ")  " + of_many(of.changes, "change", "changes") + ", " + grouped(of.met) + " met another's:\n";
        for (const auto& [fate, counted] : of.fates) {
            const std::string by = policy(entity, attribute);
            out += "    " + said(fate, counted.n, by) + "\n" + (fate == Fate::kSame ? "" : example(counted));
        }
    }
    return any ? out : out + "  nothing: no change met another's\n";
}

std::string rows_text(const ModelRun& run, const Findings& f) {
    std::string out;
    std::uint32_t last = UINT32_MAX;
    for (const auto& [what, counted] : f.happenings) {
        if (what.first != last) out += "  " + run.model.entities[what.first].name + "\n";
        last = what.first;
        out += "    " + said(what.second, counted.n) + "\n" + example(counted);
    }
    return out.empty() ? out : "\nRows\n" + out;
}

std::string rejections_text(const Findings& f) {
    std::string out;
    for (const auto& [why, counted] : f.rejections) {
        out += "  " + why.code + (why.entity.empty() ? "" : "  " + why.entity) + (why.about.empty() ? "" : " (" + why.about + ")") + "  " + times(counted.n) + "\n" + example(counted);
    }
    return out.empty() ? out : "\nRejected transactions: each is a draft on its author's device (docs/errors.md explains the codes)\n" + out;
}

std::string list_text(const char* title, const std::vector<std::string>& lines) {
    std::string out = lines.empty() ? "" : std::string("\n") + title + "\n";
    for (const std::string& line : lines) out += "  " + cli::visible(line) + "\n";
    return out;
}

void hint_on_attribute(const model::Entity& entity, const model::Attribute& attribute, const AttributeFindings& of, std::vector<std::string>& out) {
    const std::string name = entity.name + "." + attribute.name;
    if (of.not_even_changed >= kHintsFrom)
        out.push_back(name + ": conflict: last replaced " + of_many(of.not_even_changed, "change", "changes") +
                      " by whole rows whose author had not changed it; with conflict: merge (the default) they would have stayed");
    if (entity.conflict != model::Conflict::kMerge || attribute.merge != model::Merge::kLast) return;
    if (of.additions_lost >= kHintsFrom)
        out.push_back(name + ": last lost " + of_many(of.additions_lost, "change", "changes") +
                      " where both people had added to the number; if your app does (" + attribute.name + " = " + attribute.name + " + 1), merge: counter keeps the sum");
    if (of.text_would_keep >= kHintsFrom)
        out.push_back(name + ": last lost words of a text that both had edited " + times(of.text_would_keep) + "; merge: text would have kept both");
}

void hint_on_rejection(const model::Model& model, const Rejection& why, std::uint64_t n, std::vector<std::string>& out) {
    if (n < kHintsFrom) return;
    const std::string transactions = of_many(n, "transaction was", "transactions were") + " rejected because ";
    if (why.code == "not_unique")
        out.push_back(why.entity + " (" + why.about + ") is unique: " + transactions + "two people without a network took the same value; give each device values of its own (a prefix, a range), or expect these drafts");
    if (why.code == "key_taken" && model.find(why.entity)->key.type == model::Type::kText)
        out.push_back(why.entity + ": " + transactions + "two people made the same key; create_create: merge would join the two rows, a uuid key would keep them apart");
    if (why.code == "check_failed" && !why.about.empty())
        out.push_back(why.entity + ": " + transactions + "the merged row broke the check " + why.about + ", which each had kept by himself");
    if (why.code == "reference_missing" && !why.about.empty())
        out.push_back(why.entity + "." + why.about + ": " + transactions + "somebody had deleted the row that it refers to; rows that are marked instead of deleted cannot go missing");
    if (why.code == "still_referenced")
        out.push_back(why.entity + ": " + transactions + "a deleted row was referred to by one that its author had not seen; on_delete: cascade or set null would let it go");
}

std::string counted_json(const Counted& counted) {
    std::string out = "{\"times\": " + std::to_string(counted.n) + ", \"examples\": [";
    for (std::size_t i = 0; i < counted.examples.size(); ++i) out += (i == 0 ? "" : ", ") + json_text(counted.examples[i]);
    return out + "]}";
}

std::string texts_json(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += (out.size() > 1 ? ", " : "") + json_text(text);
    return out + "]";
}

}  // namespace

std::vector<std::string> hints(const model::Model& model, const Findings& findings) {
    std::vector<std::string> out;
    for (const auto& [place, of] : findings.attributes) hint_on_attribute(model.entities[place.first], model.entities[place.first].attributes[place.second], of, out);
    for (const auto& [what, counted] : findings.happenings)
        if (what.second == Happening::kDeletedWithChanges && counted.n >= kHintsFrom)
            out.push_back(model.entities[what.first].name + ": " + of_many(counted.n, "row was", "rows were") +
                          " deleted with changes of others that the deleter had not seen; update_delete: ask puts that to a person, update_wins keeps the row");
    for (const auto& [why, counted] : findings.rejections) hint_on_rejection(model, why, counted.n, out);
    return out;
}

std::vector<std::string> not_looked_at(const ModelRun& run, const Findings& findings) {
    std::vector<std::string> out;
    if (run.profiles_left_out) out.push_back("profiles: they were left out, every device held every row; uploads that a profile rejects, and rows that leave a device, were not tried");
    for (std::uint32_t e = 0; e < run.model.entities.size(); ++e) {
        const model::Entity& entity = run.model.entities[e];
        if (entity.builtin()) continue;
        if (at(findings.rows_written, e) == 0) {
            out.push_back(entity.name + ": no row of it was written" + (entity.checks.empty() ? "" : "; no value was found that keeps all its checks") + "; more worlds may reach it");
            continue;
        }
        std::string never;
        for (std::uint32_t a = 0; a < entity.attributes.size(); ++a)
            if (const auto found = findings.attributes.find({e, a}); found == findings.attributes.end() || found->second.changes == 0) never += (never.empty() ? "" : ", ") + entity.attributes[a].name;
        if (!never.empty()) out.push_back(entity.name + ": never changed in this run: " + never);
        if (!entity.checks.empty()) out.push_back(entity.name + ": its checks were judged by Skerry's own expressions, not by a second opinion");
    }
    return out;
}

std::string report_text(const ModelRun& run, const Findings& findings) {
    std::string out = run.file + ": app '" + run.model.app + "', " + of_many(run.worlds, "world", "worlds") + " of " + (run.devices == 0 ? "two to five" : std::to_string(run.devices)) + " people, from seed " + std::to_string(run.first_seed) + "\n\n";
    out += held(run, findings);
    out += attributes_text(run, findings) + rows_text(run, findings) + rejections_text(findings);
    out += list_text("Hints: what this run showed and the model could do otherwise", hints(run.model, findings));
    return out + list_text("Not looked at", not_looked_at(run, findings));
}

std::string report_json(const ModelRun& run, const Findings& f) {
    std::string out = "{\"file\": " + json_text(run.file) + ", \"app\": " + json_text(run.model.app) + ", \"worlds\": " + std::to_string(run.worlds) + ", \"first_seed\": " +
                      std::to_string(run.first_seed) + ",\n \"held\": " + (run.violations.empty() ? "true" : "false") + ", \"violations\": [";
    for (std::size_t i = 0; i < run.violations.size(); ++i) {
        const Violation& one = run.violations[i];
        out += std::string(i == 0 ? "" : ", ") + "{\"seed\": " + std::to_string(one.seed) + ", \"invariant\": " + json_text(one.invariant) + ", \"what\": " + json_text(one.what) +
               ", \"replay\": " + json_text(one.replay) + "}";
    }
    out += "],\n \"transactions\": {\"all\": " + std::to_string(f.transactions);
    for (const auto judgement : {kit::Judgement::kApplied, kit::Judgement::kMerged, kit::Judgement::kConflict, kit::Judgement::kRejected})
        out += ", " + json_text(kit::judgement_name(judgement)) + ": " + std::to_string(at(f.verdicts, judgement));
    out += "},\n \"attributes\": [";
    bool first = true;
    for (const auto& [place, of] : f.attributes) {
        const model::Entity& entity = run.model.entities[place.first];
        const model::Attribute& attribute = entity.attributes[place.second];
        out += std::string(first ? "\n  " : ",\n  ") + "{\"entity\": " + json_text(entity.name) + ", \"attribute\": " + json_text(attribute.name) + ", \"policy\": " +
               json_text(policy(entity, attribute)) + ", \"changes\": " + std::to_string(of.changes) + ", \"met\": " + std::to_string(of.met);
        for (const auto& [fate, counted] : of.fates) out += ", " + json_text(fate_name(fate)) + ": " + counted_json(counted);
        out += "}";
        first = false;
    }
    out += "],\n \"rows\": [";
    first = true;
    for (const auto& [what, counted] : f.happenings) {
        out += std::string(first ? "\n  " : ",\n  ") + "{\"entity\": " + json_text(run.model.entities[what.first].name) + ", \"what\": " + json_text(happening_name(what.second)) +
               ", \"counted\": " + counted_json(counted) + "}";
        first = false;
    }
    out += "],\n \"rejected\": [";
    first = true;
    for (const auto& [why, counted] : f.rejections) {
        out += std::string(first ? "\n  " : ",\n  ") + "{\"code\": " + json_text(why.code) + ", \"entity\": " + json_text(why.entity) + ", \"about\": " + json_text(why.about) +
               ", \"counted\": " + counted_json(counted) + "}";
        first = false;
    }
    return out + "],\n \"hints\": " + texts_json(hints(run.model, f)) + ",\n \"not_looked_at\": " + texts_json(not_looked_at(run, f)) + "}\n";
}

}  // namespace skerry::sim
