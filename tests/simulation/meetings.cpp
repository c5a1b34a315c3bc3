#include "simulation/meetings.hpp"

#include "base/error_table.hpp"
#include "kit/oracle/policies.hpp"
#include "kit/world/looking.hpp"
#include "model/value.hpp"

namespace skerry::sim {

namespace {

constexpr std::size_t kExamplesMax = 2;
constexpr std::size_t kShownMax = 60;  // characters of a value in an example

// As they are stored (docs/internal-tables.md).
enum ResultCode { kApplied = 1, kMerged = 2, kConflict = 3, kLost = 4 };
enum HistoryWhy { kOverwritten = 1, kDeletedImage = 2, kLostValue = 3 };

void count(Counted& counted, const std::function<std::string()>& example) {
    ++counted.n;
    if (counted.examples.size() < kExamplesMax) counted.examples.push_back(example());
}

bool is_null_row(const kit::Images& images, const RowId& row) { return !images.contains(row); }

}  // namespace

std::string_view fate_name(Fate fate) {
    switch (fate) {
        case Fate::kSame: return "same";
        case Fate::kMerged: return "merged";
        case Fate::kReplaced: return "replaced";
        case Fate::kGaveWay: return "gave_way";
        case Fate::kAsked: return "asked";
        case Fate::kTransaction: return "rejected";
    }
    return "?";
}

std::string_view happening_name(Happening happening) {
    switch (happening) {
        case Happening::kChangedAfterDeletion: return "changed_after_deletion";
        case Happening::kCameBack: return "came_back";
        case Happening::kDeletedWithChanges: return "deleted_with_changes";
        case Happening::kDeletionGaveWay: return "deletion_gave_way";
        case Happening::kDeletionAsked: return "deletion_asked";
        case Happening::kCreatedTwice: return "created_twice";
        case Happening::kRowAsked: return "row_asked";
    }
    return "?";
}

std::string person_name(const std::string& user) {
    static constexpr std::string_view kPeople[] = {"ann", "ben", "cleo", "dan", "eva"};
    if (!user.starts_with("user")) return user;
    const auto n = static_cast<std::size_t>(std::strtoul(user.c_str() + 4, nullptr, 10));
    return n < std::size(kPeople) ? std::string(kPeople[n]) : user;
}

struct Meetings::Told {
    std::map<std::pair<RowId, std::string>, std::int64_t> results;  // by attribute; "" is the row
    std::map<std::pair<RowId, std::string>, std::int64_t> history;
    std::int64_t result(const RowId& row, const std::string& attribute) const {
        const auto found = results.find({row, attribute});
        return found == results.end() ? 0 : found->second;
    }
    std::int64_t gave_way(const RowId& row, const std::string& attribute) const {
        const auto found = history.find({row, attribute});
        return found == history.end() ? 0 : found->second;
    }
};

struct Meetings::Seen {
    const kit::Judged& judged;
    const kit::Txn& txn;
    const Told& told;
    const kit::Images& before;
    const kit::Images& after;
    bool rejected() const { return judged.verdict.judgement == kit::Judgement::kRejected; }
};

void Meetings::begin_world() {
    users_.clear();
    additions_.clear();
    writers_.clear();
    row_writers_.clear();
    deleters_.clear();
}

void Meetings::committed(Label label, const std::string& user, const std::vector<kit::Write>* writes) {
    users_[label] = user;
    if (writes == nullptr) return;
    for (const kit::Write& write : *writes) {
        if (write.kind != kit::WriteKind::kAddTo) continue;
        EntityIx ix;
        const model::Entity* entity = model_.find(write.entity, &ix);
        for (const auto& [name, value] : write.values)
            if (const auto at = entity->attribute_named(name)) additions_.insert({label, {{ix, write.key}, *at}});
    }
}

void Meetings::judged(const kit::Judged& judged, const kit::Txn& txn, sqlite::Database& db) {
    Told told;
    const std::string of = " WHERE device = " + std::to_string(judged.device) + " AND no = " + std::to_string(judged.no);
    const auto read = [&](const char* columns, auto& into) {
        kit::each(db, std::string("SELECT entity, key, attribute, ") + columns + of, [&](sqlite::Statement& s) {
            into[{{EntityIx{static_cast<std::uint32_t>(s.integer(0))}, std::string(s.text(1))}, std::string(s.text(2))}] = s.integer(3);
        });
    };
    read("code FROM skerry_result", told.results);
    read("why FROM skerry_history", told.history);
    look(judged, txn, told);
}

void Meetings::look(const kit::Judged& judged, const kit::Txn& txn, const Told& told) {
    const Seen seen{judged, txn, told, *judged.before, *judged.after};
    ++findings_.transactions;
    ++findings_.verdicts[judged.verdict.judgement];
    for (const kit::Op& op : txn.ops)
        if (!model_.entity(op.row.entity).builtin()) operation(seen, op);
    if (seen.rejected()) return rejected(seen);
    for (const kit::Op& op : txn.ops) remember(seen, op);
}

void Meetings::operation(const Seen& seen, const kit::Op& op) {
    using kit::Kind;
    ++findings_.rows_written[op.row.entity.value];
    const bool here = !is_null_row(seen.before, op.row);
    const auto on_row = seen.told.result(op.row, "");
    const std::string author = person(seen.judged.label);
    if (op.kind == Kind::kUpdate) {
        for (const kit::Change& one : op.changes)
            if (here || seen.rejected()) change(seen, op, one);
        if (seen.rejected()) return;
        if (!here) {
            const auto deleter = deleters_.find(op.row);
            const std::string who = deleter == deleters_.end() ? "somebody" : person(deleter->second);
            const bool back = !is_null_row(seen.after, op.row);
            happened(op.row, back ? Happening::kCameBack : Happening::kChangedAfterDeletion,
                     where(op.row) + ": " + who + " deleted it; " + author + ", who had not seen that, changed it. " +
                         (back ? "It came back with the change." : "A conflict record keeps the change."));
        } else if (on_row == kConflict && model_.entity(op.row.entity).is_strict()) {
            happened(op.row, Happening::kRowAsked, where(op.row) + ": " + author + " changed it, and somebody else had, too. A conflict record on the row waits.");
        }
        return;
    }
    if (seen.rejected()) return;
    const auto writer = row_writers_.find(op.row);
    const std::string who = writer == row_writers_.end() ? "somebody" : person(writer->second);
    if (op.kind == Kind::kInsert && here) {
        const bool asked = on_row == kConflict;
        happened(op.row, asked ? Happening::kRowAsked : Happening::kCreatedTwice,
                 where(op.row) + ": " + who + " made it, and so did " + author + ". " + (asked ? "A conflict record waits." : "The two are one row now."));
        return;
    }
    if (op.kind != Kind::kDelete || !here) return;
    const std::string told = where(op.row) + ": " + author + " deleted it, and had not seen what " + who + " changed. ";
    if (seen.told.gave_way(op.row, "") == kDeletedImage) {
        happened(op.row, Happening::kDeletedWithChanges, told + "The row goes; its last version is in the history.");
    } else if (on_row == kLost) {
        happened(op.row, Happening::kDeletionGaveWay, told + "The row stays.");
    } else if (on_row == kConflict) {
        happened(op.row, Happening::kDeletionAsked, told + "The row stays; a conflict record waits.");
    }
}

void Meetings::change(const Seen& seen, const kit::Op& op, const kit::Change& one) {
    const std::uint32_t attribute = one.attribute;
    const Value &was = one.was, &now = one.now;
    const model::Attribute& about = model_.entity(op.row.entity).attributes[attribute];
    AttributeFindings& of = findings_.attributes[{op.row.entity.value, attribute}];
    if (was != now) ++of.changes;
    const auto row = seen.before.find(op.row);
    if (row == seen.before.end()) return;
    const Value& current = row->second[attribute];
    const auto writer = writers_.find({op.row, attribute});
    if (current == was || writer == writers_.end() || users_[writer->second] == users_[seen.judged.label]) return;
    // Of a row that goes as a whole, what was not changed is no change.
    const auto why = seen.rejected() ? 0 : seen.told.gave_way(op.row, about.name);
    if (was == now && why == 0) return;
    const auto result = seen.told.result(op.row, about.name);
    // It goes on from its author's own, which left what is there now.
    if (one.prev != 0 && result == kApplied && why == 0) return;
    ++of.met;
    const std::string met = where(op.row) + "." + about.name + " was " + shown(op.row, attribute, was) + ". " + person(writer->second) + " made it " +
                            shown(op.row, attribute, current) + "; " + person(seen.judged.label) + ", who had not seen that, " +
                            (was == now ? "wrote other attributes of the row" : "wrote " + shown(op.row, attribute, now)) + ". ";
    const std::string policy(model_.entity(op.row.entity).conflict == model::Conflict::kLast ? "conflict: last" : model::merge_name(about.merge));
    const auto fate = [&](Fate what, const std::function<std::string()>& rest) { return count(of.fates[what], [&] { return met + rest(); }); };
    const auto after = seen.after.find(op.row);
    const std::string is_now = after == seen.after.end() ? "nothing" : shown(op.row, attribute, after->second[attribute]);
    if (seen.rejected()) {
        fate(Fate::kTransaction, [&] { return "The transaction was rejected (" + std::string(code_name(seen.judged.verdict.code)) + ") and is a draft."; });
    } else if (result == kConflict || seen.told.result(op.row, "") == kConflict) {
        fate(Fate::kAsked, [&] { return is_now + " stays until a person decides: a conflict record holds both."; });
    } else if (why == kOverwritten) {
        replaced(seen, op.row, attribute, was, now, current, of);
        fate(Fate::kReplaced, [&] { return is_now + " stays (" + policy + "); " + person(writer->second) + "'s " + shown(op.row, attribute, current) + " is in the history."; });
    } else if (why == kLostValue) {
        fate(Fate::kGaveWay, [&] { return is_now + " stays (" + policy + "); " + person(seen.judged.label) + "'s " + shown(op.row, attribute, now) + " is in the history."; });
    } else if (current == now) {
        fate(Fate::kSame, [&] { return std::string("Both wrote the same."); });
    } else {
        // Of differences the server keeps no results, there is the verdict only. What was in the set already changes nothing.
        const bool difference = about.merge == model::Merge::kCounter || about.merge == model::Merge::kSet;
        if (difference && after != seen.after.end() && after->second[attribute] == current) return fate(Fate::kSame, [&] { return std::string("Another had done the same."); });
        const bool told = difference ? seen.judged.verdict.judgement != kit::Judgement::kApplied : result == kMerged;
        if (!told) ++findings_.unexplained;
        fate(Fate::kMerged, [&] { return "Both are in it: " + is_now + "."; });
    }
}

// What another policy would have made of it.
void Meetings::replaced(const Seen& seen, const RowId& row, std::uint32_t attribute, const Value& was, const Value& now, const Value& current, AttributeFindings& of) {
    const model::Attribute& about = model_.entity(row.entity).attributes[attribute];
    if (was == now) {
        ++of.not_even_changed;
        return;
    }
    if (added(seen.judged.label, {row, attribute}) && added(writers_.at({row, attribute}), {row, attribute})) ++of.additions_lost;
    if (about.type != model::Type::kText || about.references || is_null(was) || is_null(now) || is_null(current)) return;
    model::Attribute text = about;
    text.merge = model::Merge::kText;
    const kit::Result3 result = kit::resolve(text, {was, now, current});
    if (result.effect == kit::Effect::kWrite && result.value != now && result.value != current) ++of.text_would_keep;
}

void Meetings::rejected(const Seen& seen) {
    Rejection why = why_rejected(seen);
    const std::string told = person(seen.judged.label) + ": " + summary(seen.txn) + ". Rejected, " + why.code + ": " + seen.judged.message + "; a draft keeps it.";
    count(findings_.rejections[std::move(why)], [&] { return told; });
}

// The server's code, and which of the transaction's rows it is about.
Rejection Meetings::why_rejected(const Seen& seen) const {
    const Code code = seen.judged.verdict.code;
    Rejection out{std::string(code_name(code)), {}, {}};
    std::set<RowId> made;
    for (const kit::Op& op : seen.txn.ops)
        if (op.kind == kit::Kind::kInsert) made.insert(op.row);
    for (const kit::Op& op : seen.txn.ops) {
        const model::Entity& entity = model_.entity(op.row.entity);
        if (entity.builtin()) continue;
        if (out.entity.empty()) out.entity = entity.name;
        const auto found = seen.before.find(op.row);
        const auto is = [&](std::string about) {
            out.entity = entity.name;
            out.about = std::move(about);
        };
        if (code == Code::kKeyTaken && op.kind == kit::Kind::kInsert && found != seen.before.end()) return is(entity.key.name), out;
        if (code == Code::kStillReferenced && op.kind == kit::Kind::kDelete) return is({}), out;
        if (op.kind == kit::Kind::kDelete) continue;
        model::Row row = op.kind == kit::Kind::kInsert ? op.values : found == seen.before.end() ? model::Row{} : found->second;
        if (row.empty() && !entity.attributes.empty()) continue;
        for (const kit::Change& one : op.changes) row[one.attribute] = one.now;
        for (const model::AttributeList& list : entity.unique) {
            if (code != Code::kNotUnique) break;
            std::string names;
            for (const std::uint32_t i : list) names += (names.empty() ? "" : ", ") + entity.attributes[i].name;
            for (const auto& [other, values] : seen.before)
                if (other.entity == op.row.entity && other != op.row && std::all_of(list.begin(), list.end(), [&](std::uint32_t i) { return !is_null(row[i]) && row[i] == values[i]; }))
                    return is(names), out;
        }
        if (code == Code::kCheckFailed)
            for (const model::Check& check : entity.checks)
                if (holds_(entity, op.row.key, row, check.expression) == std::optional(false)) return is(check.expression), out;
        if (code == Code::kReferenceMissing)
            for (std::size_t i = 0; i < row.size(); ++i)
                if (const auto& to = entity.attributes[i].references; to && !is_null(row[i]))
                    if (const RowId parent{*to, std::get<std::string>(row[i])}; is_null_row(seen.before, parent) && !made.contains(parent)) return is(entity.attributes[i].name), out;
    }
    return out;
}

void Meetings::remember(const Seen& seen, const kit::Op& op) {
    const Label label = seen.judged.label;
    if (is_null_row(seen.after, op.row)) {
        if (!is_null_row(seen.before, op.row)) deleters_[op.row] = label;
        return;
    }
    const auto before = seen.before.find(op.row);
    const model::Row& now = seen.after.at(op.row);
    for (std::uint32_t i = 0; i < now.size(); ++i) {
        if (before != seen.before.end() && before->second[i] == now[i]) continue;
        writers_[{op.row, i}] = label;
        row_writers_[op.row] = label;
    }
    if (before == seen.before.end()) row_writers_[op.row] = label;
}

void Meetings::happened(const RowId& row, Happening what, std::string example) {
    count(findings_.happenings[{row.entity.value, what}], [&] { return std::move(example); });
}

std::string Meetings::person(Label label) const {
    const auto found = users_.find(label);
    return found == users_.end() ? "somebody" : person_name(found->second);
}

// A key made by a program says nothing; its end tells rows apart.
std::string Meetings::where(const RowId& row) const {
    const model::Entity& entity = model_.entity(row.entity);
    return entity.name + " " + (entity.key.type == model::Type::kUuid ? "…" + row.key.substr(row.key.size() - 4) : "'" + row.key + "'");
}

std::string Meetings::shown(const RowId& row, std::uint32_t attribute, const Value& value) const {
    const model::Attribute& about = model_.entity(row.entity).attributes[attribute];
    if (is_null(value)) return "NULL";
    if (about.references) return where({*about.references, std::get<std::string>(value)});
    std::string json;
    model::append_json(json, about, value);
    if (about.type == model::Type::kDecimal) json = model::decimal_text(about, std::get<std::int64_t>(value));
    if (about.type == model::Type::kBool) json = std::get<std::int64_t>(value) != 0 ? "true" : "false";
    if (json.size() <= kShownMax) return json;
    std::size_t end = kShownMax;
    while (end > 0 && (static_cast<unsigned char>(json[end]) & 0xc0u) == 0x80u) --end;
    return json.substr(0, end) + "…";
}

std::string Meetings::summary(const kit::Txn& txn) const {
    constexpr std::size_t kOpsMax = 3;
    std::string out;
    for (std::size_t i = 0; i < txn.ops.size() && i < kOpsMax; ++i) {
        const kit::Op& op = txn.ops[i];
        const model::Entity& entity = model_.entity(op.row.entity);
        if (!out.empty()) out += ", ";
        if (entity.builtin()) {
            out += "decided a conflict";
        } else if (op.kind == kit::Kind::kDelete) {
            out += "deleted " + where(op.row);
        } else if (op.kind == kit::Kind::kInsert) {
            out += "made " + where(op.row);
            for (std::uint32_t a = 0, n = 0; a < op.values.size() && n < 2; ++a)
                if (!is_null(op.values[a])) out += (n++ == 0 ? " with " : ", ") + entity.attributes[a].name + " " + shown(op.row, a, op.values[a]);
        } else {
            for (std::size_t c = 0; c < op.changes.size() && c < 2; ++c)
                out += (c == 0 ? "wrote " + where(op.row) + "." : ", ") + entity.attributes[op.changes[c].attribute].name + " " + shown(op.row, op.changes[c].attribute, op.changes[c].now);
        }
    }
    if (txn.ops.size() > kOpsMax) out += ", and " + std::to_string(txn.ops.size() - kOpsMax) + " rows more";
    return out;
}

}  // namespace skerry::sim
