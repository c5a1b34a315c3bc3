// Devices that take parts: who gets what, what it costs, and what goes when a right or a row moves.
#include "server/app/scopes_world.hpp"

namespace skerry::server::test {
namespace {

struct Scopes : testing::Test {
    AreasWorld world;

    Scopes() {
        for (const char* area : {"north", "south"}) {
            for (int i = 0; i < 4; ++i) {
                const std::string key = std::string(area) + std::to_string(i);
                world.household(key, area);
                world.call("call-" + key, key);
            }
        }
        world.sql("INSERT INTO comment VALUES('c1', 'call-north1', 'hm')");
        world.allow("anna", "north");
    }
    static bool has(const PullAnswer& pull, EntityIx entity) {
        for (const auto& rows : pull.rows)
            for (const KeyRef& at : rows)
                if (at.entity == entity) return true;
        return false;
    }
};

TEST_F(Scopes, a_device_gets_its_part_and_the_children_of_what_it_gets) {
    Peer anna(world, "anna");
    const PullAnswer pull = anna.pull({.slice_rows = 2});
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_EQ(anna.rows.count({kHousehold, "north1"}), 1u);
    EXPECT_EQ(anna.rows.count({kHousehold, "south1"}), 0u);
    EXPECT_EQ(anna.rows.count({kComment, "c1"}), 1u) << "a child of a child";
    EXPECT_EQ(pull.begins[0].profile, "field");
    EXPECT_EQ(anna.scopes.size(), 6u) << "site, allowance, conflict records; one each of household, call, comment";
    EXPECT_EQ(anna.whole_now.size(), 6u);
    EXPECT_TRUE(anna.complete);
    Peer bert(world, "bert");
    bert.pull();
    EXPECT_EQ(bert.rows, world.truth("bert"));
}

TEST_F(Scopes, P_17_a_change_of_one_row_brings_that_row_alone) {
    Peer anna(world, "anna");
    anna.pull();
    world.sql("UPDATE household SET name = 'new' WHERE id = 'north2'");
    const PullAnswer pull = anna.pull();
    ASSERT_EQ(pull.begins.size(), 1u);
    EXPECT_EQ(pull.rows[0], (std::vector<KeyRef>{{kHousehold, "north2"}}));
    EXPECT_TRUE(pull.slice_sizes.empty() && pull.leaves[0].empty());
    world.sql("UPDATE household SET name = 'new' WHERE id = 'south2'");
    const PullAnswer none = anna.pull();
    EXPECT_TRUE(none.rows[0].empty()) << "what is none of a device's costs it nothing";
    EXPECT_LT(none.bytes, 300u);
}

TEST_F(Scopes, O_10_as_many_rows_and_leaves_travel_as_were_changed_and_deleted) {
    Peer anna(world, "anna");
    anna.pull();
    world.sql("UPDATE household SET name = 'new'; DELETE FROM household WHERE id IN ('north3', 'south3')");
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.rows[0].size(), 3u);
    EXPECT_EQ(pull.leaves[0], (std::vector<KeyRef>{{kCall, "call-north3"}, {kHousehold, "north3"}})) << "children leave first";
    EXPECT_EQ(pull.leave_frames[0].why, wire::Left::kDeleted);
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_TRUE(anna.pull().rows[0].empty());
}

TEST_F(Scopes, P_14_nothing_changed_is_one_exchange_of_less_than_300_bytes) {
    model::Model model{"many", 1, {}};
    for (int i = 0; i < 20; ++i) model.entities.push_back({"thing" + std::to_string(i), {.name = "id", .required = true}, {{.name = "area"}}});
    model.principal = {{"areas", model::PrincipalKind::kQuery, "select 'a' union select 'b' union select 'c'"}};
    for (const char* name : {"field", "office"}) {
        model::Profile& profile = model.profiles.emplace_back(model::Profile{name, {}});
        for (std::uint32_t i = 0; i < 20; ++i)
            profile.entities.push_back({.entity = EntityIx{i}, .download = model::Download::kRule, .link = model::Link{0, "areas", true}});
    }
    World many(model);
    for (int i = 0; i < 20; ++i) many.sql("INSERT INTO thing" + std::to_string(i) + " VALUES('k', 'a')");
    Peer anna(many, "anna");
    anna.pull();
    EXPECT_EQ(anna.rows.size(), 20u);
    EXPECT_EQ(anna.scopes.size(), 61u);
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.begins.size(), 1u);
    EXPECT_LT(pull.bytes_sent, 300u);
    EXPECT_LT(pull.bytes, 300u);
    EXPECT_LT(pull.bytes + pull.bytes_sent, 500u);
}

TEST_F(Scopes, case_J5_old_rows_that_are_newly_granted_are_filled_in) {
    Peer anna(world, "anna");
    anna.pull();
    for (int i = 0; i < 50; ++i) world.sql("UPDATE site SET name = name");
    world.allow("anna", "south");
    const PullAnswer pull = anna.pull({.slice_rows = 3});
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_FALSE(pull.begins[0].verify);
    EXPECT_EQ(pull.begins[0].scopes.size(), 3u);
    EXPECT_EQ(pull.begins[0].rows_left, 8u) << "only what is new is read";
    EXPECT_FALSE(pull.begins[0].caught_up);
    EXPECT_TRUE(anna.complete);
}

TEST_F(Scopes, a_rule_that_is_new_is_a_new_scope_and_comes_in_slices) {
    world.sql("WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i + 1 FROM n WHERE i < 4999) "
              "INSERT INTO household SELECT printf('h%04d', i), 'home', 'north', 'open' FROM n; "
              "INSERT INTO comment SELECT 'c-' || id, 'call-north1', 'x' FROM household WHERE id LIKE 'h%'");
    world.take({.comments = false});
    Peer anna(world, "anna");
    anna.model = world.server->model();
    anna.pull();
    ASSERT_EQ(anna.rows, world.truth("anna"));
    // Households change their rule and comments get one again, each with thousands of rows that did not change.
    world.sql("UPDATE household SET name = 'new' WHERE id = 'h0007'");
    world.take({.households = "", .comments = true});
    anna.model = world.server->model();
    ASSERT_EQ(anna.enroll(anna.model.hash()), 200);
    const PullAnswer pull = anna.pull({.slice_rows = 500});
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_TRUE(anna.complete);
    std::size_t by_delta = 0, most = 0;
    for (const auto& rows : pull.rows) by_delta += rows.size();
    for (const std::size_t rows : pull.slice_sizes) most = std::max(most, rows);
    EXPECT_EQ(by_delta, 1u) << "what changed, and nothing else, comes at once";
    EXPECT_GE(pull.slice_sizes.size(), 10u);
    EXPECT_LE(most, 500u);
    EXPECT_FALSE(pull.begins[0].verify);
    const PullAnswer again = anna.pull();
    EXPECT_TRUE(again.rows[0].empty() && again.slice_sizes.empty());
}

TEST_F(Scopes, case_J1_a_lost_right_takes_its_rows_without_naming_one) {
    world.allow("anna", "south");
    Peer anna(world, "anna");
    anna.pull();
    world.forbid("anna", "south");
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_EQ(pull.lost.size(), 3u);
    EXPECT_EQ(pull.leaves[0], (std::vector<KeyRef>{{kAllowance, "anna-south"}}));
    EXPECT_TRUE(pull.lines.empty());
}

TEST_F(Scopes, case_J2_a_row_that_moves_out_leaves_by_its_key_and_says_why) {
    Peer anna(world, "anna");
    anna.pull();
    world.sql("UPDATE household SET area = 'south', name = 'a secret of the south' WHERE id = 'north1'");
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_TRUE(pull.rows[0].empty()) << "no value of it travels";
    ASSERT_EQ(pull.leave_frames.size(), 3u);
    for (const wire::Leaves& leaves : pull.leave_frames) {
        EXPECT_EQ(leaves.why, wire::Left::kMoved);
        EXPECT_EQ(leaves.keys.size(), 1u);
    }
    EXPECT_EQ(pull.leaves[0], (std::vector<KeyRef>{{kComment, "c1"}, {kCall, "call-north1"}, {kHousehold, "north1"}}));
}

TEST_F(Scopes, case_B13_a_row_enters_and_leaves_by_its_condition) {
    Peer anna(world, "anna");
    anna.pull();
    world.sql("UPDATE household SET status = 'closed' WHERE id = 'north0'; UPDATE household SET status = NULL WHERE id = 'north1'");
    anna.pull();
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_EQ(anna.rows.count({kHousehold, "north1"}), 0u) << "unknown is not a yes";
    world.sql("UPDATE household SET status = 'open'; UPDATE household SET status = 'closed' WHERE id = 'north2'; UPDATE household SET status = 'open' WHERE id = 'north2'");
    const PullAnswer back = anna.pull();
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_EQ(back.rows[0].size(), 6u) << "two that came back, with two calls and a comment, and one that was changed";
}

TEST_F(Scopes, case_J6_a_row_of_two_scopes_stays_when_one_is_revoked) {
    Peer anna(world, "anna");
    anna.pull();
    bool stayed = true;
    anna.after_checkpoint = [&] { stayed = stayed && anna.rows.count({kHousehold, "north1"}) == 1 && anna.rows.count({kCall, "call-north1"}) == 1; };
    world.put_profile("anna", "single");
    const PullAnswer pull = anna.pull({.slice_rows = 1});
    EXPECT_TRUE(stayed) << "in every checkpoint on the way";
    EXPECT_EQ(pull.begins[0].profile, "single");
    EXPECT_EQ(pull.lost.size(), 3u);
    EXPECT_EQ(pull.lines.size(), 3u);
    EXPECT_EQ(anna.rows, world.truth("anna", "single"));
    world.put_profile("anna", "office");
    anna.pull({.slice_rows = 1});
    EXPECT_TRUE(stayed);
    EXPECT_EQ(anna.rows, world.truth("anna", "office"));
    world.put_profile("anna", "field");
    anna.pull({.slice_rows = 1});
    EXPECT_TRUE(stayed) << "from a whole entity to a part of it";
    EXPECT_EQ(anna.rows, world.truth("anna"));
    world.forbid("anna", "north");
    anna.after_checkpoint = {};
    anna.pull();
    EXPECT_EQ(anna.rows.count({kHousehold, "north1"}), 0u) << "with the last one it goes";
}

TEST_F(Scopes, a_row_deleted_while_a_part_becomes_the_whole_is_gone_at_once) {
    Peer anna(world, "anna");
    anna.pull();
    world.put_profile("anna", "office");
    world.sql("DELETE FROM household WHERE id = 'north3'");
    bool gone = true;
    anna.after_checkpoint = [&] { gone = gone && anna.rows.count({kHousehold, "north3"}) == 0; };
    anna.pull({.slice_rows = 1});
    EXPECT_TRUE(gone) << "not only when its slice has passed";
    EXPECT_EQ(anna.rows, world.truth("anna", "office"));
}

TEST_F(Scopes, priorities_order_downloads_and_parents_come_no_later_than_children) {
    model::Model model = areas_model();
    for (auto& said : model.profiles[1].entities)
        if (said.entity == kComment) said.priority = 7;
    World served(model);
    Peer anna(served, "anna", {{"profile", "office"}});
    EXPECT_EQ(anna.pull().slice_entities, (std::vector<EntityIx>{kHousehold, kCall, kComment, kSite, kAllowance, kMemo, EntityIx{6}}));
}

TEST_F(Scopes, case_J9_granted_revoked_and_granted_again_between_two_syncs_is_granted) {
    Peer anna(world, "anna");
    anna.pull();
    world.forbid("anna", "north");
    world.sql("UPDATE household SET name = 'meanwhile' WHERE id = 'north2'; DELETE FROM household WHERE id = 'north3'");
    world.allow("anna", "north");
    const PullAnswer pull = anna.pull();
    EXPECT_TRUE(pull.lost.empty() && pull.begins[0].scopes.empty());
    EXPECT_EQ(anna.rows, world.truth("anna"));
    world.allow("anna", "south");
    world.forbid("anna", "south");
    EXPECT_TRUE(anna.pull().begins[0].scopes.empty());
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, pitfall_19_a_row_that_moves_into_a_scope_still_coming_stays_here_all_the_while) {
    Peer anna(world, "anna");
    anna.pull();
    world.allow("anna", "south");
    world.sql("UPDATE household SET area = 'south', name = 'moved' WHERE id = 'north3'");
    int checkpoints = 0;
    bool stayed = true;
    anna.after_checkpoint = [&] {
        ++checkpoints;
        const auto row = anna.rows.find({kHousehold, "north3"});
        stayed = stayed && row != anna.rows.end() && row->second[0] == text("moved") && anna.rows.count({kCall, "call-north3"}) == 1;
    };
    anna.pull({.slice_rows = 1});
    EXPECT_GT(checkpoints, 5);
    EXPECT_TRUE(stayed);
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, pitfall_26_a_cursor_that_was_made_up_brings_no_key_of_what_was_never_granted) {
    Peer anna(world, "anna");
    Peer bert(world, "bert");
    world.allow("bert", "south");
    bert.pull();
    anna.pull();
    world.forbid("bert", "south");
    world.sql("DELETE FROM household WHERE id = 'south2'");
    anna.cursor = bert.cursor;
    const PullAnswer pull = anna.pull();
    EXPECT_TRUE(pull.begins[0].verify);
    for (const wire::Leaves& leaves : pull.leave_frames) EXPECT_TRUE(leaves.keys.empty());
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, pitfall_27_an_own_write_that_hands_the_row_over_settles_although_it_leaves) {
    Peer anna(world, "anna");
    anna.pull();
    const auto given = anna.txn({Peer::update(kHousehold, "north1", {{1, text("north"), text("south"), {}}})});
    const auto made = anna.txn({Peer::insert(kHousehold, "far", {text("far"), text("east"), text("open")})});
    EXPECT_EQ(anna.push({given, made}).verdicts.size(), 2u);
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(anna.settled.at(given.no).verdict, Verdict::kApplied);
    EXPECT_EQ(anna.settled.at(made.no).verdict, Verdict::kApplied) << "made outside of all that the author has";
    EXPECT_TRUE(pull.rows[0].empty());
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, case_B17_made_and_deleted_between_two_syncs_is_never_mentioned) {
    Peer anna(world, "anna");
    anna.pull();
    world.household("x", "north");
    world.call("call-x", "x");
    Peer bert(world, "bert");
    bert.pull();
    world.sql("DELETE FROM household WHERE id = 'x'");
    const PullAnswer pull = anna.pull();
    EXPECT_FALSE(has(pull, kHousehold));
    Peer fresh(world, "anna");
    fresh.pull();
    EXPECT_EQ(fresh.rows, world.truth("anna"));
    EXPECT_EQ(fresh.rows.count({kHousehold, "x"}), 0u);
}

TEST_F(Scopes, pitfall_24_a_restored_server_heals_a_device_that_lost_scopes_it_does_not_know) {
    Peer anna(world, "anna");
    anna.pull();
    const std::string backup = world.backup();
    world.allow("anna", "west");
    world.household("w", "west");
    anna.pull();
    EXPECT_EQ(anna.rows.count({kHousehold, "w"}), 1u);
    world.put_back(backup);
    world.allow("anna", "east");
    world.household("e", "east");
    const PullAnswer pull = anna.pull({.slice_rows = 2});
    EXPECT_TRUE(pull.begins[0].verify);
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, verify_mode_drops_what_is_no_longer_granted) {
    world.allow("anna", "south");
    Peer anna(world, "anna");
    anna.pull();
    world.forbid("anna", "south");
    const PullAnswer pull = anna.pull({.verify = true, .slice_rows = 3});
    EXPECT_TRUE(pull.begins[0].verify);
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_FALSE(anna.pull().begins[0].verify);
}

TEST_F(Scopes, pitfall_34_a_cursor_below_the_floor_of_a_scope_that_it_holds_verifies) {
    Peer anna(world, "anna");
    anna.pull();
    world.sql("DELETE FROM household WHERE id = 'north1'");
    world.handler().tick();
    world.sql("DELETE FROM skerry_member WHERE live = 0; UPDATE skerry_scope SET floor = (SELECT max(seq) FROM skerry_batch)");
    const PullAnswer pull = anna.pull();
    EXPECT_TRUE(pull.begins[0].verify);
    EXPECT_EQ(anna.rows, world.truth("anna"));
    EXPECT_FALSE(anna.pull().begins[0].verify);
}

TEST_F(Scopes, pitfall_37_a_live_pull_gains_and_loses_what_its_query_reads_from_a_table) {
    Peer anna(world, "anna");
    anna.pull();
    anna.open_live();
    anna.read_live();
    world.allow("anna", "south");
    world.handler().tick();
    anna.read_live();
    EXPECT_EQ(anna.rows, world.truth("anna"));
    world.forbid("anna", "north");
    world.sql("UPDATE household SET name = 'not yours' WHERE area = 'north'");
    world.handler().tick();
    const PullAnswer pull = anna.read_live();
    EXPECT_EQ(pull.lost.size(), 3u);
    EXPECT_FALSE(has(pull, kHousehold));
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, a_live_pull_is_not_woken_for_what_is_none_of_its_own) {
    Peer anna(world, "anna");
    anna.open_live();
    anna.read_live();
    const Bytes cursor = anna.cursor;
    world.sql("UPDATE household SET name = 'new' WHERE id = 'south1'");
    world.handler().tick();
    EXPECT_TRUE(anna.read_live().begins.empty());
    world.sql("UPDATE household SET name = 'new' WHERE id = 'north1'");
    world.handler().tick();
    const PullAnswer pull = anna.read_live();
    ASSERT_EQ(pull.begins.size(), 1u);
    EXPECT_EQ(pull.begins[0].from, hash64(cursor)) << "it continues what the device has";
    EXPECT_EQ(pull.rows[0].size(), 1u);
}

TEST_F(Scopes, a_value_of_the_token_chooses_rows_and_a_missing_one_chooses_none) {
    Peer north(world, "carl", {{"profile", "street"}, {"street", "north"}});
    north.pull();
    EXPECT_EQ(north.rows, world.truth("carl", "street", {"north"}));
    EXPECT_EQ(north.rows.count({kHousehold, "north1"}), 1u);
    Peer nowhere(world, "dora", {{"profile", "street"}});
    nowhere.pull();
    EXPECT_EQ(nowhere.rows, world.truth("dora", "street", {}));
}

TEST_F(Scopes, what_an_app_chooses_is_sent_and_goes_when_it_is_not_chosen) {
    Peer anna(world, "anna", {{"profile", "chosen"}});
    anna.pull();
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {}));
    anna.pull({.chosen = {{"opened", {"south"}}}});
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {"south"}));
    EXPECT_EQ(anna.rows.count({kCall, "call-south1"}), 1u);
    anna.pull({.chosen = {{"opened", {"north", "nowhere"}}, {"areas", {"south"}}, {"street", {"south"}}}});
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {"north"})) << "only what the model lets an app choose";
}

TEST_F(Scopes, a_query_of_two_values_where_one_belongs_is_an_error_and_loses_nothing) {
    Peer anna(world, "anna", {{"profile", "single"}});
    anna.pull();
    const auto rows = anna.rows;
    world.allow("anna", "south");
    const PullAnswer pull = anna.pull();
    EXPECT_EQ(pull.error, Code::kPrincipalFailed);
    EXPECT_NE(pull.message.find("'areas' gives 2 values"), std::string::npos) << pull.message;
    EXPECT_GT(pull.retry_after_ms, 0u);
    EXPECT_EQ(anna.rows, rows);
    world.forbid("anna", "south");
    EXPECT_FALSE(anna.pull().error);
    EXPECT_EQ(anna.rows, world.truth("anna", "single"));
}

TEST_F(Scopes, a_profile_that_the_model_does_not_have_is_refused_by_name_on_both_ways) {
    Peer anna(world, "anna");
    world.put_profile("anna", "gone");
    EXPECT_EQ(anna.pull().error, Code::kProfileUnknown);
    const PushAnswer push = anna.push({anna.txn({Peer::insert(kSite, "s", {text("s")})})});
    EXPECT_EQ(push.error, Code::kProfileUnknown);
    EXPECT_TRUE(push.verdicts.empty()) << "nothing is judged, nothing is lost";
    world.put_profile("anna", "office");
    EXPECT_FALSE(anna.pull().error);
}

TEST_F(Scopes, too_many_scopes_are_refused_by_name) {
    Peer anna(world, "anna");
    world.sql("INSERT INTO allowance WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3400) SELECT 'a' || i, 'anna', 'area' || i FROM n");
    EXPECT_EQ(anna.pull().error, Code::kTooManyScopes) << "three entities have each of them";
    world.sql("DELETE FROM allowance WHERE id IN (SELECT id FROM allowance WHERE id GLOB 'a[0-9]*' LIMIT 200)");
    EXPECT_FALSE(anna.pull().error);
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, an_entity_that_takes_no_uploads_makes_a_draft_of_the_whole_transaction) {
    Peer anna(world, "anna", {{"profile", "office"}});
    const auto both = anna.txn({Peer::insert(kSite, "s", {text("s")}), Peer::insert(kCall, "v", {text("north1"), text("")})});
    const PushAnswer push = anna.push({both, anna.txn({Peer::insert(kSite, "t", {text("t")})})});
    ASSERT_EQ(push.verdicts.size(), 2u);
    EXPECT_EQ(push.verdicts[0].verdict, Verdict::kRejected);
    EXPECT_EQ(push.verdicts[0].code, Code::kUploadRejected);
    EXPECT_EQ(push.verdict(1), Verdict::kApplied);
    EXPECT_EQ(world.integer("SELECT count(*) FROM site"), 1);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_draft WHERE state = 1"), 1) << "its content is kept";
}

TEST_F(Scopes, what_is_asked_for_first_comes_first_with_its_parents_and_alone_if_wanted) {
    world.sql("INSERT INTO site VALUES('s', 's')");
    Peer anna(world, "anna");
    const PullAnswer part = anna.pull({.slice_rows = 2, .only_first = true, .first = {kCall}});
    EXPECT_EQ(part.slice_entities, (std::vector<EntityIx>{kHousehold, kHousehold, kCall, kCall}));
    EXPECT_TRUE(anna.complete) << "what was asked for is here";
    EXPECT_EQ(part.begins[0].rows_left, 8u);
    EXPECT_EQ(anna.rows.count({kSite, "s"}), 0u);
    const PullAnswer rest = anna.pull({.first = {kComment}});
    EXPECT_EQ(rest.slice_entities.front(), kComment);
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, a_selection_that_was_cut_goes_on_where_it_was_whoever_is_first_then) {
    Peer anna(world, "anna", {{"profile", "office"}});
    for (int i = 0; i < 6; ++i) world.sql("INSERT INTO site VALUES('s" + std::to_string(i) + "', 's')");
    Bytes after_two;
    int n = 0;
    anna.after_checkpoint = [&] {
        if (++n == 2) after_two = anna.cursor;
    };
    anna.pull({.slice_rows = 2});
    anna.after_checkpoint = {};
    anna.cursor = after_two;
    const PullAnswer pull = anna.pull({.slice_rows = 2, .first = {kMemo}});
    EXPECT_EQ(pull.slice_entities[0], kMemo);
    EXPECT_EQ(pull.slice_entities[1], kSite);
    EXPECT_EQ(pull.begins[0].from, hash64(after_two));
    EXPECT_EQ(anna.rows, world.truth("anna", "office"));
}

TEST_F(Scopes, repair_reads_the_ranges_that_are_named_and_nothing_else) {
    Peer anna(world, "anna");
    anna.pull();
    anna.rows[{kHousehold, "north1"}][0] = text("falsified");
    anna.rows[{kHousehold, "north3"}][0] = text("falsified");
    anna.rows.erase({kSite, "s"});
    const PullAnswer pull = anna.pull({.slice_rows = 2, .repair = {{kHousehold, "north0", "north2"}, {kSite, "", std::nullopt}, {kHousehold, "north2", std::nullopt}}});
    EXPECT_EQ(anna.rows, world.truth("anna"));
    std::size_t rows = 0;
    for (const std::size_t n : pull.slice_sizes) rows += n;
    EXPECT_EQ(rows, 3u) << "north1, north2, north3";
    EXPECT_TRUE(pull.completed.empty());
    EXPECT_GT(pull.begins.size(), 1u) << "in bounded pieces";
    EXPECT_TRUE(anna.complete);
    EXPECT_EQ(anna.pull({.repair = {{EntityIx{99}, "", std::nullopt}}}).error, Code::kDamagedFrame);
}

TEST_F(Scopes, a_condition_that_changes_with_the_model_exchanges_scopes_and_keeps_rows_here) {
    Peer anna(world, "anna");
    anna.pull();
    model::Model newer = areas_model();
    newer.version = 2;
    for (auto& said : newer.profiles[0].entities)
        if (said.entity == kHousehold) said.where = "status <> 'gone'";
    world.household("shut", "north", "closed");
    world.stop();
    world.start(newer);
    anna.model = newer;
    bool stayed = true;
    anna.after_checkpoint = [&] { stayed = stayed && anna.rows.count({kHousehold, "north1"}) == 1 && anna.rows.count({kCall, "call-north1"}) == 1; };
    const PullAnswer pull = anna.pull({.slice_rows = 1});
    EXPECT_FALSE(pull.error);
    EXPECT_FALSE(pull.begins[0].verify);
    EXPECT_TRUE(stayed);
    EXPECT_EQ(anna.rows.count({kHousehold, "shut"}), 1u);
}

TEST_F(Scopes, a_token_says_of_a_user_only_what_the_model_knows) {
    const auto refused = [&](const std::map<std::string, std::string>& claims) {
        const auto token = make_token(world.place, {"eve", "test", std::nullopt, claims}, world.clock, world.random);
        return token ? Code::kInternal : token.error().code;
    };
    EXPECT_EQ(refused({{"profile", "gone"}}), Code::kProfileUnknown);
    EXPECT_EQ(refused({{"stret", "north"}}), Code::kInvalidArgument);
    EXPECT_EQ(refused({{"areas", "north"}}), Code::kInvalidArgument) << "a query is no claim";
    EXPECT_EQ(refused({{"sub", "anna"}}), Code::kInvalidArgument);
    EXPECT_EQ(refused({{"street", std::string(201, 'x')}}), Code::kInvalidArgument);
    EXPECT_EQ(refused({{"street", ""}}), Code::kInvalidArgument);
}

TEST_F(Scopes, O_23_a_summary_comes_first_and_a_detail_when_it_is_selected_and_is_then_kept_current) {
    world.sql("INSERT INTO site VALUES('s', 'of the summary')");
    Peer anna(world, "anna", {{"profile", "chosen"}});
    anna.pull();
    EXPECT_EQ(anna.rows.count({kSite, "s"}), 1u);
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {}));
    const PullOptions selected{.chosen = {{"opened", {"south"}}}};
    const PullAnswer detail = anna.pull(selected);
    std::size_t rows = 0;
    for (const std::size_t n : detail.slice_sizes) rows += n;
    EXPECT_EQ(rows, 8u) << "four households with their calls";
    EXPECT_TRUE(detail.rows[0].empty()) << "and nothing else";
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {"south"}));
    world.sql("UPDATE household SET name = 'new' WHERE id IN ('south1', 'north1')");
    world.call("fresh", "south2");
    const PullAnswer current = anna.pull(selected);
    EXPECT_EQ(current.rows[0], (std::vector<KeyRef>{{kHousehold, "south1"}, {kCall, "fresh"}}));
    EXPECT_TRUE(current.slice_sizes.empty());
    EXPECT_EQ(anna.rows, world.truth("anna", "chosen", {"south"}));
}

TEST_F(Scopes, X_5_no_child_is_here_before_its_parent) {
    world.allow("anna", "south");
    Peer anna(world, "anna");
    Peer bert(world, "anna");
    const auto is_whole = [&](EntityIx entity) {
        for (const auto& [number, scope] : anna.scopes)
            if (scope.entity == entity && !anna.whole_now.contains(number)) return false;
        return true;
    };
    std::size_t children = 0;
    std::size_t early = 0;
    anna.after_checkpoint = [&] {
        for (const auto& [at, row] : anna.rows) {
            if (at.entity != kCall && at.entity != kComment) continue;
            ++children;
            const EntityIx parent = at.entity == kCall ? kHousehold : kCall;
            if (anna.rows.contains({parent, std::get<std::string>(row[0])})) continue;
            ++early;
            EXPECT_FALSE(is_whole(parent)) << at.key << ": its parent is missing from what is named as whole";
        }
    };
    anna.pull({.slice_rows = 1});
    EXPECT_GT(children, 0u);
    EXPECT_EQ(early, 0u) << "a download brings parents first";
    // One after the other, all in one transaction, and handed over from elsewhere.
    const std::vector<std::vector<wire::Op>> pushes{
        {Peer::insert(kHousehold, "h1", {text("h"), text("north"), text("open")})}, {Peer::insert(kCall, "v1", {text("h1"), text("")})},
        {Peer::insert(kComment, "m1", {text("v1"), text("")})},
        {Peer::insert(kHousehold, "h2", {text("h"), text("north"), text("open")}), Peer::insert(kCall, "v2", {text("h2"), text("")}),
         Peer::insert(kComment, "m2", {text("v2"), text("")})}};
    for (const auto& ops : pushes) {
        const PushAnswer push = bert.push({bert.txn(ops)});
        ASSERT_EQ(push.verdict(), Verdict::kApplied) << push.verdicts[0].message;
        anna.pull();
    }
    world.household("far", "east");
    world.call("far-call", "far");
    anna.pull();
    world.sql("UPDATE household SET area = 'north' WHERE id = 'far'");
    anna.pull();
    EXPECT_EQ(early, 0u);
    EXPECT_EQ(anna.rows, world.truth("anna"));
    // What changes while its parent's download is under way may come before it; then the parent's entity says that it is not whole.
    anna.pull({.verify = true, .slice_rows = 1});
    Peer fresh(world, "anna");
    std::swap(anna.rows, fresh.rows);
    std::swap(anna.cursor, fresh.cursor);
    std::swap(anna.id, fresh.id);
    std::swap(anna.scopes, fresh.scopes);
    std::swap(anna.whole_now, fresh.whole_now);
    std::swap(anna.lines, fresh.lines);
    anna.checkpoints_max = 1;
    anna.pull({.slice_rows = 1});
    anna.checkpoints_max = SIZE_MAX;
    world.sql("UPDATE call SET note = 'changed meanwhile'; UPDATE comment SET note = 'changed meanwhile'");
    anna.pull({.slice_rows = 1});
    EXPECT_GT(early, 0u);
    EXPECT_EQ(anna.rows, world.truth("anna"));
}

TEST_F(Scopes, case_B24_a_part_in_which_nothing_happens_keeps_no_mark_of_what_happens_elsewhere) {
    Peer anna(world, "anna");
    const auto ticks = [&] {
        for (int i = 0; i < 10; ++i) {
            world.clock.now += std::chrono::seconds(10);
            world.handler().tick();
        }
    };
    for (int day = 0; day < 400; day += 4) {
        world.sql("UPDATE household SET name = 'day " + std::to_string(day) + "' WHERE id = 'south1'");
        const PullAnswer pull = anna.pull();
        EXPECT_TRUE(day == 0 || pull.rows.at(0).empty());
        world.clock.now += std::chrono::hours(4 * 24);
        ticks();
    }
    EXPECT_GE(world.integer("SELECT acked FROM skerry_device"), world.integer("SELECT max(seq) FROM skerry_batch") - 1) << "its cursor moves though nothing is sent";
    EXPECT_LT(world.integer("SELECT count(*) FROM skerry_batch"), 30) << "the retention's worth of 100";
}

}  // namespace
}  // namespace skerry::server::test
