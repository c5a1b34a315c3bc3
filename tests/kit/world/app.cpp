// What apps and other programs do on a device, as they do it and as they see it.
#include "kit/world/bad_disk.hpp"
#include "kit/world/device.hpp"

namespace skerry::kit {

// ---- the app ----

void Device::sql(std::string_view statement, const std::vector<Value>& parameters) {
    auto done = transaction([&](store::Store& store) -> Result<void> {
        SKERRY_TRY(store.sql(statement, parameters));
        return {};
    });
    if (!done && is_up()) fail("test", std::string(statement) + ": " + describe(done.error()));
}

Result<void> Device::transaction(const std::function<Result<void>(store::Store&)>& work, bool keep) {
    return transaction([&](store::Store& store, Said&) { return work(store); }, keep);
}

Result<void> Device::transaction(const Work& work, bool keep, bool strict) {
    if (!is_up()) return skerry::fail(Code::kIo, "the device is down");
    Result<void> result = app_->begin({.strict = strict});
    Open open;
    open.said.strict = strict;
    if (result) {
        auto before = read_images(app_->db(), scene_.model);
        result = work(*app_, open.said);
        auto after = read_images(app_->db(), scene_.model);
        if (before && after) {
            open.before = std::move(*before);
            open.after.push_back(std::move(*after));
        } else if (!disk_->is_down()) {
            fail("test", "reading inside a transaction: " + describe(before ? after.error() : before.error()));
        }
        if (!result || !keep) {
            app_->rollback();
        } else {
            result = app_->commit();
            if (!result) app_->rollback();
        }
    }
    const bool committed = result && keep && !disk_->is_down();
    scene_.trace.line(options_.name, committed ? "commit" : result ? "rollback" : "refused: " + std::string(code_name(result.error().code)));
    if (disk_->is_down()) {
        // The power failed inside the commit, or the last write of it: nobody was told, either may be true.
        if (!open.after.empty() && keep) in_doubt_ = std::move(open);
        die();
        return result ? skerry::fail(Code::kIo, "the device went down") : result;
    }
    if (committed) {
        observe(open, true);
        event({}, [&] { host_->app_wrote(); });
    } else {
        after_event();
    }
    return result;
}

void Device::show_forms() {
    if (!is_up()) return;
    if (auto rows = read_images(app_->db(), scene_.model)) forms_ = std::move(*rows);
}

// What a form showed of the row, and what its user made of it. A form on a row that is gone writes nothing.
Result<void> Device::edit_shown(store::Store& store, const Write& write, Said& said) {
    EntityIx ix;
    const model::Entity* entity = scene_.model.find(write.entity, &ix);
    const RowId row{ix, write.key};
    const auto form = forms_.find(row);
    if (form == forms_.end()) return {};
    std::vector<std::pair<std::string, Value>> shown;
    Said changed;
    for (const auto& [name, value] : write.values) {
        const std::uint32_t attribute = *entity->attribute_named(name);
        const Value& was = form->second[attribute];
        shown.emplace_back(name, was);
        // Counters and sets take the difference, on what the store holds.
        const model::Merge merge = entity->attributes[attribute].merge;
        const bool difference = entity->conflict != model::Conflict::kLast && (merge == model::Merge::kCounter || merge == model::Merge::kSet);
        if (was != value && !difference) say_shown(changed, Cell{row, attribute}, was, value);
    }
    auto done = store.update(write.entity, write.key, shown, write.values);
    if (done)
        for (auto& [cell, was] : changed.shown) said.shown.insert_or_assign(cell, std::move(was));
    return done;
}

Result<void> Device::assert_that(store::Store& store, const Write& write, Said& said) {
    EntityIx ix;
    static_cast<void>(scene_.model.find(write.entity, &ix));
    const std::string& condition = std::get<std::string>(write.values.front().second);
    SKERRY_TRY(store.assert_row(write.entity, write.key, condition));
    said.asserts.push_back({{ix, write.key}, condition});
    return {};
}

// An app lets people choose among the rows that it shows: what they refer to is there when they write.
bool Device::is_offered(store::Store& store, const Write& write) const {
    const model::Entity* entity = scene_.model.find(write.entity);
    for (const auto& [name, value] : write.values) {
        const auto at = entity->attribute_named(name);
        const auto& to = at ? entity->attributes[*at].references : std::nullopt;
        const auto* key = std::get_if<std::string>(&value);
        if (!to || key == nullptr || (&scene_.model.entity(*to) == entity && *key == write.key)) continue;
        const model::Entity& parent = scene_.model.entity(*to);
        auto there = store.db().prepare_once("SELECT 1 FROM " + sqlite::quote_name(parent.name) + " WHERE " + sqlite::quote_name(parent.key.name) + " = ?1");
        if (!there || !(*there)->bind_text(1, *key).step().value_or(false)) return false;
    }
    return true;
}

Result<void> Device::app(const std::vector<Write>& writes, bool keep, bool strict) {
    scene_.writing = &writes;
    auto committed = transaction([&](store::Store& store, Said& said) -> Result<void> {
        const Say target = [&](const std::string& sql, const std::vector<Value>& parameters) -> Result<void> {
            SKERRY_TRY(store.sql(sql, parameters));
            return {};
        };
        for (const Write& write : writes) {
            if (!scene_.kits_own && !is_offered(store, write)) continue;
            Result<void> done;
            switch (write.kind) {
                case WriteKind::kEditShown: done = edit_shown(store, write, said); break;
                case WriteKind::kAssert: done = assert_that(store, write, said); break;
                default: done = say(write, scene_.model, target); break;
            }
            const bool refused = !done && (is_answer(done.error().code) || done.error().code == Code::kAssertFailed || done.error().code == Code::kNotFound);
            if (refused) continue;
            SKERRY_TRY(std::move(done));
        }
        return {};
    }, keep, strict);
    scene_.writing = nullptr;
    return committed;
}

Result<void> Device::program(std::size_t count, const Program& commit, bool recursive) {
    if (!is_up()) return skerry::fail(Code::kIo, "the device is down");
    Result<void> result;
    {
        sqlite::Database db = open_plain();
        if (!db.is_open()) result = skerry::fail(Code::kIo, "no connection");
        if (result) result = db.exec(recursive ? "PRAGMA recursive_triggers = ON" : "PRAGMA recursive_triggers = OFF");
        auto before = result ? read_images(db, scene_.model) : Result<Images>(Images{});
        if (result && before && (!foreign_ || difference(foreign_->before, foreign_->after.front()).empty()))
            foreign_ = Open{*before, {*before}};
        for (std::size_t i = 0; i < count && result && before; ++i) {
            result = db.exec("BEGIN IMMEDIATE");
            if (result) result = commit(i, db);
            if (result && !db.in_transaction()) continue;  // it was rolled back
            auto after = result ? read_images(db, scene_.model) : Result<Images>(Images{});
            if (result) result = db.exec("COMMIT");
            if (!result && !disk_->is_down()) write_over_refused(db);
            if (result && !disk_->is_down()) {
                foreign_->after = {*after};
            } else if (disk_->is_down() && after && !after->empty()) {
                foreign_->after.push_back(*after);
            }
        }
        if (!result && !disk_->is_down() && !met_bad_disk(result.error())) fail("test", "another program: " + describe(result.error()));
    }
    scene_.trace.line(options_.name, "another program wrote");
    if (disk_->is_down()) die();
    return result;
}

Result<void> Device::foreign(const std::vector<std::vector<Write>>& commits, bool recursive_triggers) {
    return program(commits.size(), [&](std::size_t i, sqlite::Database& db) -> Result<void> {
        for (const Write& write : commits[i]) SKERRY_TRY(say(write, scene_.model, plainly(db)));
        return {};
    }, recursive_triggers);
}
Result<void> Device::foreign(const std::vector<std::string>& commits, bool recursive_triggers) {
    return program(commits.size(), [&](std::size_t i, sqlite::Database& db) { return plainly(db)(commits[i], {}); }, recursive_triggers);
}

}  // namespace skerry::kit
