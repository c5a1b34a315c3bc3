#include "api/watches.hpp"

#include <utility>
#include <vector>

namespace skerry::api {

namespace {
constexpr Micros kTryAgain = std::chrono::seconds(1);
}

Result<std::uint64_t> Watches::add(std::string query, std::function<void(const Table&)> callback) {
    auto live = std::make_shared<store::LiveQueries>(store_);
    SKERRY_TRY(live->add(query, callback));
    const std::uint64_t id = next_++;
    watches_.emplace(id, Watch{std::move(query), std::move(callback), std::move(live), {}});
    return id;
}

void Watches::remove(std::uint64_t id) { watches_.erase(id); }

Watches::Watch* Watches::find(std::uint64_t id) {
    const auto it = watches_.find(id);
    return it == watches_.end() ? nullptr : &it->second;
}

const Error* Watches::problem() const {
    for (const auto& [id, watch] : watches_)
        if (watch.problem) return &*watch.problem;
    return nullptr;
}

Result<void> Watches::poll() {
    if (watches_.empty() || store_.in_transaction()) return {};
    SKERRY_ASSIGN(const std::int64_t version, store_.data_version());
    const bool changed = std::exchange(seen_version_, version) != version;
    const bool again = changed || clock_.mono() >= try_at_;
    if (again) try_at_ = clock_.mono() + kTryAgain;
    // A callback may add or remove some: walk by id.
    std::vector<std::uint64_t> ids;
    for (const auto& [id, watch] : watches_)
        if (watch.live ? changed : again) ids.push_back(id);
    for (const std::uint64_t id : ids) {
        const Watch* watch = find(id);
        if (watch == nullptr) continue;
        if (watch->live) run(id);
        else start(id);
    }
    return {};
}

void Watches::run(std::uint64_t id) {
    const auto live = find(id)->live;
    const auto polled = live->poll();
    Watch* watch = find(id);
    if (polled || watch == nullptr || watch->live != live) return;
    watch->problem = polled.error();
    watch->live.reset();
}

// It begins anew, so its callback is called, whatever it was told before.
void Watches::start(std::uint64_t id) {
    const auto live = std::make_shared<store::LiveQueries>(store_);
    Watch* watch = find(id);
    watch->live = live;  // before it runs: its callback may lead to another poll()
    const auto added = live->add(watch->query, watch->callback);
    watch = find(id);
    if (watch == nullptr || watch->live != live) return;
    if (added) {
        watch->problem.reset();
    } else {
        watch->problem = added.error();
        watch->live.reset();
    }
}

}  // namespace skerry::api
