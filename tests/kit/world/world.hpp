// A whole world in one thread: a server, devices, a network and time. For tests by hand:
//
//   World w(7);
//   Device& ann = w.device("ann");
//   Device& ben = w.device("ben");
//   ann.sql("INSERT INTO note(id, text, n) VALUES('k1', 'x', 1)");
//   w.sync(ann);
//   w.sync(ben);
//   EXPECT_EQ(ben.rows("note"), ann.rows("note"));
//   EXPECT_EQ(ann.verdict(1), "applied");
//   w.net().cut_next_response_at(17);
//   ann.crash(Loss::kPowerTorn);
//   ann.restart();
//   EXPECT_TRUE(w.finish()) << w.report();
//
// Every test ends with finish(): it heals everything, syncs everybody until nothing moves and checks all
// invariants (docs/reliability.md lists them). Nothing sleeps; time is virtual.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kit/world/device.hpp"
#include "kit/world/server_node.hpp"

namespace skerry::kit {

struct WorldOptions {
    const model::Model* model = nullptr;  // null: world_model()
    Millis tick{50};
    bool two_connections = false;
    std::uint32_t slice_rows = 0;  // 0 = what the engine wishes
    bool echo = false;  // the trace to stderr as it happens
    std::map<std::string, Claims> claims{};  // by user
    std::int64_t retention_days = 90;
    CrashTotals* crashes = nullptr;  // Scene::crashes
};

class World {
  public:
    explicit World(std::uint64_t seed, WorldOptions options = {});
    ~World();

    // The device of this name, made and started at its first mention.
    Device& device(const std::string& name, const std::string& user = {});
    std::vector<Device*> devices();
    // A new device whose file is a copy of this one's.
    Device& clone(Device& device, const std::string& name);
    ServerNode& server() { return *server_; }
    Network& net() { return scene_.net; }
    Scene& scene() { return scene_; }
    Micros now() const { return scene_.events.now(); }

    // One full sync, to its end. Fails the world if it does not end within ten virtual minutes, or with a problem.
    void sync(Device& device);
    // The same; gives the problem, if any, instead of failing.
    std::optional<Error> try_sync(Device& device);
    // Everybody in turn, until a round changes nothing more to send.
    void sync_all();
    void run_for(Millis time);
    // Days in which nobody does anything, the server neither. Afterwards every clock shows them.
    void leap(std::int64_t days);
    // The app's own world, not the kit's: what people write, how conditions are judged, who looks on.
    void about(const Scene::NewValue& new_value, const Holds& holds, Witness& witness);
    // False if the time was not enough.
    bool run_until(const std::function<bool()>& condition, Millis limit = Millis{600'000});

    // Heals everything, restarts everybody, syncs until nothing moves, checks every invariant.
    // `restart`: everybody's power fails once more when all have settled.
    bool finish(bool restart = false);
    bool ok() const { return !scene_.failure; }
    const Failure& failure() const { return scene_.failure; }
    // The failure and the last lines of the trace.
    std::string report() const;

  private:
    void settle();
    void check_everything();
    void check_newcomer();
    void compare(Device& device, std::string_view invariant);

    WorldOptions options_;
    Scene scene_;
    std::unique_ptr<ServerNode> server_;
    std::map<std::string, std::string> tokens_;  // by user
    std::vector<std::unique_ptr<Device>> devices_;
};

}  // namespace skerry::kit
