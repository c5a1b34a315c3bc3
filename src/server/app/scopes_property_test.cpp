// Random worlds of parts: rows move, grants come and go, profiles and the model's rules change, devices write, answers are lost on the way.
// After every checkpoint that a device applies, SQL on the server says what it may have: nothing stale, nothing forbidden,
// nothing missing from what is called complete, nothing gone for a while that it had and may keep.
#include <algorithm>

#include "server/app/scopes_world.hpp"

namespace skerry::server::test {
namespace {

constexpr int kWorlds = 12;
constexpr int kRounds = 40;
constexpr const char* kAreas[] = {"a", "b", "c", "d"};
constexpr const char* kProfiles[] = {"field", "field", "field", "office"};
constexpr const char* kHouseholds[] = {"status <> 'closed'", "", "status = 'closed'"};

class Devices {
  public:
    explicit Devices(std::uint64_t seed) : draw_(seed) {
        for (const char* user : {"anna", "bert"}) users_.push_back({user, "field"});
        for (std::size_t i = 0; i < 3; ++i) {
            devices_.push_back(std::make_unique<Peer>(world_, users_[i % 2].name));
            owner_.push_back(i % 2);
        }
    }

    void run() {
        for (round_ = 0; round_ < kRounds && !testing::Test::HasFailure(); ++round_) {
            for (std::uint64_t n = 1 + draw_.below(5); n > 0; --n) write();
            if (draw_.below(12) == 0) world_.take({kHouseholds[draw_.below(std::size(kHouseholds))], draw_.below(2) == 0});
            const std::size_t i = draw_.below(devices_.size());
            if (draw_.below(3) == 0) push(i);
            if (draw_.below(3) != 0) pull(i);
        }
        for (std::size_t i = 0; i < devices_.size() && !testing::Test::HasFailure(); ++i) {
            cut_after_ = SIZE_MAX;
            sync(i, {.slice_rows = 3});
            auto rows = devices_[i]->rows;  // records of conflicts come to everybody; SQL says nothing of them here
            std::erase_if(rows, [&](const auto& row) { return devices_[i]->model.entity(row.first.entity).builtin(); });
            EXPECT_EQ(rows, truth(i)) << "at the end";
            EXPECT_TRUE(devices_[i]->complete);
        }
    }

  private:
    struct User {
        std::string name;
        std::string profile;
    };

    std::string pick(const char* prefix, std::uint64_t of) { return prefix + std::to_string(draw_.below(of)); }
    std::string area() { return kAreas[draw_.below(std::size(kAreas))]; }
    std::map<KeyRef, model::Row> truth(std::size_t i) { return world_.truth(users_[owner_[i]].name, users_[owner_[i]].profile); }

    // Somebody else's SQL.
    void write() {
        const std::string h = pick("h", 12);
        const std::string v = pick("v", 20);
        const std::string c = pick("c", 12);
        const std::string n = std::to_string(draw_.below(1000));
        switch (draw_.below(12)) {
            case 0: world_.sql("INSERT OR IGNORE INTO household VALUES('" + h + "', '" + n + "', '" + area() + "', 'open')"); break;
            case 1: world_.sql("UPDATE household SET area = '" + area() + "' WHERE id = '" + h + "'"); break;
            case 2: world_.sql("UPDATE household SET status = CASE status WHEN 'closed' THEN 'open' ELSE 'closed' END WHERE id = '" + h + "'"); break;
            case 3: world_.sql("UPDATE household SET name = '" + n + "' WHERE id = '" + h + "'"); break;
            case 4: world_.sql("DELETE FROM household WHERE id = '" + h + "'"); break;
            case 5:
            case 6: world_.sql("INSERT OR IGNORE INTO call SELECT '" + v + "', id, '" + n + "' FROM household WHERE id = '" + h + "'"); break;
            case 7: world_.sql("UPDATE call SET household_id = '" + h + "' WHERE id = '" + v + "' AND EXISTS (SELECT 1 FROM household WHERE id = '" + h + "')"); break;
            case 8: world_.sql("INSERT OR REPLACE INTO comment SELECT '" + c + "', id, '" + n + "' FROM call WHERE id = '" + v + "'"); break;
            case 9: world_.sql("DELETE FROM call WHERE id = '" + v + "'"); break;
            case 10: {
                const std::string& user = users_[draw_.below(users_.size())].name;
                const std::string where = area();
                if (world_.integer("SELECT count(*) FROM allowance WHERE user = '" + user + "' AND area = '" + where + "'") != 0) {
                    world_.forbid(user, where);
                } else {
                    world_.allow(user, where);
                }
                break;
            }
            default: {
                if (draw_.below(3) != 0) break;
                User& user = users_[draw_.below(users_.size())];
                user.profile = kProfiles[draw_.below(std::size(kProfiles))];
                world_.put_profile(user.name, user.profile);
            }
        }
    }

    // A device takes a newer model when it next syncs; it may have missed some.
    void take_model(Peer& device) {
        if (device.model.hash() == world_.server->model().hash()) return;
        device.model = world_.server->model();
        ASSERT_EQ(device.enroll(device.model.hash()), 200);
    }

    // The device's own: made in or outside of its part, or handed over.
    void push(std::size_t i) {
        Peer& device = *devices_[i];
        take_model(device);
        const std::string key = "own" + std::to_string(i) + "-" + std::to_string(device.no.value);
        wire::Op op = Peer::insert(kHousehold, key, {text("mine"), text(area()), text("open")});
        for (const auto& [at, row] : device.rows)
            if (at.entity == kHousehold && draw_.below(3) == 0) op = Peer::update(kHousehold, at.key, {{1, row[1], text(area()), {}}});
        const auto transaction = device.txn({op});
        ASSERT_EQ(device.push({transaction}).verdicts.size(), 1u);
        wrote_[i][transaction.no] = {op.entity, op.key};
    }

    void pull(std::size_t i) {
        PullOptions options{.verify = draw_.below(25) == 0, .slice_rows = static_cast<std::uint32_t>(1 + draw_.below(3))};
        if (draw_.below(4) == 0) options.first = {EntityIx{static_cast<std::uint32_t>(draw_.below(6))}};
        options.only_first = !options.first.empty() && draw_.below(2) == 0;
        if (draw_.below(6) == 0) options.repair = {{kHousehold, pick("h", 12), std::nullopt}, {kCall, "", pick("v", 20)}};
        // The line breaks after some checkpoints; now and then what was applied is lost as well, as with a device that is restored.
        cut_after_ = draw_.below(3) == 0 ? SIZE_MAX : draw_.below(4);
        const bool restored = draw_.below(15) == 0;
        const auto rows = devices_[i]->rows;
        const auto lines = devices_[i]->lines;
        const auto scopes = devices_[i]->scopes;
        const auto whole = devices_[i]->whole_now;
        const Bytes cursor = devices_[i]->cursor;
        const bool verifying = verifying_[i];
        sync(i, options);
        if (!restored) return;
        devices_[i]->rows = rows;
        devices_[i]->lines = lines;
        devices_[i]->scopes = scopes;
        devices_[i]->whole_now = whole;
        devices_[i]->cursor = cursor;
        verifying_[i] = verifying;
    }

    void sync(std::size_t i, const PullOptions& options) {
        Peer& device = *devices_[i];
        take_model(device);
        const auto before = device.rows;
        const auto wanted = truth(i);
        const std::string where = "round " + std::to_string(round_) + ", device " + std::to_string(i) + ", " + users_[owner_[i]].profile;
        device.checkpoints_max = cut_after_;
        device.after_checkpoint = [&] {
            if (testing::Test::HasFailure()) return;
            // Since verify mode reads everything again, rows may be older until their slice has passed.
            const bool exact = !verifying_[i] || (device.complete && !options.only_first);
            if (!exact) return;
            for (const auto& [at, row] : device.rows) {
                if (device.model.entity(at.entity).builtin()) continue;
                const auto found = wanted.find(at);
                ASSERT_TRUE(found != wanted.end()) << where << ": forbidden or gone: " << at.key;
                EXPECT_EQ(row, found->second) << where << ": stale: " << at.key;
            }
            const auto is_complete = [&](EntityIx entity) {
                return std::all_of(device.scopes.begin(), device.scopes.end(),
                                   [&](const auto& scope) { return scope.second.entity != entity || device.whole_now.count(scope.first) != 0; });
            };
            for (const auto& [at, row] : wanted) {
                if (device.rows.count(at) != 0) continue;
                EXPECT_FALSE(is_complete(at.entity)) << where << ": missing: " << at.key;
                EXPECT_EQ(before.count(at), 0u) << where << ": vanished: " << at.key;
            }
            for (const auto& [no, outcome] : device.settled) {
                const auto at = wrote_[i].find(no);
                if (at == wrote_[i].end() || wanted.count(at->second) == 0) continue;
                EXPECT_EQ(device.rows.count(at->second), 1u) << where << ": an own write is missing: " << at->second.key;
            }
        };
        device.after_begin = [&](const wire::Begin& begin) {
            if (begin.verify) verifying_[i] = true;
        };
        const PullAnswer answer = device.pull(options);
        EXPECT_FALSE(answer.error) << answer.message;
        if (device.complete && !options.only_first) verifying_[i] = false;
        device.after_checkpoint = {};
        device.after_begin = {};
        for (const auto& [no, outcome] : device.settled) wrote_[i].erase(no);
    }

    AreasWorld world_;
    SeededRandom draw_;
    std::vector<User> users_;
    std::vector<std::unique_ptr<Peer>> devices_;
    std::vector<std::size_t> owner_;
    std::map<std::size_t, std::map<TxnNo, KeyRef>> wrote_;  // not settled yet
    std::map<std::size_t, bool> verifying_;
    std::size_t cut_after_ = SIZE_MAX;
    int round_ = 0;
};

TEST(ScopesProperty, no_row_is_stale_torn_vanished_forbidden_or_missing) {
    const std::uint64_t seed = SystemRandom().u64();
    for (std::uint64_t i = 0; i < kWorlds; ++i) {
        SCOPED_TRACE("seed " + std::to_string(seed + i));
        Devices(seed + i).run();
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace
}  // namespace skerry::server::test
