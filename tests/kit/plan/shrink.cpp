#include "kit/plan/shrink.hpp"

#include <algorithm>

namespace skerry::kit {

namespace {

// Without these a step would say something else, not less.
constexpr std::string_view kKeptArgs[] = {"way", "loss", "end", "choice", "do", "on"};
constexpr std::pair<std::string_view, std::int64_t> kPlainSettings[] = {
    {"seed_rows", 0}, {"seed_typed", 0}, {"slice_rows", 0}, {"two_connections", 0}, {"users", 1}, {"scoped", 0}, {"tick_ms", 50}, {"retention_days", 90}};

class Shrinker {
  public:
    Shrinker(Plan plan, const std::function<bool(const Plan&)>& fails, const std::function<bool()>& may_go_on)
        : best_(std::move(plan)), fails_(fails), may_go_on_(may_go_on) {}

    Shrunk run() {
        bool smaller = true;
        while (smaller && !spent_) {
            smaller = false;
            smaller |= without_devices();
            smaller |= without_steps();
            smaller |= plain_settings();
            smaller |= shorter_steps();
            smaller |= sooner();
        }
        return {std::move(best_), runs_, !spent_};
    }

  private:
    bool try_it(Plan candidate) {
        if (candidate == best_) return false;
        if (spent_ || !may_go_on_()) {
            spent_ = true;
            return false;
        }
        ++runs_;
        if (!fails_(candidate)) return false;
        best_ = std::move(candidate);
        return true;
    }

    // Chunks of half, a quarter, … one element are left out as long as it fails without them. `size` and `without` see the
    // best plan of the moment.
    bool cut(const std::function<std::size_t()>& size, const std::function<Plan(std::size_t from, std::size_t to)>& without) {
        bool smaller = false;
        for (std::size_t chunk = size(); chunk > 0 && !spent_; chunk /= 2) {
            for (std::size_t end = size(); end > 0 && !spent_;) {  // from the end: what comes late is rarely a cause
                const std::size_t from = end > chunk ? end - chunk : 0;
                if (try_it(without(from, end))) smaller = true;
                end = std::min(from, size());
            }
        }
        return smaller;
    }

    bool without_steps() {
        return cut([&] { return best_.steps.size(); },
                   [&](std::size_t from, std::size_t to) {
                       Plan plan = best_;
                       plan.steps.erase(plan.steps.begin() + static_cast<std::ptrdiff_t>(from), plan.steps.begin() + static_cast<std::ptrdiff_t>(to));
                       return plan;
                   });
    }

    bool without_devices() {
        bool smaller = false;
        for (std::int64_t d = 15; d >= 0; --d) {
            Plan plan = best_;
            std::erase_if(plan.steps, [&](const Step& step) { return is_of_device(step) && step.device == d; });
            if (plan.steps.size() != best_.steps.size()) smaller |= try_it(std::move(plan));
        }
        std::int64_t used = 0;
        for (const Step& step : best_.steps)
            if (is_of_device(step)) used = std::max<std::int64_t>(used, step.device + 1);
        if (used > 0 && used < best_.setting("devices")) {
            Plan plan = best_;
            plan.settings["devices"] = used;
            smaller |= try_it(std::move(plan));
        }
        return smaller;
    }
    static bool is_of_device(const Step& step) {
        switch (step.kind) {
            case StepKind::kServerCrash:
            case StepKind::kServerDiskFull:
            case StepKind::kServerSql:
            case StepKind::kServerBackup:
            case StepKind::kServerRestore:
            case StepKind::kLeap: return false;
            default: return true;
        }
    }

    bool plain_settings() {
        bool smaller = false;
        for (const auto& [name, plain] : kPlainSettings) {
            const auto found = best_.settings.find(std::string(name));
            if (found == best_.settings.end() || found->second == plain) continue;
            Plan at_once = best_;
            at_once.settings[std::string(name)] = plain;
            if (name == "scoped") leave_out_unknown(at_once);
            if (try_it(std::move(at_once))) {
                smaller = true;
                continue;
            }
            Plan half = best_;
            half.settings[std::string(name)] = best_.setting(name) / 2;
            if (plain == 0 && best_.setting(name) > 1) smaller |= try_it(std::move(half));
        }
        return smaller;
    }

    // The plain model has fewer entities.
    static void leave_out_unknown(Plan& plan) {
        for (Step& step : plan.steps)
            for (auto& commit : step.commits)
                std::erase_if(commit, [&](const Write& write) { return !write.entity.empty() && model_of(plan).find(write.entity) == nullptr; });
    }

    bool shorter_steps() {
        bool smaller = false;
        for (std::size_t s = 0; s < best_.steps.size() && !spent_; ++s) {
            smaller |= fewer_args(s);
            smaller |= cut([&] { return best_.steps[s].commits.size() > 1 ? best_.steps[s].commits.size() : 0; },
                           [&](std::size_t from, std::size_t to) {
                               Plan plan = best_;
                               auto& commits = plan.steps[s].commits;
                               commits.erase(commits.begin() + static_cast<std::ptrdiff_t>(from), commits.begin() + static_cast<std::ptrdiff_t>(to));
                               return commits.empty() ? best_ : plan;
                           });
            for (std::size_t c = 0; c < best_.steps[s].commits.size(); ++c) smaller |= shorter_commit(s, c);
        }
        return smaller;
    }
    bool fewer_args(std::size_t s) {
        bool smaller = false;
        const auto args = best_.steps[s].args;
        for (const auto& [name, value] : args) {
            if (std::find(std::begin(kKeptArgs), std::end(kKeptArgs), name) != std::end(kKeptArgs)) continue;
            Plan plan = best_;
            plan.steps[s].args.erase(name);
            smaller |= try_it(std::move(plan));
        }
        return smaller;
    }
    bool shorter_commit(std::size_t s, std::size_t c) {
        const auto writes = [s, c](Plan& plan) -> std::vector<Write>& { return plan.steps[s].commits[c]; };
        bool smaller = cut([&] { return writes(best_).size() > 1 ? writes(best_).size() : 0; },
                           [&](std::size_t from, std::size_t to) {
                               Plan plan = best_;
                               auto& here = writes(plan);
                               here.erase(here.begin() + static_cast<std::ptrdiff_t>(from), here.begin() + static_cast<std::ptrdiff_t>(to));
                               return here.empty() ? best_ : plan;
                           });
        for (std::size_t w = 0; w < writes(best_).size() && !spent_; ++w) {
            for (std::size_t v = writes(best_)[w].values.size(); v-- > 0 && writes(best_)[w].values.size() > 1;) {
                Plan plan = best_;
                auto& values = writes(plan)[w].values;
                values.erase(values.begin() + static_cast<std::ptrdiff_t>(v));
                smaller |= try_it(std::move(plan));
            }
            for (std::size_t v = 0; v < writes(best_)[w].values.size(); ++v) smaller |= simpler_value(s, c, w, v);
        }
        return smaller;
    }
    bool simpler_value(std::size_t s, std::size_t c, std::size_t w, std::size_t v) {
        const Value now = best_.steps[s].commits[c][w].values[v].second;
        std::vector<Value> simpler;
        // Texts of several words stay: where words are merged, other words are another story.
        if (const auto* text = std::get_if<std::string>(&now); text != nullptr && text->size() > 1 && text->find(' ') == std::string::npos && best_.steps[s].commits[c][w].kind != WriteKind::kAssert)
            simpler = {Value{text->substr(0, 1)}, Value{text->substr(0, text->size() / 2)}};
        if (const auto* number = std::get_if<std::int64_t>(&now); number != nullptr && *number != 0 && *number != 1) simpler = {Value{std::int64_t{1}}, Value{std::int64_t{0}}};
        for (const Value& value : simpler) {
            Plan plan = best_;
            plan.steps[s].commits[c][w].values[v].second = value;
            if (try_it(std::move(plan))) return true;
        }
        return false;
    }

    // The times: steps one behind the other, a second apart, or at least all twice as soon.
    bool sooner() {
        Plan even = best_;
        bool apart = false;
        for (std::size_t s = 0; s < even.steps.size(); ++s) {
            const auto at = static_cast<std::int64_t>(s) * 1'000;
            apart = apart || even.steps[s].at_ms > at;
            even.steps[s].at_ms = std::min(even.steps[s].at_ms, at);
        }
        if (apart && try_it(std::move(even))) return true;
        Plan half = best_;
        for (Step& step : half.steps) step.at_ms /= 2;
        return !best_.steps.empty() && best_.steps.back().at_ms > 1'000 && try_it(std::move(half));
    }

    Plan best_;
    const std::function<bool(const Plan&)>& fails_;
    const std::function<bool()>& may_go_on_;
    std::uint64_t runs_ = 0;
    bool spent_ = false;
};

}  // namespace

Shrunk shrink(Plan plan, const std::function<bool(const Plan&)>& fails, const std::function<bool()>& may_go_on) {
    return Shrinker(std::move(plan), fails, may_go_on).run();
}

}  // namespace skerry::kit
