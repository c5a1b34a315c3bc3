// Forgetting: what goes, what stays, and that the floor of a scope says so.
#include "server/storage/sqlite/scopes_test_world.hpp"

namespace skerry::server::storage {
namespace {

class Forget : public ScopesWorld, public testing::Test {
  public:
    Forget() {
        adopt({{.name = "teams", .entity = kTeam, .whole = true},
               {.name = "of worker", .entity = kHouse, .key = 1}});
    }

    wire::ScopeId worker(const std::string& name) {
        auto txn = *backend_->begin_write();
        EXPECT_TRUE(txn->make_scopes(std::vector<ScopeKey>{{1, name}}));
        EXPECT_TRUE(txn->commit());
        auto view = *backend_->snapshot();
        return *view->scopes(std::vector<ScopeKey>{{1, name}})->at(0);
    }
    Seq floor(wire::ScopeId scope) {
        auto view = *backend_->snapshot();
        return *view->floor(std::vector<wire::ScopeId>{scope});
    }
    std::int64_t tombstones() { return *other_.integer("SELECT count(*) FROM skerry_member WHERE live = 0"); }
    Forgotten forget(const std::function<Seq(wire::ScopeId)>& needless, const TombstoneAt& after, std::size_t limit) {
        auto txn = *backend_->begin_write();
        const auto done = txn->forget_tombstones(needless, after, Seq{1000}, limit);
        EXPECT_TRUE(done) << describe(done.error());
        EXPECT_TRUE(txn->commit());
        return *done;
    }
    DeviceRow device(std::uint8_t id, Seq acked, std::uint64_t held, std::int64_t heard) {
        DeviceRow row;
        row.id.bytes[0] = id;
        row.user = "ann";
        row.acked = acked;
        row.held = held;
        row.heard_us = heard;
        auto txn = *backend_->begin_write();
        EXPECT_TRUE(txn->put_device(row));
        EXPECT_TRUE(txn->commit());
        return row;
    }
};

TEST_F(Forget, M_33_a_tombstone_goes_when_nobody_needs_it_and_the_floor_of_its_scope_alone_says_so) {
    batch("INSERT INTO house(id, worker) VALUES('a', 'ann'), ('b', 'bob'), ('c', 'ann')");
    const Seq gone = batch("DELETE FROM house WHERE id IN ('a', 'b')");
    const Seq later = batch("UPDATE house SET worker = 'bob' WHERE id = 'c'");
    const wire::ScopeId ann = worker("ann");
    const wire::ScopeId bob = worker("bob");
    ASSERT_EQ(tombstones(), 3);
    // A device still needs what happened to ann's houses after `gone`; nobody needs bob's.
    const auto needless = [&](wire::ScopeId scope) { return scope == ann ? gone : later; };
    const Forgotten done = forget(needless, {}, 100);
    EXPECT_EQ(done.looked, 3u);
    EXPECT_EQ(done.removed, 2u);
    EXPECT_EQ(tombstones(), 1);
    EXPECT_EQ(floor(ann), gone);
    EXPECT_EQ(floor(bob), gone);
    EXPECT_EQ(*other_.integer("SELECT count(*) FROM skerry_member WHERE live = 1"), 1);
    // Nothing is removed that would make the floor fall again.
    forget([](wire::ScopeId) { return Seq{0}; }, {}, 100);
    EXPECT_EQ(floor(ann), gone);
}

TEST_F(Forget, pitfall_34_tombstones_are_looked_at_in_steps_and_each_once) {
    std::string values;
    for (int i = 0; i < 25; ++i) values += (i == 0 ? "('t" : ", ('t") + std::to_string(i) + "')";
    batch("INSERT INTO team(id) VALUES" + values);
    const Seq gone = batch("DELETE FROM team");
    std::size_t looked = 0;
    Forgotten done;
    do {
        done = forget([](wire::ScopeId) { return Seq{0}; }, done.upto, 7);
        looked += done.looked;
    } while (done.looked > 0);
    EXPECT_EQ(looked, 25u);
    EXPECT_EQ(tombstones(), 25);
    EXPECT_EQ(floor(wire::ScopeId{kTeam.value + 1}), Seq{0});
    done = {};
    do done = forget([&](wire::ScopeId) { return gone; }, done.upto, 7);
    while (done.looked > 0);
    EXPECT_EQ(tombstones(), 0);
    EXPECT_EQ(floor(wire::ScopeId{kTeam.value + 1}), gone);
}

TEST_F(Forget, pitfall_34_a_row_that_came_back_is_no_tombstone) {
    batch("INSERT INTO team(id) VALUES('a')");
    batch("DELETE FROM team");
    batch("INSERT INTO team(id) VALUES('a')");
    EXPECT_EQ(forget([](wire::ScopeId) { return Seq{1000}; }, {}, 10).looked, 0u);
    EXPECT_EQ(*other_.integer("SELECT count(*) FROM skerry_member WHERE live = 1"), 1);
}

TEST_F(Forget, an_empty_scope_goes_when_nobody_is_known_to_hold_it_and_its_id_never_comes_back) {
    batch("INSERT INTO house(id, worker) VALUES('a', 'ann'), ('b', 'bob'), ('z', 'zoe')");
    const Seq gone = batch("DELETE FROM house WHERE id IN ('b', 'z')");
    const wire::ScopeId ann = worker("ann"), bob = worker("bob"), zoe = worker("zoe"), cy = worker("cy");
    const auto forget_scopes = [&](wire::ScopeId after, std::size_t limit) {
        auto txn = *backend_->begin_write();
        const auto done = txn->forget_scopes([&](wire::ScopeId scope) { return scope == zoe; }, after, limit);
        EXPECT_TRUE(done) << describe(done.error());
        EXPECT_TRUE(txn->commit());
        return *done;
    };
    EXPECT_EQ(forget_scopes({}, 10).removed, 1u) << "cy's alone: of the others something is told still";
    forget([&](wire::ScopeId) { return gone; }, {}, 100);
    const ForgottenScopes some = forget_scopes({}, 2);
    EXPECT_EQ(some.looked, 2u);
    EXPECT_EQ(some.upto, bob);
    EXPECT_EQ(some.removed, 1u) << "in steps";
    EXPECT_EQ(forget_scopes(some.upto, 2).removed, 0u);
    const auto left = *view()->scopes(std::vector<ScopeKey>{{1, "ann"}, {1, "bob"}, {1, "zoe"}, {0, ""}});
    EXPECT_EQ(left[0], ann);
    EXPECT_FALSE(left[1]);
    EXPECT_EQ(left[2], zoe);
    EXPECT_TRUE(left[3]) << "a whole scope stays, empty or not";
    EXPECT_GT(worker("bob"), cy);
}

TEST_F(Forget, holdings_are_those_of_devices_that_were_heard_and_not_forgotten_each_set_once) {
    device(1, Seq{5}, 77, 1000);
    device(2, Seq{3}, 77, 2000);
    device(3, Seq{1}, 77, 10);
    device(4, Seq{9}, 78, 3000);
    DeviceRow lost = device(5, Seq{1}, 79, 3000);
    lost = *(*backend_->snapshot())->device(lost.id).value();
    lost.forgotten = true;
    auto txn = *backend_->begin_write();
    ASSERT_TRUE(txn->put_device(lost));
    ASSERT_TRUE(txn->commit());
    const auto holdings = *(*backend_->snapshot())->holdings(Micros{1000});
    ASSERT_EQ(holdings.size(), 2u);
    EXPECT_EQ(holdings[0].grants, 77u);
    EXPECT_EQ(holdings[0].acked, Seq{3});
    EXPECT_EQ(holdings[1].grants, 78u);
}

TEST_F(Forget, marks_of_batches_stay_that_a_device_names_and_the_last) {
    for (int i = 0; i < 6; ++i) batch("INSERT INTO team(id) VALUES('t" + std::to_string(i) + "')");
    device(1, Seq{2}, 0, 1);
    auto txn = *backend_->begin_write();
    EXPECT_TRUE(*txn->forget_marks(Seq{5}, 2));
    EXPECT_FALSE(*txn->forget_marks(Seq{5}, 2));
    ASSERT_TRUE(txn->commit());
    auto view = *backend_->snapshot();
    for (std::uint64_t seq = 1; seq <= 6; ++seq) EXPECT_EQ(view->mark_of(Seq{seq})->has_value(), seq == 2 || seq >= 5) << seq;
}

TEST_F(Forget, a_set_of_grants_stays_while_a_device_names_it_or_it_is_young) {
    auto txn = *backend_->begin_write();
    const std::vector<wire::ScopeId> scopes{wire::ScopeId{1}};
    for (const std::uint64_t hash : {1u, 2u, 3u}) ASSERT_TRUE(txn->put_grant_set(hash, scopes, Micros{hash == 3 ? 500 : 100}));
    ASSERT_TRUE(txn->commit());
    device(1, Seq{2}, 2, 1);
    txn = *backend_->begin_write();
    EXPECT_FALSE(*txn->forget_grant_sets(Micros{400}, 10));
    ASSERT_TRUE(txn->commit());
    auto view = *backend_->snapshot();
    EXPECT_FALSE(view->grant_set(1)->has_value());
    EXPECT_TRUE(view->grant_set(2)->has_value());
    EXPECT_TRUE(view->grant_set(3)->has_value());
}

}  // namespace
}  // namespace skerry::server::storage
