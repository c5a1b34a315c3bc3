// Many devices in one world: what holds for four holds for three hundred.
#include <gtest/gtest.h>

#include "kit/events/seeds.hpp"
#include "kit/world/world.hpp"
#include "simulation/worlds.hpp"

namespace skerry::kit {
namespace {

constexpr int kDevices = 300;
constexpr int kUsers = 6;
constexpr int kSites = 6;
constexpr int kSteps = 400;

class Crowd {
  public:
    explicit Crowd(std::uint64_t seed) : random_(stream(seed, "crowd")), w(seed, {.model = &scoped_model(), .tick = Millis{1'000}, .claims = claims()}) {
        std::vector<std::string> rows;
        for (int i = 0; i < kSites; ++i) {
            rows.push_back("INSERT INTO site(id, code) VALUES('s" + std::to_string(i) + "', 'c" + std::to_string(i) + "')");
            rows.push_back("INSERT INTO note(id, n, tag) VALUES('shared" + std::to_string(i) + "', 0, 'r" + std::to_string(i % 3) + "')");
        }
        // Everybody sees two sites, so that scopes are shared and rows can move between held ones.
        for (int i = 0; i < kUsers; ++i)
            for (int k = 0; k < 2; ++k) {
                const std::string n = std::to_string(i);
                rows.push_back("INSERT INTO member(id, user, site_id) VALUES('m" + n + "-" + std::to_string(k) + "', 'user" + n + "', 's" + std::to_string((i + k) % kSites) + "')");
            }
        w.server().sql(rows);
        for (int i = 0; i < kDevices; ++i) devices.push_back(&w.device("d" + std::to_string(i), plan_user(i % kUsers)));
    }

    // One in three devices has a network at any time.
    void step() {
        const auto i = random_.below(kDevices);
        Device& device = *devices[i];
        const bool online = chance(random_, 333);
        w.net().set_partition(device.options().link, online ? Partition::kNone : Partition::kBoth);
        if (online && chance(random_, 500)) {
            w.sync(device);
        } else {
            edit(device, static_cast<int>(i));
        }
    }

    void edit(Device& device, int i) {
        const std::string own = std::to_string(i) + "-" + std::to_string(edits_++);
        const std::string site = std::to_string(random_.below(kSites));
        const std::string role = "r" + std::to_string(random_.below(3));
        switch (random_.below(5)) {
            case 0: return device.sql("INSERT INTO visit(id, site_id, n) VALUES('v" + own + "', 's" + site + "', 1)");
            case 1: return device.sql("INSERT INTO note(id, text, tag) VALUES('n" + own + "', 'made', '" + role + "')");
            case 2: return device.sql("UPDATE note SET n = " + std::to_string(edits_) + ", tag = '" + role + "' WHERE id LIKE 'shared%'");
            case 3: return device.sql("UPDATE visit SET site_id = 's" + site + "', n = n + 1");
            default: return device.sql("UPDATE site SET name = 'of " + own + "' WHERE id = 's" + site + "'");
        }
    }

    bool converged() {
        for (Device* device : devices) {
            const auto view = w.server().view(device->options().user);
            if (!view || device->unsettled() != 0 || device->images() != *view) return false;
        }
        return true;
    }

  private:
    static std::map<std::string, Claims> claims() {
        std::map<std::string, Claims> out;
        for (int i = 0; i < kUsers; ++i) out.emplace(plan_user(i), Claims{{"role", "r" + std::to_string(i % 3)}});
        return out;
    }
    SeededRandom random_;
    int edits_ = 0;

  public:
    World w;
    std::vector<Device*> devices;
};

// The bound: in the first round everything is sent, in the second everybody gets what others sent after him.
TEST(Crowd, G_14_three_hundred_devices_converge_within_two_rounds) {
    const std::uint64_t seed = from_environment("SKERRY_SEED", kFirstSeed);
    SCOPED_TRACE("seed " + std::to_string(seed));
    Crowd crowd(seed);
    for (int i = 0; i < kSteps && crowd.w.ok(); ++i) crowd.step();
    ASSERT_FALSE(crowd.converged());
    for (Device* device : crowd.devices) crowd.w.net().set_partition(device->options().link, Partition::kNone);
    for (int round = 0; round < 2; ++round)
        for (Device* device : crowd.devices) crowd.w.sync(*device);
    EXPECT_TRUE(crowd.w.ok()) << crowd.w.report();
    EXPECT_TRUE(crowd.converged());
    EXPECT_TRUE(crowd.w.finish()) << crowd.w.report();
}

}  // namespace
}  // namespace skerry::kit
