#include "engine/rhythm.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"

namespace skerry::engine {

namespace {

void earliest(std::optional<Micros>& into, const std::optional<Micros>& at) {
    if (at) into = into ? std::min(*into, *at) : *at;
}

bool is_unit_name(std::string_view name) {
    if (name.empty() || name.size() > kUnitNameMax) return false;
    return std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}

}  // namespace

std::optional<Micros> Rhythm::Entry::automatic_at() const {
    std::optional<Micros> at;
    earliest(at, interval_at);
    earliest(at, write_at);
    // After a failure the retry is what comes next, and nothing comes before it.
    return retry_at ? retry_at : at;
}

Rhythm::Entry* Rhythm::find(std::string_view name) {
    const auto it = std::ranges::find_if(entries_, [&](const Entry& entry) { return entry.unit.name == name; });
    return it == entries_.end() ? nullptr : &*it;
}

bool Rhythm::suits(const Unit& unit, Network network) {
    return network != Network::kNone && !(unit.unmetered_only && is_metered(network));
}

Result<void> Rhythm::define(Unit unit) {
    if (!is_unit_name(unit.name))
        return fail(Code::kInvalidArgument, "a unit's name has 1 to " + std::to_string(kUnitNameMax) + " letters, digits, '_' and '-'");
    if (unit.every.count() != 0 && unit.every < kEveryMin)
        return fail(Code::kInvalidArgument, "unit " + unit.name + ": every is at least " + std::to_string(kEveryMin.count()) + " ms");
    if (unit.round.kind != RoundKind::kSelected && !unit.round.entities.empty())
        return fail(Code::kInvalidArgument, "unit " + unit.name + ": only a selected unit names entities");
    if (unit.round.kind == RoundKind::kSelected && unit.round.entities.empty())
        return fail(Code::kInvalidArgument, "unit " + unit.name + ": a selected unit names the entities");
    Entry* entry = find(unit.name);
    if (entry == nullptr) {
        if (entries_.size() == kUnitsMax) return fail(Code::kLimitExceeded, "more than " + std::to_string(kUnitsMax) + " units");
        entry = &entries_.emplace_back();
    } else {
        for (Run& run : queue_)
            if (run.unit == unit.name) run.round = unit.round;
    }
    *entry = Entry{.unit = std::move(unit)};
    await_interval(*entry);
    if (entry->unit.on_start) enqueue(*entry, false, 0, false);
    return {};
}

RunId Rhythm::enqueue(Entry& entry, bool asked_for, int chain, bool first) {
    entry.write_at.reset();
    entry.write_latest.reset();
    entry.interval_at.reset();
    entry.retry_at.reset();
    Run run{.id = 0, .unit = entry.unit.name, .round = entry.unit.round, .asked_for = asked_for, .chain = chain};
    const auto it = std::ranges::find_if(queue_, [&](const Run& one) { return one.unit == entry.unit.name; });
    if (it != queue_.end()) {
        run = std::move(*it);
        run.asked_for = run.asked_for || asked_for;
        run.chain = std::min(run.chain, chain);
        if (!first) {
            *it = std::move(run);
            return it->id;
        }
        queue_.erase(it);
    } else {
        run.id = ++last_run_;
    }
    const RunId id = run.id;
    if (first) queue_.push_front(std::move(run));
    else queue_.push_back(std::move(run));
    return id;
}

Result<RunId> Rhythm::trigger(std::string_view unit, TriggerOptions options) {
    Entry* entry = find(unit);
    if (entry == nullptr) return fail(Code::kNotFound, "there is no sync unit " + std::string(unit));
    if (options.chain > kChainMax)
        return fail(Code::kSyncLoop, "too many runs in a row were each asked for when the one before had ended");
    if (options.discard_pending) {
        for (auto it = queue_.begin(); it != queue_.end();) {
            if (it->unit == unit) {
                ++it;
                continue;
            }
            drop(*it, "another run took its place");
            it = queue_.erase(it);
        }
    }
    return enqueue(*entry, true, options.chain, options.first);
}

void Rhythm::drop(const Run& run, const std::string& why) {
    events_.push_back({.kind = RunEvent::Kind::kFailed, .run = run.id, .unit = run.unit, .error = Error{Code::kSyncDiscarded, why, {}}, .chain = run.chain});
    if (Entry* entry = find(run.unit); entry != nullptr) await_interval(*entry);
}

void Rhythm::await_interval(Entry& entry) {
    if (entry.unit.every.count() > 0) entry.interval_at = clock_.mono() + entry.unit.every;
}

bool Rhythm::discard(RunId run) {
    const auto it = std::ranges::find_if(queue_, [&](const Run& one) { return one.id == run; });
    if (it == queue_.end()) return false;
    drop(*it, "the app cancelled it");
    queue_.erase(it);
    return true;
}

void Rhythm::discard_all(const std::string& why) {
    for (const Run& run : std::exchange(queue_, {})) drop(run, why);
}

void Rhythm::wrote() {
    const Micros now = clock_.mono();
    for (Entry& entry : entries_) {
        if (!entry.unit.after_write) continue;
        if (!entry.write_latest) entry.write_latest = now + kAfterWriteMax;
        entry.write_at = std::min(now + kAfterWrite, *entry.write_latest);
    }
}

void Rhythm::came_online() {
    for (Entry& entry : entries_) {
        const bool waits_for_it = entry.retry_at || entry.write_at;
        entry.failures = 0;
        if (entry.unit.on_online || waits_for_it) enqueue(entry, false, 0, false);
    }
}

void Rhythm::resumed() {
    for (Entry& entry : entries_)
        if (entry.unit.on_resume) enqueue(entry, false, 0, false);
}

bool Rhythm::write_is_due() const {
    const Micros now = clock_.mono();
    return std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.write_at && *entry.write_at <= now; });
}

std::optional<Run> Rhythm::next(Network network, bool unsent) {
    SKERRY_ASSERT(!running_);
    const Micros now = clock_.mono();
    for (Entry& entry : entries_) {
        if (!suits(entry.unit, network)) continue;
        if (entry.write_at && *entry.write_at <= now && !unsent) entry.write_at = entry.write_latest = std::nullopt;
        if (const auto at = entry.automatic_at(); at && *at <= now) enqueue(entry, false, 0, false);
    }
    const auto it = std::ranges::find_if(queue_, [&](const Run& run) {
        const Entry* entry = find(run.unit);
        // Somebody waits for what was asked for: without a network it fails at once.
        return entry != nullptr && (suits(entry->unit, network) || (run.asked_for && network == Network::kNone));
    });
    if (it == queue_.end()) return std::nullopt;
    running_ = std::move(*it);
    queue_.erase(it);
    events_.push_back({.kind = RunEvent::Kind::kStarted, .run = running_->id, .unit = running_->unit});
    return running_;
}

void Rhythm::ended(RoundReport report, std::optional<Error> error, const Backoff& backoff, Millis asked_to_wait) {
    SKERRY_ASSERT(running_.has_value());
    const Run run = *std::exchange(running_, std::nullopt);
    if (Entry* entry = find(run.unit); entry != nullptr) {
        await_interval(*entry);
        if (!error) {
            entry->failures = 0;
            entry->retry_at.reset();
        } else if (entry->unit.is_automatic() && error->code != Code::kSyncDiscarded) {
            ++entry->failures;
            entry->retry_at = clock_.mono() + backoff.delay(*error, entry->failures, false, asked_to_wait, random_);
        }
    }
    events_.push_back({.kind = error ? RunEvent::Kind::kFailed : RunEvent::Kind::kCompleted, .run = run.id, .unit = run.unit,
                       .report = std::move(report), .error = std::move(error), .chain = run.chain});
}

std::optional<Micros> Rhythm::due(Network network) const {
    std::optional<Micros> at;
    for (const Entry& entry : entries_)
        if (suits(entry.unit, network)) earliest(at, entry.automatic_at());
    return at;
}

bool Rhythm::waits(RunId run) const {
    return std::ranges::any_of(queue_, [&](const Run& one) { return one.id == run; });
}

std::vector<std::string> Rhythm::waiting() const {
    std::vector<std::string> names;
    for (const Run& run : queue_) names.push_back(run.unit);
    return names;
}

}  // namespace skerry::engine
