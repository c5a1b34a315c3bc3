// Plans from seeds. Every class of fault is off altogether in a quarter of the seeds, so that each is also
// seen alone; the key space is small, so that devices meet on the same rows.
#include <algorithm>

#include "kit/events/seeds.hpp"
#include "kit/net/faults.hpp"
#include "kit/plan/plan.hpp"

namespace skerry::kit {

namespace {

constexpr std::string_view kTexts[] = {
    "", "a", "b", "ä", "naïve café", "日本語", "\xF0\x9F\x98\x80 emoji", "e\xCC\x81", "line\nbreak", "quote ' \" ;",
    "%41 percent", "  spaces  ", "NULL", "0", "-1", "1e3", "\xEF\xBB\xBF bom", "Z\xCC\x8A\xE2\x80\xAE rtl"};
constexpr std::int64_t kIntegers[] = {0, 1, -1, 2, 7, 100, INT64_MAX, INT64_MIN, 9007199254740993, -9007199254740993, 4294967296};

struct Generator {
    std::uint64_t seed;
    Plan plan;
    SeededRandom random;
    std::int64_t keys = 6;
    std::int64_t devices = 2;
    std::uint64_t groups = 0;
    std::map<std::uint32_t, std::vector<std::string>> own_groups;

    explicit Generator(std::uint64_t s) : seed(s), random(stream(s, "workload")) {}

    bool allowed(std::string_view fault) {
        SeededRandom dice = stream(seed, fault);
        return !chance(dice, 250);
    }

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
    Value text() {
        if (chance(random, 120)) return Null{};
        if (chance(random, 30)) {
            std::string long_text(static_cast<std::size_t>(between(random, 200, 5000)), 'x');
            return long_text += std::to_string(random.below(99));
        }
        if (chance(random, 300)) return std::string(kTexts[random.below(std::size(kTexts))]);
        return "t" + std::to_string(random.below(1000));
    }
    Value integer() {
        if (chance(random, 120)) return Null{};
        if (chance(random, 300)) return kIntegers[random.below(std::size(kIntegers))];
        return static_cast<std::int64_t>(random.below(1000));
    }

    Write row_write(bool server) {
        Write write;
        const bool note = chance(random, 650);
        write.entity = note ? "note" : "item";
        write.key = note ? note_key() : item_key();
        static constexpr std::pair<WriteKind, std::uint64_t> kMix[] = {
            {WriteKind::kInsert, 220}, {WriteKind::kInsertIgnore, 60}, {WriteKind::kReplace, 90},
            {WriteKind::kUpsert, 110}, {WriteKind::kUpdate, 290},      {WriteKind::kUpdateMany, 40},
            {WriteKind::kDelete, 130}, {WriteKind::kReinsert, 60}};
        std::uint64_t dice = random.below(1000);
        for (const auto& [kind, share] : kMix) {
            write.kind = kind;
            if (dice < share) break;
            dice -= share;
        }
        if (write.kind == WriteKind::kDelete) return write;
        const bool some = write.kind == WriteKind::kUpdate || write.kind == WriteKind::kUpdateMany;
        const auto add = [&](std::string name, Value value) {
            if (some && chance(random, 450)) return;
            write.values.emplace_back(std::move(name), std::move(value));
        };
        if (note) {
            add("text", text());
            add("n", integer());
            add("tag", text());
        } else {
            add("name", text());
            add("qty", integer());
        }
        if (write.values.empty()) write.values.emplace_back(note ? "n" : "qty", integer());
        static_cast<void>(server);
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
            out.push_back(row_write(false));
            if (save) out.push_back({chance(random, 600) ? WriteKind::kRollbackTo : WriteKind::kRelease, "", "", {}, 0});
        }
        return out;
    }

    Step& add(std::int64_t at, StepKind kind, std::uint32_t device) {
        Step step;
        step.at_ms = at;
        step.kind = kind;
        step.device = device;
        plan.steps.push_back(std::move(step));
        return plan.steps.back();
    }

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
    }

    void network(std::int64_t duration) {
        SeededRandom r = stream(seed, "net-plan");
        std::vector<FateKind> kinds;
        for (const FateKind kind : kAllFates)
            if (allowed(fate_name(kind)) && chance(r, 400)) kinds.push_back(kind);
        const bool tiny = allowed("chunks") && chance(r, 300);
        for (std::uint32_t d = 0; d < devices; ++d) {
            const auto changes = between(r, 1, 3);
            for (std::int64_t i = 0; i < changes; ++i) {
                Step& step = add(i == 0 ? 0 : between(r, 0, duration), StepKind::kNet, d);
                step.args["latency"] = std::to_string(chance(r, 700) ? between(r, 1, 60) : between(r, 60, 3'000));
                step.args["chunk"] = std::to_string(tiny ? between(r, 16, 300) : 65'536);
                step.args["gap"] = std::to_string(allowed("slow") && chance(r, 200) ? between(r, 1, 200) : 0);
                for (const FateKind kind : kinds)
                    if (chance(r, 600)) step.args[std::string(fate_name(kind))] = std::to_string(between(r, 10, 150));
            }
        }
        if (!allowed("partition")) return;
        const auto n = between(r, 0, 3);
        for (std::int64_t i = 0; i < n; ++i) {
            static constexpr std::string_view kWays[] = {"requests", "responses", "both"};
            const std::uint32_t d = any_device(r);
            const std::int64_t at = between(r, 0, duration);
            add(at, StepKind::kPartition, d).args["way"] = kWays[r.below(3)];
            add(at + between(r, 100, 20'000), StepKind::kPartition, d).args["way"] = "none";
        }
    }

    void crashes(std::int64_t duration) {
        SeededRandom r = stream(seed, "crash-plan");
        static constexpr std::string_view kLosses[] = {"kill", "kill-torn", "power-nothing", "power-all",
                                                       "power-prefix", "power-random", "power-torn"};
        const auto crash = [&](StepKind kind, std::uint32_t device) {
            Step& step = add(between(r, 0, duration), kind, device);
            step.args["loss"] = kLosses[r.below(std::size(kLosses))];
            step.args["call"] = std::to_string(chance(r, 300) ? 0 : between(r, 1, 60));
            step.args["back"] = std::to_string(between(r, 10, 8'000));
        };
        if (allowed("device-crash")) {
            const auto n = between(r, 0, 2 * devices);
            for (std::int64_t i = 0; i < n; ++i) crash(StepKind::kCrash, any_device(r));
        }
        if (allowed("server-crash")) {
            const auto n = between(r, 0, 3);
            for (std::int64_t i = 0; i < n; ++i) crash(StepKind::kServerCrash, 0);
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
                    for (std::int64_t w = between(r, 1, 4); w > 0; --w) commit.push_back(row_write(true));
                }
            }
        if (allowed("bad-token") && chance(r, 400))
            add_somewhere(r, duration, StepKind::kBadToken).args["for"] = std::to_string(between(r, 500, 20'000));
        if (allowed("join") && chance(r, 400)) add_somewhere(r, duration, StepKind::kJoin);
        if (allowed("clone") && chance(r, 250)) add_somewhere(r, duration, StepKind::kClone);
        if (allowed("restore") && chance(r, 250)) {
            const std::uint32_t d = any_device(r);
            const std::int64_t at = between(r, 0, duration);
            add(at, StepKind::kBackup, d);
            add(between(r, at, duration), StepKind::kRestore, d);
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

const model::Model& world_model() {
    using model::Attribute;
    using model::Type;
    static const model::Model model = [] {
        model::Model m;
        m.app = "world";
        m.entities = {
            {"note", {"id", Type::kText}, {{"text", Type::kText}, {"n", Type::kInt}, {"tag", Type::kText}}},
            {"item", {"id", Type::kUuid}, {{"name", Type::kText}, {"qty", Type::kInt}}},
            {"grp", {"id", Type::kText}, {{"g", Type::kText}, {"n", Type::kInt}, {"k", Type::kInt}}},
            {"tick", {"id", Type::kText}, {{"v", Type::kInt}}},
            {"total", {"id", Type::kText}, {{"n", Type::kInt}}},
        };
        model::complete(m);
        return m;
    }();
    return model;
}

Plan generate_plan(std::uint64_t seed) {
    Generator g(seed);
    g.plan.seed = seed;
    g.settings();
    const std::int64_t duration = g.plan.setting("duration_ms");
    g.work(duration);
    g.network(duration);
    g.crashes(duration);
    g.odd_things(duration);
    std::multimap<std::int64_t, Step> by_time;  // steps of one moment keep their order
    for (Step& step : g.plan.steps) by_time.emplace(step.at_ms, std::move(step));
    g.plan.steps.clear();
    for (auto& [at, step] : by_time) g.plan.steps.push_back(std::move(step));
    return std::move(g.plan);
}

}  // namespace skerry::kit
