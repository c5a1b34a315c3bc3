// What the kit learns from the server's database, and what must hold of it.
#include "base/error_table.hpp"
#include "kit/world/looking.hpp"
#include "kit/world/server_node.hpp"
#include "kit/world/views.hpp"

namespace skerry::kit {

namespace {

std::string as_text(const Image& image) {
    if (!image) return "nothing";
    std::string out;
    for (const Value& value : *image) out += (out.empty() ? "" : " ") + model::to_text(value).substr(0, 60);
    return out;
}

}  // namespace

// The order of judging: a request is one device's, in number order, and requests are handled one at a time.
void ServerNode::judged() {
    struct Device {
        std::int64_t ix, seen;
    };
    std::vector<Device> devices;
    auto query = eyes_.prepare("SELECT ix, seen FROM skerry_device ORDER BY ix");
    while (query && query->step().value_or(false)) devices.push_back({query->integer(0), query->integer(1)});
    if (query) query->reset();
    bool any = false;
    std::vector<Judged> told;
    for (const Device& device : devices) {
        auto& known = judged_[device.ix];
        if (device.seen < known) return fail("I2 durability", "forgot that it judged transaction " + std::to_string(known) + " of device " + std::to_string(device.ix));
        auto rows = eyes_.prepare("SELECT s.no, s.id8, o.verdict, o.code, o.message FROM skerry_seen s LEFT JOIN skerry_outcome o USING(device, no) WHERE device = ?1 AND s.no > ?2 ORDER BY s.no");
        if (!rows) return fail("test", describe(rows.error()));
        rows->bind(1, device.ix).bind(2, known);
        while (rows->step().value_or(false)) {
            any = true;
            known = rows->integer(0);
            Label label = 0;
            for (const auto& [id, candidate] : scene_.labels)
                if (static_cast<std::int64_t>(Reader(id).u64()) == rows->integer(1)) label = candidate;
            if (label == 0 || !scene_.oracle.knows(label)) return fail("P2 exactly once", "judged a transaction that nobody made");
            if (scene_.oracle.verdict(label) != nullptr) return fail("P2 exactly once", "judged again: " + scene_.oracle.describe(label));
            constexpr Judgement kByVerdict[] = {Judgement::kApplied, Judgement::kApplied, Judgement::kMerged, Judgement::kConflict, Judgement::kRejected};
            const auto verdict = rows->integer(2);
            if (verdict < 1 || verdict > 4) return fail("oracle verdict", "judged with verdict " + std::to_string(verdict));
            const Observed observed{kByVerdict[static_cast<std::size_t>(verdict)], code_from_number(static_cast<std::uint16_t>(rows->integer(3)))};
            const auto rows_now = [&] { return scene_.witness == nullptr ? nullptr : std::make_shared<const Images>(scene_.oracle.rows()); };
            const auto before = rows_now();
            const Prediction& predicted = scene_.oracle.judged(label, observed);
            if (before) told.push_back({label, observed, std::string(rows->text(4)), device.ix, rows->integer(0), before, rows_now()});
            scene_.trace.line("server", "judged " + scene_.oracle.describe(label));
            if (!agrees(predicted, observed))
                return fail("oracle verdict", "judged " + std::string(judgement_name(observed.judgement)) + " " + std::string(code_name(observed.code)) + ": " + scene_.oracle.describe(label));
        }
        rows->reset();
    }
    if (!any) return;
    auto now = read_images(eyes_, scene_.model);
    if (!now) return fail("test", describe(now.error()));
    for (const Touched& row : difference(scene_.oracle.rows(), canonical(without_records(std::move(*now), scene_.model), scene_.model)))
        return fail("oracle rows", "after judging, " + scene_.model.entity(row.row.entity).name + " '" + row.row.key + "': should be " + as_text(row.before) + ", is " + as_text(row.after));
    if (const std::string wrong = scene_.oracle.compare_records(records()); !wrong.empty()) fail("oracle records", wrong);
    for (const Judged& one : told) scene_.witness->judged(one, scene_.oracle.txn(one.label), eyes_);
}

std::vector<SeenRecord> ServerNode::records() {
    std::vector<SeenRecord> out;
    auto rows = eyes_.prepare("SELECT id, entity, row, attribute, author, batch, operation, why, state, choice, base, mine, theirs FROM skerry_conflict ORDER BY at, id");
    while (rows && rows->step().value_or(false)) {
        const auto text = [&](int i) { return std::string(rows->text(i)); };
        const auto object = [&](int i) { return rows->is_null(i) ? std::nullopt : std::optional(text(i)); };
        out.push_back({text(0), text(1), text(2), text(3), text(4), text(5), text(6), text(7), text(8), text(9), object(10), object(11), object(12)});
    }
    if (rows) rows->reset();
    return out;
}

// What the server forgets when its retention is over, it forgets in its ticks: nothing is judged there.
void ServerNode::learn_forgotten() {
    if (scene_.days_leapt < retention_days_) return;
    std::set<std::string> records;
    each(eyes_, "SELECT id FROM skerry_conflict", [&](sqlite::Statement& s) { records.emplace(s.text(0)); });
    std::set<RowId> images;
    for (std::uint32_t e = 0; e < scene_.model.entities.size(); ++e) {
        if (scene_.model.entities[e].builtin()) continue;
        each(eyes_, "SELECT skerry_key FROM " + sqlite::quote_name("skerry_gone_" + scene_.model.entities[e].name),
             [&](sqlite::Statement& s) { images.insert({EntityIx{e}, std::string(s.text(0))}); });
    }
    if (!scene_.oracle.forgot(records, images)) fail("P9 retention", "forgot an open conflict record");
}

Images ServerNode::images() {
    auto images = read_images(eyes_, scene_.model);
    return images ? std::move(*images) : Images{};
}
std::string ServerNode::text() {
    std::string out;
    for (const auto& [row, values] : without_records(images(), scene_.model)) {
        out += scene_.model.entity(row.entity).name + " '" + row.key + "'";
        for (const Value& value : values) out += " " + model::to_text(value);
        out += "\n";
    }
    return out;
}
std::vector<std::string> ServerNode::rows(std::string_view entity) { return as_lines(images(), scene_.model, entity); }

std::optional<std::int64_t> ServerNode::position() {
    if (!is_up() || !eyes_.is_open()) return std::nullopt;
    const auto queued = eyes_.integer("SELECT count(*) FROM skerry_queue");
    const auto last = eyes_.integer("SELECT coalesce(max(seq), 0) FROM skerry_batch");
    constexpr std::int64_t kBeyondAnySeq = 1'000'000'000;
    return queued && last && *queued == 0 ? std::optional(*last + restores_ * kBeyondAnySeq) : std::nullopt;
}

std::optional<Images> ServerNode::view(const std::string& user) {
    auto view = view_of(eyes_, scene_.model, {user, scene_.claims[user]}, images());
    if (view) return std::move(*view);
    fail("test", describe(view.error()));
    return std::nullopt;
}

std::set<std::string> ServerNode::lines(const std::set<std::int64_t>& scopes) {
    std::set<std::string> out;
    for (const std::int64_t scope : scopes)
        each(eyes_, "SELECT entity, key FROM skerry_member WHERE live = 1 AND scope = " + std::to_string(scope), [&](sqlite::Statement& s) {
            out.insert(std::to_string(scope) + " " + scene_.model.entity(EntityIx{static_cast<std::uint32_t>(s.integer(0))}).name + " '" + std::string(s.text(1)) + "'");
        });
    return out;
}

// Every rejected transaction is kept as a draft, closed where a later one replaced or discarded it.
void ServerNode::check_drafts() {
    std::map<Label, std::int64_t> drafts;
    auto rows = eyes_.prepare("SELECT s.id8, d.state FROM skerry_draft d JOIN skerry_seen s USING(device, no)");
    while (rows && rows->step().value_or(false))
        for (const auto& [id, label] : scene_.labels)
            if (static_cast<std::int64_t>(Reader(id).u64()) == rows->integer(0)) drafts[label] = rows->integer(1);
    if (rows) rows->reset();
    constexpr std::int64_t kOpen = 1;
    std::size_t forgotten = 0;
    for (const Label label : scene_.oracle.rejected()) {
        const auto found = drafts.find(label);
        if (found == drafts.end() && scene_.days_leapt >= retention_days_ && !scene_.oracle.draft_is_open(label)) {
            ++forgotten;
            continue;
        }
        if (found == drafts.end()) return fail("drafts", "no draft of " + scene_.oracle.describe(label));
        if ((found->second == kOpen) != scene_.oracle.draft_is_open(label))
            return fail("drafts", "state " + std::to_string(found->second) + " of the draft of " + scene_.oracle.describe(label));
    }
    if (drafts.size() + forgotten != scene_.oracle.rejected().size()) fail("drafts", "a draft of what was not rejected");
}

void ServerNode::check() {
    check_drafts();
    if (const std::string wrong = wrong_with(eyes_); !wrong.empty()) fail("I1 integrity", wrong);
    const auto queued = eyes_.integer("SELECT count(*) FROM skerry_queue");
    if (!queued || *queued != 0) fail("L2 head", "the change queue is not empty at the end");
    if (without_records(images(), scene_.model) != scene_.oracle.rows()) fail("L3 convergence", "rows differ from the oracle's");
    if (const std::string wrong = scene_.oracle.compare_records(records()); !wrong.empty()) fail("L3 convergence", "records: " + wrong);
}

}  // namespace skerry::kit
