#include "kit/plan/for_model.hpp"

#include <algorithm>
#include <set>

#include "kit/events/seeds.hpp"
#include "kit/plan/weather.hpp"

namespace skerry::kit {

namespace {

constexpr std::size_t kEntitiesMax = 8;      // of a world: with more, nobody would meet anybody
constexpr std::int64_t kRoundMs = 20'000;
constexpr std::int64_t kApartMs = 15'000;    // of a round; then they meet
constexpr std::int64_t kFirstRoundMs = 5'000;
constexpr std::int64_t kSharedKeys = 10;     // natural keys that several may make
constexpr std::int64_t kFreshKeys = 100;     // from here on nobody else makes them
constexpr int kDepthMax = 6;                 // of parents that are made with a row

struct Row {
    EntityIx entity;
    std::int64_t n;
    friend auto operator<=>(const Row&, const Row&) = default;
};

class Rounds {
  public:
    Rounds(const PlanForModel& what, std::uint64_t seed) : what_(what), model_(what.model), words_(what.vocabulary), random_(stream(seed, "workload")) {
        plan_.seed = seed;
    }

    Plan make() {
        settings();
        choose_entities();
        if (entities_.empty()) return std::move(plan_);
        first_rows();
        for (std::int64_t r = 0; r < rounds_; ++r) round(r, kFirstRoundMs + r * kRoundMs);
        const Weather weather{plan_.seed, devices_};
        if (chance(random_, 500)) weather.network(plan_, duration());
        if (chance(random_, 500)) weather.crashes(plan_, duration());
        sort_by_time(plan_);
        return std::move(plan_);
    }

  private:
    std::int64_t duration() const { return kFirstRoundMs + rounds_ * kRoundMs; }
    const model::Entity& entity(EntityIx ix) const { return model_.entity(ix); }

    void settings() {
        SeededRandom r = stream(plan_.seed, "swarm");
        devices_ = what_.devices > 0 ? what_.devices : between(r, 2, 5);
        rounds_ = between(r, 3, 5);
        plan_.settings["devices"] = devices_;
        plan_.settings["users"] = devices_;
        plan_.settings["two_connections"] = chance(r, 500) ? 1 : 0;
        plan_.settings["slice_rows"] = chance(r, 300) ? between(r, 1, 30) : 0;
        plan_.settings["duration_ms"] = duration();
    }

    // The seed's own entity always, so that every entity has its turn, others as they come; all with the parents they need.
    void choose_entities() {
        std::vector<EntityIx> all;
        for (std::uint32_t e = 0; e < model_.entities.size(); ++e)
            if (!model_.entities[e].builtin()) all.push_back(EntityIx{e});
        if (all.empty()) return;
        std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(plan_.seed % all.size()), all.end());
        for (std::size_t i = all.size(); i > 2; --i) std::swap(all[i - 1], all[1 + random_.below(i - 1)]);
        std::set<std::uint32_t> chosen;
        for (const EntityIx ix : all)
            if (chosen.size() < kEntitiesMax) choose(ix, chosen);
        for (const std::uint32_t e : chosen) entities_.push_back(EntityIx{e});
    }
    void choose(EntityIx ix, std::set<std::uint32_t>& chosen) {
        if (!chosen.insert(ix.value).second) return;
        for (const model::Attribute& attribute : entity(ix).attributes)
            if (attribute.references && attribute.required) choose(*attribute.references, chosen);
    }
    bool is_chosen(EntityIx ix) const { return std::find(entities_.begin(), entities_.end(), ix) != entities_.end(); }

    // ---- rows ----

    // The row and whatever it cannot be without, children first or last: a transaction is judged as a whole.
    bool insert(Row row, std::vector<Write>& out, int depth = 0) {
        const std::string key = words_.key(row.entity, row.n);
        auto values = words_.row(random_, row.entity, key, row.n);
        if (!values || depth > kDepthMax) return false;
        made_.insert(row);
        Write write{WriteKind::kInsert, entity(row.entity).name, key, {}, 0};
        for (std::uint32_t a = 0; a < values->size(); ++a) {
            const model::Attribute& attribute = entity(row.entity).attributes[a];
            Value& value = (*values)[a];
            if (attribute.references && !is_null(value)) {
                const auto parent = parent_of(attribute, row, out, depth);
                if (!parent && attribute.required) return false;
                value = parent ? Value{words_.key(*attribute.references, *parent)} : Value{Null{}};
            }
            if (!attribute.required && is_null(value) && !attribute.default_value) continue;
            write.values.emplace_back(attribute.name, std::move(value));
        }
        out.push_back(std::move(write));
        return true;
    }
    // Most often a row that is there already; where none can be, one that is made in the same transaction.
    std::optional<std::int64_t> parent_of(const model::Attribute& attribute, const Row& child, std::vector<Write>& out, int depth) {
        const EntityIx to = *attribute.references;
        std::vector<std::int64_t> there;
        for (const Row& row : made_)
            if (row.entity == to && row != child) there.push_back(row.n);
        if (!there.empty()) return there[random_.below(there.size())];
        if (to == child.entity) return attribute.required ? std::optional(child.n) : std::nullopt;
        if (!attribute.required && !is_chosen(to)) return std::nullopt;
        if (!insert({to, 0}, out, depth + 1)) return std::nullopt;
        return 0;
    }

    void commit(std::int64_t at, std::uint32_t device, std::vector<Write> writes) {
        if (writes.empty()) return;
        Step& step = add_step(plan_, at, StepKind::kTxn, device);
        step.args["end"] = chance(random_, 20) ? "rollback" : "commit";
        if (chance(random_, 20)) step.args["strict"] = "1";
        step.commits.push_back(std::move(writes));
    }

    // Everybody begins with them: one device makes them, one transaction each, and all fetch them.
    void first_rows() {
        std::int64_t at = 10;
        for (const EntityIx ix : entities_) {
            const std::int64_t rows = between(random_, 2, Vocabulary::kFirstRows);
            for (std::int64_t n = 0; n < rows; ++n) {
                if (made_.contains({ix, n})) continue;
                std::vector<Write> writes;
                const auto before = made_;
                if (!insert({ix, n}, writes)) {
                    made_ = before;
                    continue;
                }
                Step& step = add_step(plan_, at, StepKind::kTxn, 0);
                step.args["end"] = "commit";
                step.commits.push_back(std::move(writes));
                at += 5;
            }
        }
        add_step(plan_, at, StepKind::kSync, 0);
        for (std::uint32_t d = 0; d < devices_; ++d) add_step(plan_, kFirstRoundMs - 1'500 + d, StepKind::kSync, d);
        next_ = kFreshKeys;
    }

    std::optional<Row> any_row() {
        std::vector<Row> rows;
        for (const Row& row : made_)
            if (is_chosen(row.entity)) rows.push_back(row);
        if (rows.empty()) return std::nullopt;
        // By entity first: one with many rows must not drown the others.
        const EntityIx ix = rows[random_.below(rows.size())].entity;
        const EntityIx wanted = chance(random_, 600) ? entities_[random_.below(entities_.size())] : ix;
        std::erase_if(rows, [&](const Row& row) { return row.entity != wanted && std::any_of(rows.begin(), rows.end(), [&](const Row& r) { return r.entity == wanted; }); });
        return rows[random_.below(rows.size())];
    }

    // ---- rounds ----

    void round(std::int64_t number, std::int64_t at) {
        choose_hot(number);
        for (std::uint32_t d = 0; d < devices_; ++d) {
            const bool apart = chance(random_, 750);
            if (apart) add_step(plan_, at, StepKind::kPartition, d).args["way"] = "both";
            if (chance(random_, 300)) add_step(plan_, at, StepKind::kShow, d);
            for (std::int64_t i = between(random_, 1, 4); i > 0; --i) {
                const std::int64_t when = at + between(random_, 1, kApartMs - 1'000);
                commit(when, d, transaction());
                if (!apart) add_step(plan_, when + 50, StepKind::kSync, d);
            }
            if (apart) add_step(plan_, at + kApartMs, StepKind::kPartition, d).args["way"] = "none";
            add_step(plan_, at + kApartMs + between(random_, 10, 1'500), StepKind::kSync, d);
            people(at + kApartMs + 2'500, d);
            add_step(plan_, at + kApartMs + 3'500 + d, StepKind::kSync, d);
        }
    }

    // Where people meet in this round: one row, at times two, and of each an attribute that interests most of them.
    void choose_hot(std::int64_t number) {
        hot_.clear();
        taken_ = number + kSharedKeys;
        next_shared_ = Vocabulary::kFirstRows + number % (kSharedKeys - Vocabulary::kFirstRows);
        if (number == 0) {
            std::vector<Row> own;
            for (const Row& row : made_)
                if (row.entity.value == seeds_own()) own.push_back(row);
            if (!own.empty()) add_hot(own[random_.below(own.size())]);
        }
        while (hot_.empty() || (hot_.size() < 2 && chance(random_, 500))) {
            const auto row = any_row();
            if (!row) return;
            add_hot(*row);
        }
    }
    std::uint32_t seeds_own() const { return static_cast<std::uint32_t>(plan_.seed % static_cast<std::uint64_t>(std::count_if(model_.entities.begin(), model_.entities.end(), [](const model::Entity& e) { return !e.builtin(); }))); }
    void add_hot(const Row& row) {
        const auto attributes = entity(row.entity).attributes.size();
        hot_.emplace_back(row, attributes == 0 ? 0 : static_cast<std::uint32_t>(random_.below(attributes)));
    }

    void people(std::int64_t at, std::uint32_t device) {
        if (chance(random_, 250)) {
            static constexpr std::string_view kChoices[] = {"mine", "theirs", "mix"};
            Step& step = add_step(plan_, at, StepKind::kResolve, device);
            step.args["nth"] = std::to_string(random_.below(10));
            step.args["choice"] = kChoices[random_.below(3)];
        }
        if (chance(random_, 200)) {
            static constexpr std::string_view kWays[] = {"retry", "edit", "discard"};
            Step& step = add_step(plan_, at + 200, StepKind::kDraft, device);
            step.args["nth"] = std::to_string(random_.below(10));
            step.args["do"] = kWays[random_.below(3)];
        }
    }

    // ---- what an app does in one transaction ----

    std::vector<Write> transaction() {
        std::vector<Write> out;
        if (hot_.empty()) return out;
        const auto& [hot, attribute] = hot_[random_.below(hot_.size())];
        std::uint64_t dice = random_.below(1000);
        const auto falls = [&](std::uint64_t share) {
            const bool here = dice < share;
            dice -= here ? 0 : share;
            return here;
        };
        if (falls(640)) {
            update(hot, chance(random_, 650) ? std::optional(attribute) : std::nullopt, out);
            if (chance(random_, 250))
                if (const auto other = any_row()) update(*other, std::nullopt, out);
        } else if (falls(110)) {
            create(out);
        } else if (falls(70)) {
            const auto row = chance(random_, 600) ? std::optional(hot) : any_row();
            if (row) out.push_back({WriteKind::kDelete, entity(row->entity).name, words_.key(row->entity, row->n), {}, 0});
        } else if (const auto row = any_row()) {
            update(*row, std::nullopt, out);
        }
        return out;
    }

    void create(std::vector<Write>& out) {
        const EntityIx ix = chance(random_, 500) ? hot_.front().first.entity : entities_[random_.below(entities_.size())];
        const bool natural = entity(ix).key.type == model::Type::kText;
        // The next key, as everybody sees it who has not heard of the others; or one that came back to somebody's mind.
        const std::int64_t shared = chance(random_, 700) ? next_shared_ : between(random_, Vocabulary::kFirstRows, kSharedKeys - 1);
        const Row row{ix, natural && chance(random_, 700) ? shared : next_++};
        const auto before = made_;
        if (!insert(row, out)) {
            made_ = before;
            out.clear();
            return;
        }
        // With children, as a form with lines has them.
        for (std::uint32_t e = 0; e < model_.entities.size(); ++e) {
            if (!is_chosen(EntityIx{e}) || !chance(random_, 400)) continue;
            for (const model::Attribute& attribute : model_.entities[e].attributes) {
                if (attribute.references != std::optional(ix)) continue;
                std::vector<Write> child;
                if (insert({EntityIx{e}, next_++}, child) && child.size() == 1) {
                    for (auto& [name, value] : child.front().values)
                        if (name == attribute.name) value = words_.key(ix, row.n);
                    out.push_back(std::move(child.front()));
                }
                break;
            }
        }
    }

    void update(const Row& row, std::optional<std::uint32_t> wanted, std::vector<Write>& out) {
        const model::Entity& of = entity(row.entity);
        if (of.attributes.empty()) return;
        const std::string key = words_.key(row.entity, row.n);
        for (std::int64_t i = chance(random_, 250) ? 2 : 1; i > 0; --i, wanted.reset()) {
            const auto a = wanted.value_or(static_cast<std::uint32_t>(random_.below(of.attributes.size())));
            const model::Attribute& attribute = of.attributes[a];
            Write write{chance(random_, 120) ? WriteKind::kEditShown : WriteKind::kUpdate, of.name, key, {}, 0};
            const Manner manner = chance(random_, 850) ? Vocabulary::manner(of, attribute) : Manner::kReplaced;
            switch (manner) {
                case Manner::kAddedTo:
                    write.kind = WriteKind::kAddTo;
                    write.values.emplace_back(attribute.name, words_.amount(random_, attribute));
                    break;
                case Manner::kReworded:
                    write.kind = WriteKind::kReword;
                    write.values.emplace_back(attribute.name, Vocabulary::word(random_));
                    break;
                case Manner::kMembers:
                    write.kind = chance(random_, 600) ? WriteKind::kPutIn : WriteKind::kTakeOut;
                    write.values.emplace_back(attribute.name, Vocabulary::tag(random_));
                    break;
                case Manner::kReplaced: write.values.emplace_back(attribute.name, replacement(row, a, key)); break;
            }
            out.push_back(std::move(write));
        }
    }
    Value replacement(const Row& row, std::uint32_t a, const std::string& key) {
        const model::Entity& of = entity(row.entity);
        const model::Attribute& attribute = of.attributes[a];
        if (attribute.references) {
            if (!attribute.required && chance(random_, 200)) return Null{};
            std::vector<std::int64_t> there;
            for (const Row& one : made_)
                if (one.entity == *attribute.references && (one != row || chance(random_, 100))) there.push_back(one.n);
            if (!there.empty()) return words_.key(*attribute.references, there[random_.below(there.size())]);
            return attribute.required ? words_.value(random_, of, attribute) : Value{Null{}};
        }
        // The next free number, as everybody sees it who has not heard of the others.
        if (Vocabulary::is_unique(of, a) && chance(random_, 500)) return words_.numbered(attribute, taken_);
        // Mostly what a row that keeps its checks may hold.
        if (chance(random_, 930))
            if (auto sound = words_.row(random_, row.entity, key, row.n)) return std::move((*sound)[a]);
        return words_.value(random_, of, attribute);
    }

    const PlanForModel& what_;
    const model::Model& model_;
    const Vocabulary& words_;
    SeededRandom random_;
    Plan plan_;
    std::int64_t devices_ = 2;
    std::int64_t rounds_ = 3;
    std::int64_t next_ = 0;
    std::int64_t taken_ = 0;
    std::int64_t next_shared_ = 0;
    std::vector<EntityIx> entities_;
    std::set<Row> made_;
    std::vector<std::pair<Row, std::uint32_t>> hot_;
};

}  // namespace

Plan generate_plan(const PlanForModel& what, std::uint64_t seed) { return Rounds(what, seed).make(); }

}  // namespace skerry::kit
