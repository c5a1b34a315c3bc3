#include "kit/world/world.hpp"

namespace skerry::kit {

namespace {

constexpr Millis kSyncLimit{600'000};
constexpr int kRoundsMax = 12;

}  // namespace

World::World(std::uint64_t seed, WorldOptions options)
    : options_(options), scene_(seed, options.model != nullptr ? *options.model : world_model()) {
    scene_.trace.echo(options_.echo);
    scene_.claims = options_.claims;
    scene_.crashes = options_.crashes;
    server_ = std::make_unique<ServerNode>(scene_, options_.tick, options_.retention_days);
    scene_.truth = server_.get();
    server_->start();
}

void World::about(const Scene::NewValue& new_value, const Holds& holds, Witness& witness) {
    scene_.kits_own = false;
    scene_.new_value = new_value;
    scene_.oracle.judge_conditions_by(holds);
    scene_.witness = &witness;
}

World::~World() {
    devices_.clear();
    scene_.truth = nullptr;
    server_.reset();
}

Device& World::device(const std::string& name, const std::string& user) {
    for (const auto& device : devices_)
        if (device->name() == name) return *device;
    const std::string owner = user.empty() ? name : user;
    std::string& token = tokens_[owner];
    if (token.empty()) token = server_->token(owner);
    devices_.push_back(std::make_unique<Device>(
        scene_, DeviceOptions{.name = name, .user = owner, .token = token,
                              .link = static_cast<LinkId>(devices_.size() + 1), .two_connections = options_.two_connections,
                              .slice_rows = options_.slice_rows}));
    devices_.back()->start();
    return *devices_.back();
}

std::vector<Device*> World::devices() {
    std::vector<Device*> out;
    for (const auto& device : devices_) out.push_back(device.get());
    return out;
}

Device& World::clone(Device& original, const std::string& name) {
    const auto copy = original.copy();
    devices_.push_back(std::make_unique<Device>(
        scene_, DeviceOptions{.name = name, .user = original.options().user, .token = original.options().token,
                              .link = static_cast<LinkId>(devices_.size() + 1), .two_connections = options_.two_connections,
                              .slice_rows = options_.slice_rows}));
    Device& made = *devices_.back();
    scene_.trace.mark("device.clone");
    made.become(*copy);
    made.start();
    return made;
}

bool World::run_until(const std::function<bool()>& condition, Millis limit) {
    const Micros end = now() + limit;
    while (!condition()) {
        if (scene_.failure || !scene_.events.step(end)) return condition();
    }
    return true;
}

void World::run_for(Millis time) {
    const Micros end = now() + time;
    while (!scene_.failure && scene_.events.step(end)) {}
}

void World::leap(std::int64_t days) {
    scene_.days_leapt += days;
    scene_.events.leap(std::chrono::hours(24 * days + 12));
}

std::optional<Error> World::try_sync(Device& device) {
    if (!device.is_up()) return Error{Code::kIo, "the device is down", {}};
    device.start_sync();
    if (!run_until([&] { return device.sync_ended(); }, kSyncLimit)) {
        scene_.fail("L1 liveness", device.name() + ": a sync has not ended after ten minutes");
        return Error{Code::kInternal, "no end", {}};
    }
    return device.sync_problem();
}

void World::sync(Device& device) {
    if (const auto problem = try_sync(device)) scene_.fail("L1 liveness", device.name() + ": sync ended with " + describe(*problem));
}

void World::sync_all() {
    for (int round = 0; round < kRoundsMax && ok(); ++round) {
        for (Device* device : devices()) sync(*device);
        bool settled = true;
        for (Device* device : devices()) settled = settled && device->unsettled() == 0;
        if (settled && round > 0) return;
    }
    for (Device* device : devices())
        if (device->unsettled() != 0) scene_.fail("L1 liveness", device->name() + " still has " + std::to_string(device->unsettled()) + " unsettled transactions after " + std::to_string(kRoundsMax) + " rounds");
}

// Flows that fell silent before the healing stay silent: devices have to notice by themselves, so the first
// rounds may end with a problem, the last may not.
void World::settle() {
    scene_.net.heal();
    scene_.old_answers = false;
    server_->disk().crash_at(0);
    server_->disk().set_capacity(UINT64_MAX);
    server_->disk().clear_faults();
    server_->restart();
    for (Device* device : devices()) {
        device->disk().crash_at(0);
        device->disk().set_capacity(UINT64_MAX);
        device->disk().clear_faults();
        device->use_good_token(true);
        device->wake();
        device->restart();
        device->network_available();
        device->set_live(false);
    }
    int calm = 0;
    for (int round = 0; ok() && calm < 2; ++round) {
        if (round == kRoundsMax) {
            std::string who;
            for (Device* device : devices())
                if (device->unsettled() != 0 || device->sync_problem())
                    who += " " + device->name() + ": " + std::to_string(device->unsettled()) + " unsettled" +
                           (device->sync_problem() ? ", " + describe(*device->sync_problem()) : std::string{});
            return scene_.fail("L1 liveness", "nothing broken for " + std::to_string(round) + " rounds and still:" + who);
        }
        bool quiet = true;
        for (Device* device : devices()) {
            const auto problem = try_sync(*device);
            if (problem) run_for(Millis{1'000});
            quiet = quiet && !problem && device->unsettled() == 0;
        }
        calm = quiet ? calm + 1 : 0;
    }
}

void World::compare(Device& device, std::string_view invariant) {
    const auto view = server_->view(device.options().user);
    if (!view) return scene_.fail("test", "the server's rows cannot be read");
    if (const std::string differs = scene_.compare(device.images(), *view); !differs.empty()) scene_.fail(invariant, device.name() + ":" + differs);
}

void World::check_newcomer() {
    Device& fresh = device("newcomer", devices_.empty() ? "somebody" : devices_.front()->options().user);
    sync(fresh);
    if (ok()) compare(fresh, "L10 newcomer");
}

void World::check_everything() {
    server_->check();
    if (scene_.server_restored)
        for (const Label label : scene_.oracle.not_judged()) scene_.fail("P1 server restored", "not sent again: " + scene_.oracle.describe(label));
    for (Device* device : devices()) {
        if (!ok()) return;
        if (!device->is_up()) return scene_.fail("L1 liveness", device->name() + " is down at the end");
        device->check_settled();
        compare(*device, "L3 convergence");
    }
}

bool World::finish(bool restart) {
    settle();
    if (restart && ok()) {
        server_->crash(Loss::kPowerNothing);
        for (Device* device : devices()) device->crash(Loss::kPowerNothing);
        settle();
    }
    if (ok()) check_everything();
    if (ok()) check_newcomer();
    for (Device* device : devices()) scene_.trace.line(device->name(), "disk " + std::to_string(device->disk().fingerprint()));
    scene_.trace.line("server", "disk " + std::to_string(server_->disk().fingerprint()));
    return ok();
}

std::string World::report() const {
    std::string out = "seed " + std::to_string(scene_.seed) + ", virtual time " + std::to_string(scene_.events.now().count() / 1000) + " ms\n";
    out += "violated: " + scene_.failure.invariant + "\n  " + scene_.failure.what + "\n";
    for (const std::string& line : scene_.trace.last()) out += "    " + line + "\n";
    return out;
}

}  // namespace skerry::kit
