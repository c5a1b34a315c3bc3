// What people decide on a device: conflict records and drafts, through the calls that the library has for it. What such a
// call wrote is read from the rows; what it showed beside them follows from the record or draft as it was read before.
#include "kit/events/seeds.hpp"
#include "kit/oracle/policies.hpp"
#include "kit/plan/values.hpp"
#include "kit/world/device.hpp"
#include "kit/world/looking.hpp"
#include "store/drafts.hpp"

namespace skerry::kit {

namespace {

bool is_difference(const model::Attribute& attribute) { return attribute.merge == model::Merge::kCounter || attribute.merge == model::Merge::kSet; }

}  // namespace

void Device::by_library(std::string_view what, const Said& said, const std::function<Result<void>()>& work, Numbers numbers) {
    Open open;
    open.said = said;
    auto before = read_images(app_->db(), scene_.model);
    if (!before) return fail("test", "reading the device: " + describe(before.error()));
    open.before = std::move(*before);
    const Result<void> done = work();
    if (disk_->is_down()) {
        open.after_unknown = true;
        in_doubt_ = std::move(open);
        return die();
    }
    scene_.trace.line(options_.name, std::string(what) + (done ? "" : ": " + std::string(code_name(done.error().code))));
    scene_.trace.mark(std::string(what) + (done ? "" : "." + std::string(code_name(done.error().code))));
    if (!done) {
        // What the model or the present rows do not allow is an answer; nothing else is.
        const Code code = done.error().code;
        if (!met_bad_disk(done.error()) && !is_answer(code) && code != Code::kNotFound && code != Code::kKeyTaken && code != Code::kAssertFailed && code != Code::kInvalidArgument && code != Code::kNotWritable)
            fail("P1 local writes", std::string(what) + ": " + describe(done.error()));
        return after_event();
    }
    auto after = read_images(app_->db(), scene_.model);
    if (!after) return fail("test", "reading the device: " + describe(after.error()));
    open.after.push_back(std::move(*after));
    observe(open, numbers == Numbers::kYes);
    event({}, [&] { host_->app_wrote(); });
}

bool Device::has_own_changes(const RowId& row) {
    bool own = false;
    each(app_->db(), "SELECT key FROM skerry_op WHERE entity = " + std::to_string(row.entity.value), [&](sqlite::Statement& s) { own = own || s.text(0) == row.key; });
    if (foreign_ && anything(*foreign_))
        for (const Touched& touched : difference(foreign_->before, foreign_->after.front())) own = own || touched.row == row;
    return own;
}

// Words that meet an unsent change of the same author are joined with his at once: then it is a change of what he sees.
void Device::say_shown(Said& said, const Cell& cell, Value shown, Value edited) {
    const model::Entity& entity = scene_.model.entity(cell.first.entity);
    const model::Attribute& attribute = entity.attributes[cell.second];
    if (attribute.merge == model::Merge::kText && entity.conflict != model::Conflict::kLast) {
        const auto rows = read_images(app_->db(), scene_.model);
        const auto row = rows ? rows->find(cell.first) : Images::const_iterator{};
        const bool texts = rows && row != rows->end() && std::holds_alternative<std::string>(shown) && std::holds_alternative<std::string>(edited) && std::holds_alternative<std::string>(row->second[cell.second]);
        if (texts && has_own_changes(cell.first)) {
            const Result3 joined = skerry::kit::resolve(attribute, {shown, edited, row->second[cell.second], Earlier::kMerged, {}});
            if (joined.effect != Effect::kAsk) return;
        }
    }
    said.shown.insert_or_assign(cell, std::move(shown));
    if (auto canonical = model::canonical(entity, attribute, edited)) said.edited.insert_or_assign(cell, std::move(*canonical));
}

// A decision is made with the server's present row in view: that is what its writes name as the old values.
void Device::show_decided(const ConflictRecord& record, const Resolution& resolution, Said& said) {
    EntityIx ix;
    const model::Entity* entity = scene_.model.find(record.entity, &ix);
    if (entity == nullptr || resolution.choice == Choice::kTheirs) return;
    const auto show = [&](const std::string& name, const Value& chosen) {
        const auto at = entity->attribute_named(name);
        if (!at || (is_difference(entity->attributes[*at]) && entity->conflict != model::Conflict::kLast)) return;
        for (const ConflictField& field : record.fields)
            if (field.attribute == name && field.theirs) say_shown(said, {{ix, record.key}, *at}, *field.theirs, chosen);
    };
    if (resolution.choice == Choice::kMix)
        for (const auto& [name, value] : resolution.values) show(name, value);
    if (resolution.choice == Choice::kMine && record.operation != "delete")
        for (const ConflictField& field : record.fields)
            if (field.mine) show(field.attribute, *field.mine);
}

void Device::resolve(std::uint64_t nth, Choice choice, std::uint64_t pick) {
    if (!is_up() || !app_->has_model()) return;
    store::Records records(*app_);
    const auto open = records.list(false);
    if (!open) return fail("test", "listing conflicts: " + describe(open.error()));
    if (open->empty()) return;
    const ConflictRecord& chosen = (*open)[nth % open->size()];
    Resolution resolution{choice, {}};
    const model::Entity* entity = scene_.model.find(chosen.entity);
    // What belongs to a group is not mixed: a group is whole, or P4 could not be looked at.
    if (choice == Choice::kMix && scene_.kits_own && (chosen.entity == "grp" || chosen.entity == "total")) resolution.choice = Choice::kMine;
    if (resolution.choice == Choice::kMix) {
        SeededRandom random = stream(scene_.seed, "mix", pick);
        for (const ConflictField& field : chosen.fields)
            if (field.mine && resolution.values.size() < 2)
                resolution.values.emplace_back(field.attribute, scene_.new_value(random, *entity, entity->attributes[*entity->attribute_named(field.attribute)]));
        if (resolution.values.empty()) resolution.choice = Choice::kTheirs;
    }
    Said said;
    show_decided(chosen, resolution, said);
    for (const ConflictRecord& other : *open)
        if (!chosen.batch.empty() && other.batch == chosen.batch && other.id != chosen.id)
            show_decided(other, {resolution.choice == Choice::kMix ? Choice::kMine : resolution.choice, {}}, said);
    constexpr std::string_view kNames[] = {"resolve.mine", "resolve.theirs", "resolve.mix"};
    by_library(kNames[static_cast<std::size_t>(resolution.choice)], said, [&] { return records.resolve(chosen.id, resolution); });
}

std::vector<Device::DraftFact> Device::open_drafts() {
    std::vector<DraftFact> out;
    each(app_->db(), "SELECT number, root, device, payload FROM skerry_draft WHERE state = 1 ORDER BY number", [&](sqlite::Statement& s) {
        DraftFact fact{s.integer(0), s.integer(1), s.blob(2) == identity_, std::string(s.blob(2)), 0};
        if (const auto label = scene_.labels.find(id_of_payload(s.blob(3))); label != scene_.labels.end()) fact.label = label->second;
        out.push_back(std::move(fact));
    });
    return out;
}

// A condition on a row that moves to another key would move with it, unseen.
bool Device::is_asserted(const std::vector<DraftFact>& open, const DraftFact& chosen, const RowChange& change) const {
    for (const DraftFact& member : open)
        for (const Assertion& one : scene_.oracle.txn(member.label).said.asserts)
            if (member.root == chosen.root && one.row.key == change.key && scene_.model.entity(one.row.entity).name == change.entity) return true;
    return false;
}

bool Device::is_decided(const RowChange& change) {
    bool open = false;
    each(app_->db(), "SELECT id FROM skerry_conflict WHERE state = 'open'", [&](sqlite::Statement& s) { open = open || s.text(0) == change.key; });
    return change.entity == "skerry_conflict" && !open;
}

void Device::mend_draft(std::uint64_t nth, Mend how, std::uint64_t pick) {
    if (!is_up() || !app_->has_model()) return;
    const auto open = open_drafts();
    if (open.empty()) return;
    const DraftFact& chosen = open[nth % open.size()];
    const auto number = static_cast<std::uint64_t>(chosen.number);
    store::Drafts drafts(*app_);
    if (how == Mend::kEdit) {
        const auto draft = drafts.get(number);
        if (!draft) return fail("test", "reading a draft: " + describe(draft.error()));
        SeededRandom random = stream(scene_.seed, "edit", pick);
        for (const RowChange& change : draft->changes) {
            const model::Entity* entity = scene_.model.find(change.entity);
            if (change.operation == "delete" || change.fields.empty() || entity->builtin() || (scene_.kits_own && (change.entity == "grp" || change.entity == "total"))) continue;
            const auto& field = change.fields[random.below(change.fields.size())];
            const model::Attribute& attribute = entity->attributes[*entity->attribute_named(field.attribute)];
            std::pair<std::string, Value> edit{field.attribute, attribute.references ? Value{Null{}} : scene_.new_value(random, *entity, attribute)};
            // A taken key is changed to another one.
            if (draft->code == "key_taken" && change.operation == "insert" && entity->key.type == model::Type::kText && !is_asserted(open, chosen, change))
                edit = {entity->key.name, change.key + "2"};
            for (const DraftFact& member : open)
                if (member.root == chosen.root) edited_drafts_.insert(member.label);
            by_library("draft.edit", {}, [&] { return drafts.edit(number, change.entity, change.key, {edit}); }, Numbers::kNo);
            break;
        }
        if (!is_up()) return;
    }
    Said said;
    for (const DraftFact& member : open) {
        if (member.device != chosen.device || member.root != chosen.root) continue;
        const Said& first = scene_.oracle.txn(member.label).said;
        if (member.of_this_identity) {
            said.redo_of.insert(member.label);
            // What an earlier try was to mend is open on the server still.
            said.redo_of.insert(first.redo_of.begin(), first.redo_of.end());
        }
        if (how == Mend::kDiscard) continue;
        const auto draft = drafts.get(static_cast<std::uint64_t>(member.number));
        if (!draft) return fail("test", "reading a draft: " + describe(draft.error()));
        // A decision on a record that others have decided is left out, and of a draft with nothing else its terms too.
        if (!draft->changes.empty() && std::ranges::all_of(draft->changes, [&](const RowChange& change) { return is_decided(change); })) continue;
        said.strict = said.strict || first.strict;
        said.asserts.insert(said.asserts.end(), first.asserts.begin(), first.asserts.end());
        for (const RowChange& change : draft->changes) {
            EntityIx ix;
            const model::Entity* entity = scene_.model.find(change.entity, &ix);
            if (change.operation != "update") continue;
            for (const auto& field : change.fields) {
                const std::uint32_t at = *entity->attribute_named(field.attribute);
                if (!field.now || is_difference(entity->attributes[at])) continue;
                const Cell cell{{ix, change.key}, at};
                // Of a large blob only a hash says what it was: it is written over what an earlier draft of the group left.
                if (const auto edited = said.edited.find(cell); !field.was && edited != said.edited.end()) edited->second = *field.now;
                if (field.was && *field.was != *field.now) say_shown(said, cell, *field.was, *field.now);
            }
        }
    }
    if (how == Mend::kDiscard) {
        by_library("draft.discard", said, [&]() -> Result<void> {
            SKERRY_TRY(drafts.discard(number));
            return {};
        });
    } else {
        by_library("draft.retry", said, [&]() -> Result<void> {
            SKERRY_TRY(drafts.retry(number));
            return {};
        });
    }
}

// Every draft holds what its author wrote, under the code that the server gave.
void Device::check_drafts() {
    constexpr std::string_view kOperations[] = {"insert", "update", "delete"};
    store::Drafts drafts(*app_);
    for (const DraftFact& fact : open_drafts()) {
        if (fact.label == 0) return fail("drafts", "draft " + std::to_string(fact.number) + " was made by nobody");
        const Txn& txn = scene_.oracle.txn(fact.label);
        const auto draft = drafts.get(static_cast<std::uint64_t>(fact.number));
        if (!draft) return fail("drafts", "draft " + std::to_string(fact.number) + ": " + describe(draft.error()));
        if (edited_drafts_.contains(fact.label) || restored_) continue;
        const std::string wrong = "draft of " + scene_.oracle.describe(fact.label);
        if (draft->changes.size() != txn.ops.size()) return fail("drafts", wrong + " has " + std::to_string(draft->changes.size()) + " rows");
        for (const RowChange& change : draft->changes) {
            EntityIx ix;
            static_cast<void>(scene_.model.find(change.entity, &ix));
            const auto op = std::find_if(txn.ops.begin(), txn.ops.end(), [&](const Op& one) { return one.row == RowId{ix, change.key}; });
            if (op == txn.ops.end() || change.operation != kOperations[static_cast<std::size_t>(op->kind)])
                return fail("drafts", wrong + ": " + change.operation + " of '" + change.key + "'");
            const auto now = [&](std::size_t i) { return op->kind == Kind::kInsert ? op->values[i] : op->changes[i].now; };
            const std::size_t fields = op->kind == Kind::kInsert ? op->values.size() : op->changes.size();
            if (change.fields.size() != fields) return fail("drafts", wrong + ": '" + change.key + "' has " + std::to_string(change.fields.size()) + " values");
            for (std::size_t i = 0; i < fields; ++i)
                if (change.fields[i].now != std::optional(now(i))) return fail("drafts", wrong + ": '" + change.key + "'." + change.fields[i].attribute + " is another");
        }
    }
}

}  // namespace skerry::kit
