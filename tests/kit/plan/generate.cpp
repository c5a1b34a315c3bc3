// Plans from seeds. Every class of fault is off altogether in a quarter of the seeds, so that each is also
// seen alone; the key space is small, so that devices meet on the same rows.
#include <algorithm>

#include "kit/events/seeds.hpp"
#include "kit/plan/plan.hpp"
#include "kit/plan/values.hpp"
#include "kit/plan/weather.hpp"

namespace skerry::kit {

namespace {

// How often each entity is written, in a thousand; the rest are notes.
constexpr std::pair<std::string_view, std::uint64_t> kShares[] = {
    {"item", 110}, {"site", 80}, {"visit", 60}, {"task", 40}, {"mark", 40}, {"card", 180}, {"form", 30},
    {"flag", 50},  {"pair", 20}, {"back", 60},  {"keep", 50}, {"nat", 50}};
// Of what is written in worlds with profiles, in a thousand.
constexpr std::uint64_t kLeafShare = 80;
constexpr std::uint64_t kMoreVisits = 120;  // they move between scopes

struct Generator {
    std::uint64_t seed;
    Plan plan;
    SeededRandom random;
    std::int64_t keys = 6;
    std::int64_t devices = 2;
    bool typed = true;  // entities beside note and item
    bool scoped = false;
    bool server_restore = false;
    std::uint64_t groups = 0;
    std::map<std::uint32_t, std::vector<std::string>> own_groups;

    explicit Generator(std::uint64_t s) : seed(s), random(stream(s, "workload")) {}

    bool allowed(std::string_view fault) const { return is_allowed(seed, fault); }

    std::string note_key() {
        static constexpr std::string_view kOdd[] = {"k with space", "schlüssel", "", "'", "K1"};
        const auto i = random.below(static_cast<std::uint64_t>(keys));
        if (chance(random, 80)) return std::string(kOdd[random.below(std::size(kOdd))]);
        return "k" + std::to_string(i);
    }
    std::string item_key() {
        const auto i = random.below(static_cast<std::uint64_t>(keys));
        std::string key = "018f0000-0000-7000-8000-00000000000";
        key.push_back("0123456789abcdef"[i % 16]);
        return key;
    }
    std::string entity() {
        if (scoped && typed && chance(random, kLeafShare)) return "leaf";
        if (scoped && typed && chance(random, kMoreVisits)) return "visit";
        std::uint64_t dice = random.below(1000);
        if (!typed) return dice < 650 ? "note" : "item";
        for (const auto& [name, share] : kShares) {
            if (dice < share) return std::string(name);
            dice -= share;
        }
        return "note";
    }
    std::string key_of(const std::string& entity) {
        if (entity == "note") return note_key();
        if (entity == "item") return item_key();
        return std::string(1, static_cast<char>('a' + random.below(static_cast<std::uint64_t>(std::min<std::int64_t>(keys, 5)))));
    }

    // All attributes, or some of them where a statement names only what it changes.
    void add_values(Write& write, bool some, Oddity oddity) {
        const model::Model& model = model_of(plan);
        const model::Entity& of = *model.find(write.entity);
        for (const model::Attribute& attribute : of.attributes) {
            if (chance(random, some ? (of.attributes.size() > 5 ? 750 : 450) : typed && of.attributes.size() > 5 ? 300 : 0)) continue;
            write.values.emplace_back(attribute.name, random_value(random, model, of, attribute, oddity));
        }
        if (!write.values.empty()) return;
        const model::Attribute& attribute = of.attributes[random.below(of.attributes.size())];
        write.values.emplace_back(attribute.name, random_value(random, model, of, attribute, oddity));
    }

    Write row_write(Oddity oddity) {
        Write write;
        write.entity = entity();
        write.key = key_of(write.entity);
        using Mix = std::pair<WriteKind, std::uint64_t>;
        static constexpr Mix kMix[] = {{WriteKind::kInsert, 220}, {WriteKind::kInsertIgnore, 60}, {WriteKind::kReplace, 90},
                                       {WriteKind::kUpsert, 110}, {WriteKind::kUpdate, 290},      {WriteKind::kUpdateMany, 40},
                                       {WriteKind::kDelete, 130}, {WriteKind::kReinsert, 60}};
        // Where policies differ rows are changed rather than made anew, or most transactions would end as key_taken.
        static constexpr Mix kTypedMix[] = {{WriteKind::kInsert, 60},  {WriteKind::kInsertIgnore, 40}, {WriteKind::kReplace, 50},
                                            {WriteKind::kUpsert, 80},  {WriteKind::kUpdate, 580},      {WriteKind::kUpdateMany, 50},
                                            {WriteKind::kDelete, 110}, {WriteKind::kReinsert, 30}};
        std::uint64_t dice = random.below(1000);
        for (const auto& [kind, share] : write.entity == "note" || write.entity == "item" ? kMix : kTypedMix) {
            write.kind = kind;
            if (dice < share) break;
            dice -= share;
        }
        if (write.kind == WriteKind::kDelete) return write;
        add_values(write, write.kind == WriteKind::kUpdate || write.kind == WriteKind::kUpdateMany, oddity);
        return write;
    }

    // What only the library's own transactions can say.
    Write said() {
        Write write;
        if (chance(random, 850)) {
            write.kind = WriteKind::kEditShown;
            write.entity = entity();
            write.key = key_of(write.entity);
            add_values(write, true, Oddity::kStorable);
            return write;
        }
        static constexpr std::pair<std::string_view, std::string_view> kConditions[] = {
            {"card", "hi >= 3"}, {"card", "visits < 100"}, {"card", "kind = 'open'"}, {"note", "n <> 7"}, {"item", "qty <= 50"}, {"back", "n > 0"}};
        const auto& [name, condition] = kConditions[random.below(std::size(kConditions))];
        write = {WriteKind::kAssert, std::string(name), {}, {{"if", std::string(condition)}}, 0};
        write.key = key_of(write.entity);
        return write;
    }

    std::vector<Write> writes(std::uint32_t device, bool foreign) {
        std::vector<Write> out;
        const auto n = chance(random, 600) ? 1 : between(random, 2, 6);
        for (std::int64_t i = 0; i < n; ++i) {
            if (chance(random, 120)) {
                auto& own = own_groups[device];
                if (!own.empty() && chance(random, 300)) {
                    out.push_back({WriteKind::kDeleteGroup, "grp", own[random.below(own.size())], {}, 0});
                } else {
                    const std::string name = "g" + std::to_string(groups++) + (foreign ? "f" : "");
                    const auto rows = between(random, 2, 5);
                    out.push_back({WriteKind::kGroup, "grp", name, {}, rows});
                    own.push_back(name);
                }
                continue;
            }
            // Only plain SQL programs can roll back to a savepoint: the library refuses ROLLBACK in all its forms.
            const bool save = foreign && chance(random, 80);
            if (save) out.push_back({WriteKind::kSavepoint, "", "", {}, 0});
            out.push_back(row_write(Oddity::kAlsoRefused));
            if (typed && !foreign && chance(random, 120)) out.push_back(said());
            if (save) out.push_back({chance(random, 600) ? WriteKind::kRollbackTo : WriteKind::kRelease, "", "", {}, 0});
        }
        return out;
    }

    Step& add(std::int64_t at, StepKind kind, std::uint32_t device) { return add_step(plan, at, kind, device); }

    std::uint32_t any_device(Random& r) { return static_cast<std::uint32_t>(r.below(static_cast<std::uint64_t>(devices))); }

    // The time is drawn first, then the device.
    Step& add_somewhere(Random& r, std::int64_t duration, StepKind kind) {
        const std::int64_t at = between(r, 0, duration);
        return add(at, kind, any_device(r));
    }

    void settings() {
        SeededRandom r = stream(seed, "swarm");
        devices = between(r, 2, chance(r, 300) ? 6 : 4);
        keys = between(r, 2, 10);
        plan.settings["devices"] = devices;
        plan.settings["users"] = between(r, 1, std::min<std::int64_t>(devices, 3));
        plan.settings["two_connections"] = chance(r, 500) ? 1 : 0;
        plan.settings["tick_ms"] = chance(r, 500) ? 50 : between(r, 100, 2'000);
        plan.settings["seed_rows"] = chance(r, 350) ? between(r, 10, 120) : 0;
        plan.settings["slice_rows"] = chance(r, 500) ? between(r, 1, 30) : 0;
        plan.settings["duration_ms"] = between(r, 5'000, 90'000);
        // After a restore of the server transactions are judged anew: what people make of the first verdict is another story.
        SeededRandom restore = stream(seed, "server-restore-dice");
        server_restore = allowed("server-restore") && chance(restore, 150);
        typed = allowed("typed") && !server_restore;
        plan.settings["seed_typed"] = typed && chance(r, 700) ? between(r, 1, 4) : 0;
        SeededRandom p = stream(seed, "profiles");
        scoped = chance(p, 600);
        plan.settings["scoped"] = scoped ? 1 : 0;
        if (scoped && typed) plan.settings["seed_typed"] = between(p, 3, 4);  // without sites there are no scopes to speak of
        for (std::int64_t user = 0; scoped && user < plan.setting("users"); ++user) {
            if (!chance(p, 200)) plan.settings["role" + std::to_string(user)] = between(p, 0, 2);
            if (chance(p, 400)) plan.settings["profile" + std::to_string(user)] = between(p, 0, 2);
        }
    }

    void people(std::int64_t duration) {
        SeededRandom r = stream(seed, "people-plan");
        const bool decide = allowed("resolve");
        const bool mend = allowed("drafts");
        for (std::uint32_t d = 0; typed && d < devices; ++d) {
            for (std::int64_t i = between(r, 0, 3); i > 0; --i) add(between(r, 0, duration), StepKind::kShow, d);
            if (decide)
                for (std::int64_t i = between(r, 0, 4); i > 0; --i) {
                    static constexpr std::string_view kChoices[] = {"mine", "theirs", "mix"};
                    Step& step = add(between(r, duration / 4, duration), StepKind::kResolve, d);
                    step.args["nth"] = std::to_string(r.below(10));
                    step.args["choice"] = kChoices[r.below(3)];
                }
            if (mend)
                for (std::int64_t i = between(r, 0, 3); i > 0; --i) {
                    static constexpr std::string_view kWays[] = {"retry", "edit", "discard"};
                    Step& step = add(between(r, duration / 4, duration), StepKind::kDraft, d);
                    step.args["nth"] = std::to_string(r.below(10));
                    step.args["do"] = kWays[r.below(3)];
                }
        }
    }

    // Disks that are full for a while.
    void full_disks(std::int64_t duration) {
        SeededRandom r = stream(seed, "disk-full-plan");
        if (!allowed("disk-full") || !chance(r, 400)) return;
        for (std::int64_t i = between(r, 1, devices); i > 0; --i) {
            const bool server = chance(r, 250);
            Step& step = add(between(r, 0, duration), server ? StepKind::kServerDiskFull : StepKind::kDiskFull, server ? 0 : any_device(r));
            step.args["room"] = std::to_string(chance(r, 500) ? between(r, 0, 4'096) : between(r, 0, 60'000));
            step.args["for"] = std::to_string(between(r, 500, 20'000));
        }
    }

    // A write or a sync that fails now and then. One at a time: where the next one fails as well, what was refused cannot
    // be written over, and may come back after a crash.
    void failing_disks(std::int64_t duration) {
        SeededRandom r = stream(seed, "disk-fails-plan");
        if (!allowed("disk-fails") || !chance(r, 300)) return;
        for (std::int64_t i = between(r, 1, 2 * devices); i > 0; --i) {
            const bool server = chance(r, 250);
            Step& step = add(between(r, 0, duration), server ? StepKind::kServerDiskFails : StepKind::kDiskFails, server ? 0 : any_device(r));
            step.args["what"] = chance(r, 600) ? "sync" : "write";
            step.args["skip"] = std::to_string(between(r, 0, 40));
            step.args["for"] = std::to_string(between(r, 500, 10'000));
        }
    }

    void odd_things(std::int64_t duration) {
        SeededRandom r = stream(seed, "odd-plan");
        if (allowed("clock-jump"))
            for (std::int64_t i = between(r, 0, 3); i > 0; --i)
                add_somewhere(r, duration, StepKind::kClock).args["by"] =
                    std::to_string(chance(r, 500) ? between(r, -86'400'000, 86'400'000) : between(r, -5'000, 5'000));
        if (allowed("server-sql"))
            for (std::int64_t i = between(r, 0, 8); i > 0; --i) {
                Step& step = add(between(r, 0, duration), StepKind::kServerSql, 0);
                for (std::int64_t k = between(r, 1, 2); k > 0; --k) {
                    auto& commit = step.commits.emplace_back();
                    for (std::int64_t w = between(r, 1, 4); w > 0; --w) commit.push_back(row_write(Oddity::kStorable));
                }
            }
        if (allowed("bad-token") && chance(r, 400))
            add_somewhere(r, duration, StepKind::kBadToken).args["for"] = std::to_string(between(r, 500, 20'000));
        if (allowed("join") && chance(r, 400)) add_somewhere(r, duration, StepKind::kJoin);
        if (server_restore) {
            const std::int64_t at = between(r, 0, duration);
            add(at, StepKind::kServerBackup, 0);
            add(between(r, at, duration), StepKind::kServerRestore, 0);
            return;
        }
        if (allowed("clone") && chance(r, 250)) add_somewhere(r, duration, StepKind::kClone);
        if (allowed("restore") && chance(r, 250)) {
            const std::uint32_t d = any_device(r);
            const std::int64_t at = between(r, 0, duration);
            add(at, StepKind::kBackup, d);
            add(between(r, at, duration), StepKind::kRestore, d);
        }
    }

    // Days, weeks or a year in which one device is off while others go on now and then.
    void absences(std::int64_t duration) {
        SeededRandom r = stream(seed, "absence-plan");
        if (!allowed("absence") || !chance(r, 350)) return;
        plan.settings["retention_days"] = between(r, 1, 120);
        const std::int64_t from = between(r, 0, duration / 2);
        const std::int64_t to = between(r, duration * 2 / 3, duration);
        const std::int64_t leap = between(r, from, to);
        if (chance(r, 800)) {
            const std::uint32_t d = any_device(r);
            add(from, StepKind::kSleep, d);
            add(to + 1, StepKind::kWake, d);
            // What it will not be told when it is back: the tombstones are forgotten by then.
            auto& commit = add(between(r, from, leap), StepKind::kServerSql, 0).commits.emplace_back();
            for (const char* entity : {"item", "note", "back", "keep", "card"})
                commit.push_back({WriteKind::kDelete, entity, key_of(entity), {}, 0});
        }
        for (std::int64_t i = between(r, 1, 3); i > 0; --i)
            add(i == 1 ? leap : between(r, from, to), StepKind::kLeap, 0).args["days"] = std::to_string(chance(r, 400) ? between(r, 1, 20) : between(r, 20, 400));
    }

    // What users may have changes: rows of `member` come, go and say something else.
    void grants(std::int64_t duration) {
        if (!scoped || !typed || !allowed("grants")) return;
        SeededRandom r = stream(seed, "grants-plan");
        const model::Model& model = model_of(plan);
        const model::Entity& member = *model.find("member");
        for (std::int64_t i = between(r, 0, 10); i > 0; --i) {
            Step& step = add(between(r, 0, duration), StepKind::kServerSql, 0);
            auto& commit = step.commits.emplace_back();
            for (std::int64_t w = between(r, 1, 3); w > 0; --w) {
                static constexpr WriteKind kKinds[] = {WriteKind::kUpsert, WriteKind::kUpsert, WriteKind::kUpdate, WriteKind::kDelete, WriteKind::kUpdateMany};
                Write write{kKinds[r.below(std::size(kKinds))], "member", "m" + std::to_string(r.below(6)), {}, 0};
                for (const model::Attribute& attribute : member.attributes)
                    if (write.kind != WriteKind::kDelete && (write.kind == WriteKind::kUpsert || chance(r, 500)))
                        write.values.emplace_back(attribute.name, random_value(r, model, member, attribute, Oddity::kStorable));
                if (write.kind == WriteKind::kDelete || !write.values.empty()) commit.push_back(std::move(write));
            }
            if (commit.empty()) plan.steps.pop_back();
        }
    }

    void work(std::int64_t duration) {
        const bool foreign = allowed("foreign");
        const bool live = allowed("live");
        for (std::uint32_t d = 0; d < devices; ++d) {
            const auto n = between(random, 3, 18);
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int64_t at = between(random, 0, duration);
                if (foreign && chance(random, 200)) {
                    Step& step = add(at, StepKind::kForeign, d);
                    step.args["recursive"] = chance(random, 500) ? "1" : "0";
                    for (std::int64_t k = between(random, 1, 3); k > 0; --k) step.commits.push_back(writes(d, true));
                    if (chance(random, 500)) add(at + 1, StepKind::kLook, d);
                    continue;
                }
                Step& step = add(at, StepKind::kTxn, d);
                step.args["end"] = chance(random, 60) ? "rollback" : "commit";
                if (typed && chance(random, 60)) step.args["strict"] = "1";
                step.commits.push_back(writes(d, false));
            }
            const auto syncs = between(random, 1, 6);
            for (std::int64_t i = 0; i < syncs; ++i) add(between(random, 0, duration), StepKind::kSync, d);
            if (live && chance(random, 400)) {
                const std::int64_t at = between(random, 0, duration);
                add(at, StepKind::kLive, d).args["on"] = "1";
                if (chance(random, 400)) add(at + between(random, 500, 30'000), StepKind::kLive, d).args["on"] = "0";
            }
        }
    }
};

}  // namespace

Plan generate_plan(std::uint64_t seed) {
    Generator g(seed);
    g.plan.seed = seed;
    g.settings();
    const std::int64_t duration = g.plan.setting("duration_ms");
    g.work(duration);
    const Weather weather{seed, g.devices};
    weather.network(g.plan, duration);
    weather.crashes(g.plan, duration);
    g.odd_things(duration);
    g.people(duration);
    g.grants(duration);
    g.absences(duration);
    g.full_disks(duration);
    g.failing_disks(duration);
    sort_by_time(g.plan);
    return std::move(g.plan);
}

}  // namespace skerry::kit
