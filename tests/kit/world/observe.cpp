// What the kit learns from a device's file, and what must hold of it at any moment.
#include "kit/world/device.hpp"

#include "base/error_table.hpp"
#include "base/text.hpp"
#include "kit/world/looking.hpp"

namespace skerry::kit {

namespace {

std::string verdict_text(std::int64_t verdict, Code code) {
    constexpr std::string_view kNames[] = {"?", "applied", "merged", "conflict", "rejected", "settled before"};
    std::string text(kNames[verdict >= 1 && verdict <= 5 ? verdict : 0]);
    if (verdict == 3 || verdict == 4) text += " " + std::string(code_name(code));
    return text;
}

}  // namespace

std::vector<std::pair<std::int64_t, std::string>> Device::journal() {
    std::vector<std::pair<std::int64_t, std::string>> out;
    each(app_->db(), "SELECT no, id FROM skerry_txn ORDER BY no", [&](sqlite::Statement& s) { out.emplace_back(s.integer(0), std::string(s.blob(1))); });
    return out;
}

bool Device::identity_changed() {
    std::string now;
    each(app_->db(), "SELECT value FROM skerry_meta WHERE name = 'device'", [&](sqlite::Statement& s) { now = s.blob(0); });
    const bool changed = !identity_.empty() && now != identity_;
    identity_ = std::move(now);
    return changed;
}

// json and sets become canonical when they are numbered, in row and operation together.
void Device::number(const std::string& id, const Open& open, const std::set<Label>& unsettled) {
    const Label label = scene_.next_label++;
    scene_.labels.emplace(id, label);
    const Images before = canonical(open.before, scene_.model);
    std::vector<Touched> written = difference(before, canonical(open.after.front(), scene_.model));
    if (scene_.kits_own) scene_.causality.committed(label, before, written);
    scene_.oracle.committed(label, options_.user, std::move(written), unsettled, open.said);
    scene_.trace.line(options_.name, "numbered " + scene_.oracle.describe(label));
    if (scene_.witness != nullptr) scene_.witness->committed(label, options_.user, scene_.writing);
}

bool Device::anything(const Open& open) const {
    if (open.after.empty()) return false;
    return !open.said.redo_of.empty() || !difference(canonical(open.before, scene_.model), canonical(open.after.front(), scene_.model)).empty();
}

// New entries of the journal belong, in this order, to what another program left open and to the app's transaction.
void Device::observe(const std::optional<Open>& app, bool app_acknowledged) {
    if (disk_->changing_calls() == seen_calls_ && !app) return;
    if (forks_) forks_->acknowledged();
    seen_calls_ = disk_->changing_calls();
    const bool moved = identity_changed();
    const auto entries = journal();
    std::set<Label> here;
    for (const auto& [no, id] : entries)
        if (const auto known = scene_.labels.find(id); known != scene_.labels.end()) here.insert(known->second);
    std::set<Label> unsettled = unsettled_;
    if (moved) {
        scene_.trace.mark("device.new_identity");
        scene_.trace.line(options_.name, "has a new identity; " + std::to_string(here.size()) + " transactions moved");
        scene_.oracle.moved(here);
        std::erase_if(unsettled, [&](Label label) { return !here.contains(label); });
    }
    const bool foreign_due = foreign_ && anything(*foreign_);
    const bool app_due = app && anything(*app);
    bool foreign_done = false;
    bool app_done = false;
    unsettled_.clear();
    for (const auto& [no, id] : entries) {
        if (!scene_.labels.contains(id)) {
            if (foreign_due && !foreign_done) {
                number(id, *foreign_, unsettled);
                foreign_done = true;
            } else if (app_due && !app_done) {
                number(id, *app, unsettled);
                app_done = true;
            } else {
                return fail("P2 exactly once", "transaction " + std::to_string(no) + " was made by nobody");
            }
        }
        const Label label = scene_.labels.at(id);
        unsettled.insert(label);
        unsettled_.insert(label);
        numbers_[{identity_, no}] = label;
    }
    each(app_->db(), "SELECT id FROM skerry_txn WHERE state = 2", [&](sqlite::Statement& s) {
        const Label label = scene_.labels.at(std::string(s.blob(0)));
        if (scene_.oracle.verdict(label) == nullptr && !scene_.server_restored)
            fail("P11 honest status", "called sent, and the server never had it: " + scene_.oracle.describe(label));
    });
    if (app_acknowledged && (app_due != app_done || (foreign_due && !foreign_done)))
        return fail("P1 durability", "a committed transaction has no number");
    if (foreign_done || (app_acknowledged && foreign_)) foreign_.reset();
    read_verdicts();
    look_at_scopes();
    check_visible();
}

void Device::read_verdicts() {
    struct Settled {
        std::int64_t row, no, verdict, code, root;
        std::string device, id;
    };
    std::vector<Settled> settled;
    each(app_->db(), "SELECT rowid, no, verdict, code, root, device, payload FROM skerry_archive WHERE rowid > " + std::to_string(verdicts_read_) + " ORDER BY rowid",
         [&](sqlite::Statement& s) {
             settled.push_back({s.integer(0), s.integer(1), s.integer(2), s.integer(3), s.integer(4), std::string(s.blob(5)), id_of_payload(s.blob(6))});
         });
    for (const Settled& one : settled) {
        verdicts_read_ = std::max(verdicts_read_, one.row);
        const auto label = scene_.labels.find(one.id);
        if (label == scene_.labels.end()) return fail("P2 exactly once", "transaction " + std::to_string(one.no) + " settled and was made by nobody");
        numbers_[{one.device, one.no}] = label->second;
        const Code code = code_from_number(static_cast<std::uint16_t>(one.code));
        const std::string text = verdict_text(one.verdict, code);
        verdicts_[{one.device, one.no}] = text;
        scene_.trace.line(options_.name, "settled T" + std::to_string(label->second) + ": " + text);
        scene_.trace.mark("verdict." + text);
        const auto [known, is_new] = settled_.emplace(label->second, text);
        if (!is_new && known->second != text)
            return fail("P9 one verdict", "T" + std::to_string(label->second) + " was " + known->second + " and is " + text);
        const Prediction* predicted = scene_.oracle.verdict(label->second);
        // A device that was down when the server was restored is looked at only now.
        if (predicted == nullptr) predicted = scene_.oracle.lost_verdict(label->second);
        if (predicted == nullptr) return fail("P9 one verdict", "T" + std::to_string(label->second) + " settled before the server judged it");
        if (one.verdict == 5 && restored_) continue;
        constexpr Judgement kByVerdict[] = {Judgement::kApplied, Judgement::kApplied, Judgement::kMerged, Judgement::kConflict, Judgement::kRejected};
        const bool same = one.verdict >= 1 && one.verdict <= 4 && agrees(*predicted, {kByVerdict[static_cast<std::size_t>(one.verdict)], code});
        if (!same) return fail("oracle verdict", "the device was told " + text + ": " + scene_.oracle.describe(label->second));
        if (predicted->judgement != Judgement::kRejected) continue;
        const auto root = numbers_.find({one.device, one.root});
        if (!restored_ && (root == numbers_.end() || !predicted->roots.contains(root->second)))
            return fail("oracle verdict", "root is number " + std::to_string(one.root) + ": " + scene_.oracle.describe(label->second));
    }
}

// P4, and monotonic reads: a group is here whole or not at all; what only the server counts up never goes back.
void Device::check_visible() {
    if (!scene_.kits_own || scene_.model.find("grp") == nullptr || !app_->has_model()) return;
    std::int64_t incomplete = 0;
    each(app_->db(), "SELECT count(*) FROM skerry_scope WHERE complete = 0", [&](sqlite::Statement& s) { incomplete = s.integer(0); });
    if (incomplete == 0) {
        each(app_->db(), "SELECT g, count(*), max(n) FROM grp GROUP BY g HAVING count(*) <> max(n)", [&](sqlite::Statement& s) {
            fail("P4 whole", "group " + std::string(s.text(0)) + " has " + std::to_string(s.integer(1)) + " of " + std::to_string(s.integer(2)) + " rows");
        });
        // Across tables as well.
        for (const char* half : {"SELECT g FROM grp EXCEPT SELECT id FROM total", "SELECT id FROM total EXCEPT SELECT g FROM grp"})
            each(app_->db(), half, [&](sqlite::Statement& s) { fail("P4 whole", "group " + std::string(s.text(0)) + " is here in one of two tables"); });
    }
    Seen now;
    each(app_->db(), "SELECT id, v FROM tick", [&](sqlite::Statement& s) {
        const auto [tick, is_new] = now.ticks.emplace(std::string(s.text(0)), s.integer(1));
        const auto last = seen_.ticks.find(tick->first);
        if (last != seen_.ticks.end() && tick->second < last->second && !scene_.server_restored)
            fail("P5 monotonic reads", "tick went from " + std::to_string(last->second) + " to " + std::to_string(tick->second));
    });
    // What a scope has not brought yet may be what is missing; a restored server is healed in the order in which devices come.
    seen_.ticks = now.ticks;
    if (incomplete != 0 || scene_.server_restored) return;
    each(app_->db(), "SELECT id FROM total", [&](sqlite::Statement& s) { now.groups.emplace(s.text(0)); });
    const auto look = scene_.causality.look(seen_, now, [&](Label label) {
        const Prediction* verdict = scene_.oracle.verdict(label);
        return verdict != nullptr && (verdict->judgement == Judgement::kRejected || verdict->judgement == Judgement::kConflict);
    });
    if (!look.missing.empty()) fail("P5 writes follow reads", look.missing);
    if (look.compared != 0) scene_.trace.mark("writes_follow_reads.compared");
    seen_ = std::move(now);
}

// Where nothing changed on the server since this device asked, it has what its user may have, and nothing else.
void Device::check_view() {
    if (!pull_began_at_ || scene_.truth == nullptr || scene_.old_answers || !unsettled_.empty() || foreign_) return;
    if (scene_.truth->position() != pull_began_at_) return;
    const auto view = scene_.truth->view(options_.user);
    if (!view) return;
    scene_.trace.mark("view.compared");
    if (const std::string differs = scene_.compare(images(), *view); !differs.empty()) fail("P7 L3 at a sync's end", differs);
}

// Coverage: what happened to scopes, and to rows because of them.
void Device::look_at_scopes() {
    if (scene_.model.profiles.empty()) return;
    std::map<std::int64_t, bool> scopes;
    each(app_->db(), "SELECT id, complete FROM skerry_scope", [&](sqlite::Statement& s) { scopes.emplace(s.integer(0), s.integer(1) != 0); });
    std::map<std::string, std::set<std::int64_t>> lines;
    each(app_->db(), "SELECT entity, key, scope FROM skerry_scope_row", [&](sqlite::Statement& s) {
        lines[std::to_string(s.integer(0)) + " " + std::string(s.text(1))].insert(s.integer(2));
    });
    if (!scopes_.empty()) {
        bool again = false;
        for (const auto& [id, complete] : scopes) {
            const auto was = scopes_.find(id);
            if (was == scopes_.end()) scene_.trace.mark("scope.gained");
            again = again || (was != scopes_.end() && was->second && !complete);
        }
        for (const auto& [id, complete] : scopes_)
            if (!scopes.contains(id)) scene_.trace.mark("scope.lost");
        if (again) scene_.trace.mark("scope.read_again");
        for (const auto& [row, was] : lines_) {
            const auto now = lines.find(row);
            if (now == lines.end()) {
                scene_.trace.mark("row.left_its_scopes");
            } else if (std::none_of(was.begin(), was.end(), [&](std::int64_t scope) { return now->second.contains(scope); })) {
                scene_.trace.mark(std::all_of(now->second.begin(), now->second.end(), [&](std::int64_t scope) { return scopes_.contains(scope); })
                                      ? "row.moved_to_a_held_scope" : "row.moved_to_a_new_scope");
            }
        }
    }
    scopes_ = std::move(scopes);
    lines_ = std::move(lines);
}

// Every row is here for a reason that the server gave, and every reason has come.
void Device::check_lines() {
    std::set<std::int64_t> scopes;
    each(app_->db(), "SELECT id FROM skerry_scope WHERE whole = 0", [&](sqlite::Statement& s) { scopes.insert(s.integer(0)); });
    std::set<std::string> here;
    each(app_->db(), "SELECT scope, entity, key FROM skerry_scope_row", [&](sqlite::Statement& s) {
        here.insert(std::to_string(s.integer(0)) + " " + scene_.model.entity(EntityIx{static_cast<std::uint32_t>(s.integer(1))}).name + " '" + std::string(s.text(2)) + "'");
    });
    const std::set<std::string> should = scene_.truth->lines(scopes);
    for (const std::string& line : here)
        if (!should.contains(line)) return fail("L1 lines", "should not have the line " + line);
    for (const std::string& line : should)
        if (!here.contains(line)) return fail("L1 lines", "has not the line " + line);
}

// After a restart: P1 for what was acknowledged, and the truth about what was in doubt.
void Device::check_nothing_lost() {
    if (foreign_ && foreign_->after.size() > 1) {
        auto now = read_images(app_->db(), scene_.model);
        // Opening numbered it, so its values have their canonical spelling by now.
        const auto match = !now ? foreign_->after.end() : std::find_if(foreign_->after.begin(), foreign_->after.end(), [&](const Images& one) {
            return canonical(one, scene_.model) == canonical(*now, scene_.model);
        });
        if (match == foreign_->after.end()) return fail("P1 durability", "what another program committed is not there after the restart");
        foreign_->after = {*match};
    }
    std::set<Label> kept;
    for (const auto& [no, id] : journal())
        if (scene_.labels.contains(id)) kept.insert(scene_.labels.at(id));
    each(app_->db(), "SELECT payload FROM skerry_archive", [&](sqlite::Statement& s) {
        if (const auto label = scene_.labels.find(id_of_payload(s.blob(0))); label != scene_.labels.end()) kept.insert(label->second);
    });
    for (const Label label : unsettled_)
        if (!kept.contains(label)) return fail("P1 durability", "acknowledged and lost in the restart: " + scene_.oracle.describe(label));
    if (in_doubt_ && in_doubt_->after_unknown)
        if (auto now = read_images(app_->db(), scene_.model)) in_doubt_->after = {std::move(*now)};
    observe(in_doubt_ ? in_doubt_ : std::optional<Open>(Open{}), false);
    in_doubt_.reset();
    if (foreign_ && anything(*foreign_))
        fail("P1 durability", "another program's commit was not numbered at the restart");
    foreign_.reset();
}

std::int64_t Device::count(std::string_view table) {
    std::int64_t n = -1;
    each(app_->db(), "SELECT count(*) FROM " + sqlite::quote_name(table), [&](sqlite::Statement& s) { n = s.integer(0); });
    return n;
}

void Device::check_settled() {
    std::vector<std::string> empty{"skerry_txn", "skerry_op", "skerry_stage", "skerry_quarantine", "skerry_shown"};
    for (const model::Entity& entity : scene_.model.entities) {
        if (entity.builtin()) continue;
        empty.push_back("skerry_pre_" + entity.name);
        empty.push_back("skerry_base_" + entity.name);
    }
    for (const std::string& table : empty)
        if (const auto n = count(table); n != 0) fail("L1 settled", table + " has " + std::to_string(n) + " rows at the end");
    std::int64_t rejected = 0;
    each(app_->db(), "SELECT count(*) FROM skerry_archive WHERE verdict = 4", [&](sqlite::Statement& s) { rejected = s.integer(0); });
    // Closed drafts are forgotten when they are old.
    if (const auto n = count("skerry_draft"); n > rejected || (n < rejected && scene_.days_leapt == 0))
        fail("drafts", std::to_string(rejected) + " transactions were rejected, " + std::to_string(n) + " drafts are kept");
    check_drafts();
    if (!scene_.model.profiles.empty()) check_lines();
    auto plain = open_plain(sqlite::Open::kReadOnly);
    if (const std::string wrong = wrong_with(plain); !wrong.empty()) fail("I1 integrity", wrong);
}

Images Device::images() {
    // As any SQLite program reads the file.
    auto plain = open_plain(sqlite::Open::kReadOnly);
    auto images = plain.is_open() ? read_images(plain, scene_.model) : Result<Images>(skerry::fail(Code::kIo, "the file does not open"));
    if (!images) {
        fail("test", "reading the device: " + describe(images.error()));
        return {};
    }
    return std::move(*images);
}
std::vector<std::string> Device::rows(std::string_view entity) { return as_lines(images(), scene_.model, entity); }
std::string Device::verdict(std::uint64_t no) {
    const auto found = verdicts_.find({identity_, static_cast<std::int64_t>(no)});
    return found == verdicts_.end() ? std::string{} : found->second;
}
std::uint64_t Device::last_no() {
    std::uint64_t last = 0;
    each(app_->db(), "SELECT value FROM skerry_meta WHERE name = 'next_no'", [&](sqlite::Statement& s) { last = static_cast<std::uint64_t>(s.integer(0)) - 1; });
    return last;
}
std::uint64_t Device::drafts() { return static_cast<std::uint64_t>(count("skerry_draft")); }

}  // namespace skerry::kit
