// A newer model taken in place, while rows, devices and their changes exist.
#include "server/app/test_world.hpp"

namespace skerry::server::test {
namespace {

const model::Row kOslo{text("Oslo"), number(5)};

model::Model newer() {
    model::Model model = outreach();
    model.version = 2;
    model.entities.pop_back();  // the built-in one comes last where somebody writes a model anew
    model.entities[0].attributes.push_back({.name = "kind", .type = model::Type::kEnum, .default_value = text("town"), .values = {"town", "city"}});
    model.entities[0].attributes.push_back({.name = "note", .type = model::Type::kText});
    model.entities[0].attributes[1].merge = model::Merge::kCounter;
    model.entities[0].indexes = {{0}};
    model.entities.push_back({.name = "tag", .key = {"id", model::Type::kText}, .attributes = {{"code", model::Type::kText}}, .unique = {{0}}});
    model::complete(model);
    return model;
}

struct Evolve : testing::Test {
    World world;
    Peer anna{world, "anna"};
    Peer bert{world, "bert"};
    void take_newer() {
        world.stop();
        world.start(newer());
    }
    static void take_newer(Peer& peer) {
        EXPECT_EQ(peer.pull().error, Code::kModelMismatch);
        EXPECT_EQ(peer.push({}).error, Code::kModelMismatch);
        EXPECT_EQ(peer.enroll(peer.model.hash()), 200);
        peer.model = peer.world.server->model();
        for (auto& [at, row] : peer.rows)  // as ALTER TABLE does it on a device
            while (row.size() < peer.model.entity(at.entity).attributes.size())
                row.push_back(model::default_of(peer.model.entity(at.entity).attributes[row.size()]));
    }
};

TEST_F(Evolve, rows_devices_and_unsent_changes_go_on_with_the_newer_model) {
    anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo), Peer::insert(kPlace, "rome", kOslo)})});
    anna.pull();
    bert.pull();
    const auto unsent = bert.txn({Peer::update(kPlace, "oslo", {{0, text("Oslo"), text("Kristiania"), {}}})});
    const auto deletion = bert.txn({Peer::remove(kPlace, "rome", kOslo)});
    take_newer();
    take_newer(anna);
    take_newer(bert);
    EXPECT_EQ(bert.push({unsent, deletion}).verdict(0), Verdict::kApplied);
    EXPECT_EQ(bert.settled.count(deletion.no), 0u);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history"), 0) << "a new attribute with its default is no change of the row";
    anna.pull();
    bert.pull();
    EXPECT_EQ(anna.rows, bert.rows);
    EXPECT_EQ(anna.rows.at({kPlace, "oslo"}), (model::Row{text("Kristiania"), number(5), text("town"), Null{}}));
    EXPECT_EQ(anna.push({anna.txn({Peer::update(kPlace, "oslo", {{2, text("town"), text("city"), {}}})})}).verdict(), Verdict::kApplied);
    const EntityIx tag{3};
    ASSERT_EQ(world.server->model().entity(tag).name, "tag") << "what was there keeps its place";
    EXPECT_EQ(anna.push({anna.txn({Peer::insert(tag, "t", {text("x")})})}).verdict(), Verdict::kApplied);
    EXPECT_EQ(bert.push({bert.txn({Peer::insert(tag, "u", {text("x")})})}).verdicts.at(0).code, Code::kNotUnique);
    bert.pull();
    EXPECT_EQ(bert.rows.count({tag, "t"}), 1u);
}

TEST_F(Evolve, triggers_indexes_and_policies_are_those_of_the_newer_model) {
    world.sql("INSERT INTO place VALUES('a', 'x', 1)");
    take_newer();
    auto sql = ServerSql::open(world.place);
    EXPECT_EQ(sql->run("UPDATE place SET kind = 'village'").error().code, Code::kValueInvalid);
    EXPECT_EQ(world.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'skerry_index_place.name'"), 1);
    take_newer(anna);
    take_newer(bert);
    for (Peer* peer : {&anna, &bert}) peer->push({peer->txn({Peer::update(kPlace, "a", {{1, number(1), number(2), {}}})})});
    EXPECT_EQ(world.integer("SELECT people FROM place"), 3);
    world.sql("DELETE FROM place");
    EXPECT_EQ(world.sql("SELECT kind FROM skerry_gone_place").rows.at(0)[0], text("town"));
}

TEST_F(Evolve, changes_that_were_made_before_the_model_said_detect_are_judged_by_what_they_tell) {
    anna.push({anna.txn({Peer::insert(kPlace, "oslo", kOslo), Peer::insert(kPlace, "rome", kOslo)})});
    anna.pull();
    const auto one = anna.txn({Peer::update(kPlace, "oslo", {{0, text("Oslo"), text("a"), {}}})});
    const auto two = anna.txn({Peer::update(kPlace, "rome", {{0, text("Oslo"), text("a"), {}}})});
    model::Model detect = outreach();
    detect.version = 2;
    detect.entities[0].conflict = model::Conflict::kDetect;
    world.stop();
    world.start(detect);
    take_newer(anna);
    world.sql("UPDATE place SET name = 'f' WHERE id = 'rome'");
    const PushAnswer answer = anna.push({one, two});
    EXPECT_EQ(answer.verdict(0), Verdict::kApplied);
    EXPECT_EQ(answer.verdicts.at(1).code, Code::kRowChanged);
}

TEST_F(Evolve, a_newer_model_is_taken_once_and_an_older_one_never) {
    take_newer();
    const std::string once = world.backup();
    world.stop();
    world.start(newer());
    EXPECT_EQ(world.backup(), once) << "nothing is written when nothing differs";
    world.stop();
    EXPECT_EQ(Server::open({world.place, outreach()}, world.clock, world.random, world.log).error().code, Code::kModelChange);
    world.start();
    EXPECT_EQ(world.server->model().version, 2u);
}

}  // namespace
}  // namespace skerry::server::test
