// Failures that users really met, replayed: what others change, delete and grant while a device works.
#include "simulation/cases.hpp"

namespace skerry::kit {
namespace {

Result<void> all_of(store::Store& store, const std::vector<std::string>& statements) {
    for (const std::string& sql : statements)
        if (auto said = store.sql(sql); !said) return fail(std::move(said.error()));
    return {};
}

TEST(Cases, M_1_with_all_a_device_has_every_row_and_every_attribute_and_nothing_else) {
    World w{kSeed};
    Device& ben = w.device("ben");
    for (int i = 0; i < 30; ++i) ben.sql(note(numbered("n", i), "x", i));
    ben.sql("INSERT INTO site(id, code, name) VALUES('s', 'c', 'site')");
    ben.sql("INSERT INTO visit(id, site_id, n) VALUES('v', 's', 3)");
    ben.sql("INSERT INTO card(id, one, hi, lo, money, body, ratio, seen, day, at, data, raw) VALUES('c', 'one', 7, 125, 250, 'w', 0.5, 1, '2026-03-29', "
            "'2026-03-29T02:30:00.000000Z', '{\"a\":1}', x'00ff')");
    w.sync(ben);
    Device& ann = w.device("ann");
    w.sync(ann);
    const auto equal = [&] {
        for (const model::Entity& entity : world_model().entities) EXPECT_EQ(ann.rows(entity.name), w.server().rows(entity.name)) << entity.name;
    };
    equal();
    EXPECT_EQ(ann.rows("note").size(), 30u);
    for (const model::Entity& entity : world_model().entities) {
        const auto columns = ann.store().sql("SELECT count(*) FROM pragma_table_info('" + entity.name + "')");
        ASSERT_TRUE(columns);
        EXPECT_EQ(std::get<std::int64_t>(columns->rows.at(0).at(0)), static_cast<std::int64_t>(entity.attributes.size() + 1)) << entity.name;
    }
    w.server().sql({"DELETE FROM note WHERE n < 20", "UPDATE card SET one = NULL, raw = NULL", "INSERT INTO note(id, n) VALUES('servers', 1)"});
    w.sync(ann);
    equal();
    EXPECT_EQ(ann.rows("note").size(), 11u);
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, M_2_a_row_that_matches_no_more_goes_and_what_was_changed_of_it_is_sent_and_judged_first) {
    World w{kSeed, {.model = &scoped_model(), .claims = {{"ann", {{"profile", "part"}}}, {"ben", {{"profile", "whole"}}}}}};
    Device& ann = w.device("ann");
    Device& ben = w.device("ben");
    for (const char* key : {"clean", "edited", "stays"}) ben.sql("INSERT INTO card(id, visits) VALUES('" + std::string(key) + "', 5)");
    w.sync(ben);
    w.sync(ann);
    const auto keys = [&] {
        Lines out;
        for (const std::string& line : ann.rows("card")) out.push_back(line.substr(0, line.find(':')));
        return out;
    };
    ASSERT_EQ(keys(), (Lines{"clean", "edited", "stays"}));
    ann.sql("UPDATE card SET visits = visits + 1 WHERE id = 'edited'");
    ben.sql("UPDATE card SET kind = 'closed' WHERE id IN ('clean', 'edited')");
    w.sync(ben);
    w.sync(ann);
    EXPECT_EQ(keys(), Lines{"stays"});
    EXPECT_EQ(ann.verdict(1), "applied");
    EXPECT_EQ(ann.unsettled(), 0u);
    w.sync(ben);
    bool counted = false;
    for (const std::string& line : ben.rows("card")) counted = counted || (line.starts_with("edited:") && line.find(" 6 ") != std::string::npos);
    EXPECT_TRUE(counted) << ben.rows("card").at(1);
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, O_13_the_later_applied_write_stays_and_what_is_written_during_a_download_too) {
    World w{kSeed, {.two_connections = true, .slice_rows = 3}};
    Device& ben = w.device("ben");
    for (int i = 0; i < 20; ++i) ben.sql(note(numbered("k", i), "x", 0));
    w.sync(ben);
    Device& ann = w.device("ann");
    w.sync(ann);
    ben.sql("UPDATE note SET text = 'bens'");
    ann.sql("UPDATE note SET text = 'anns' WHERE id < 'k010'");
    w.sync(ben);
    ann.start_sync();
    int written = 0;
    EXPECT_TRUE(w.run_until([&] {
        if (ann.sync_ended() || written == 30) return ann.sync_ended();
        ++written;
        ann.sql("UPDATE note SET n = " + std::to_string(written) + " WHERE id IN ('k000', 'k015')");
        return false;
    })) << w.report();
    EXPECT_GE(written, 4) << "the sync was over too soon to tell";
    const std::string n = std::to_string(written);
    const auto shows = [&](Device& device) {
        const Lines rows = device.rows("note");
        ASSERT_EQ(rows.size(), 20u);
        EXPECT_EQ(rows[0], "k000: 'anns' " + n + " NULL") << device.name();
        EXPECT_EQ(rows[9], "k009: 'anns' 0 NULL") << device.name();
        EXPECT_EQ(rows[10], "k010: 'bens' 0 NULL") << device.name();
        EXPECT_EQ(rows[15], "k015: 'bens' " + n + " NULL") << device.name();
    };
    shows(ann);
    w.sync(ann);
    w.sync(ben);
    shows(ann);
    shows(ben);
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, case_B23_grants_and_rows_change_under_a_first_download_and_nobody_diverges) {
    World w{kSeed, {.model = &scoped_model(), .two_connections = true, .slice_rows = 2, .claims = {{"ann", {{"profile", "part"}}}, {"ben", {{"profile", "whole"}}}}}};
    Device& ben = w.device("ben");
    for (const char* site : {"s1", "s2"}) {
        ben.sql("INSERT INTO site(id, code) VALUES('" + std::string(site) + "', 'code " + site + "')");
        ben.sql("WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM c WHERE i < 59) INSERT INTO visit(id, site_id, n) SELECT printf('" + std::string(site) + "%03d', i), '" + site + "', 0 FROM c");
    }
    w.sync(ben);
    w.server().sql({"INSERT INTO member(id, user, site_id) VALUES('m1', 'ann', 's1')"});
    Device& ann = w.device("ann");
    // So that an answer arrives in many pieces, and time passes between its checkpoints.
    w.net().set_conditions(ann.options().link, {.chunk_bytes_max = 64, .chunk_gap_ms_max = 20});
    ann.start_sync();
    int steps = 0;
    std::size_t most = 0;
    EXPECT_TRUE(w.run_until([&] {
        if (ann.sync_ended()) return true;
        const std::size_t here = ann.rows("visit").size();
        if (here == most || steps == 40) return false;
        // Rows have just come into view.
        most = here;
        ++steps;
        ann.sql("UPDATE visit SET n = n + 1");
        if (steps == 1) w.server().sql({"INSERT INTO member(id, user, site_id) VALUES('m2', 'ann', 's2')"});
        if (steps == 2) w.server().sql({"UPDATE visit SET site_id = 's2' WHERE id = 's1008'"});
        if (steps == 3) w.server().sql({"DELETE FROM member WHERE id = 'm1'"});
        return false;
    })) << w.report();
    EXPECT_GE(steps, 3) << "the download was over too soon to tell";
    w.sync_all();
    EXPECT_EQ(ann.rows("site").size(), 1u);
    EXPECT_EQ(ann.rows("visit").size(), 61u) << "with the one that moved";
    EXPECT_TRUE(w.finish()) << w.report();
}

TEST(Cases, case_C3_made_sent_deleted_and_made_again_is_there_as_made_last) {
    for (const bool sent_between : {false, true}) {
        Pair p;
        p.ann.sql(note("again", "first", 1));
        p.w.net().next_fate({.kind = FateKind::kLoseResponse}, "push");
        EXPECT_TRUE(p.w.try_sync(p.ann).has_value());
        p.ann.sql("DELETE FROM note WHERE id = 'again'");
        if (sent_between) p.w.sync(p.ann);
        p.ann.sql(note("again", "second", 2));
        p.w.sync(p.ann);
        p.w.sync(p.ben);
        for (Device* device : p.w.devices()) EXPECT_EQ(device->rows("note"), (Lines{"again: 'second' 2 NULL", "k1: 'x' 5 NULL"})) << device->name();
        EXPECT_EQ(p.ann.drafts(), 0u);
        EXPECT_TRUE(p.w.finish()) << p.w.report();
    }
}

TEST(Cases, case_C4_a_row_that_two_deleted_is_gone_for_a_third) {
    Pair p;
    Device& carl = p.w.device("carl");
    p.w.sync(carl);
    p.ann.sql("DELETE FROM note WHERE id = 'k1'");
    p.ben.sql("DELETE FROM note WHERE id = 'k1'");
    p.w.sync(p.ann);
    p.w.sync(p.ben);
    p.w.sync(carl);
    EXPECT_TRUE(carl.rows("note").empty());
    EXPECT_EQ(p.ben.verdict(1), "applied");
    EXPECT_TRUE(p.w.finish()) << p.w.report();
}

TEST(Cases, case_C7_deleting_and_changing_one_row_ends_alike_for_all_in_any_order) {
    const std::vector<std::vector<std::string>> anns{{"UPDATE note SET n = 6 WHERE id = 'k1'", "DELETE FROM note WHERE id = 'k1'"},
                                                     {"DELETE FROM note WHERE id = 'k1'", note("k1", "anew", 7)}};
    for (const auto& statements : anns) {
        for (const bool ann_first : {true, false}) {
            Pair p;
            ASSERT_TRUE(p.ann.transaction([&](store::Store& store) { return all_of(store, statements); }));
            EXPECT_EQ(p.ann.last_no(), 2u) << "one transaction";
            p.ben.sql("UPDATE note SET text = 'bens' WHERE id = 'k1'");
            p.w.sync(ann_first ? p.ann : p.ben);
            p.w.sync(ann_first ? p.ben : p.ann);
            p.w.sync_all();
            EXPECT_EQ(p.ann.rows("note"), p.w.server().rows("note"));
            EXPECT_EQ(p.ben.rows("note"), p.w.server().rows("note"));
            EXPECT_EQ(p.w.server().rows("note").empty(), statements.size() == 2 && statements[1].starts_with("DELETE"));
            EXPECT_TRUE(p.w.finish()) << p.w.report();
        }
    }
}

}  // namespace
}  // namespace skerry::kit
