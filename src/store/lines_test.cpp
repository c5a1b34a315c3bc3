// Which rows are here and why: lines, leaves, lost scopes, slices of several scopes, verify mode; and that nothing is left of a
// row whose right was lost.
#include "store/testing.hpp"

#ifndef __wasm__
#include <fstream>
#endif

namespace skerry::store {
namespace {

using wire::Outcome;
using wire::Verdict;

constexpr wire::ScopeId kA{70'000};
constexpr wire::ScopeId kB{70'001};
constexpr wire::ScopeId kC{70'002};

class ScopeLines : public StoreTest {
  protected:
    static wire::ScopeInfo scope(wire::ScopeId id, std::string name) { return {id, std::move(name), {1}, false}; }
    static std::vector<wire::ScopeInfo> three() { return {scope(kA, "house/a"), scope(kB, "house/b"), scope(kC, "house/c")}; }
    static wire::RowEntry entry(std::string key, std::vector<wire::ScopeId> lines, std::string name = "server") {
        return {std::move(key), std::move(lines), {Value{std::move(name)}, Value{Null{}}}};
    }
    static Piece slice(std::vector<wire::ScopeId> scopes, std::string after, std::optional<std::string> upto, std::vector<wire::RowEntry> rows) {
        return piece([&](Bytes& out) { wire::put(out, wire::Slice{{1}, scopes, after, upto, rows}); });
    }
    static Piece lines(wire::ScopeId scope, std::vector<std::string> keys) {
        return piece([&](Bytes& out) { wire::put(out, wire::Lines{{1}, scope, keys}); });
    }
    static Piece moved(std::string key, wire::ScopeId scope) {
        return piece([&](Bytes& out) { wire::put(out, wire::Leaves{{1}, scope, {key}, wire::Left::kMoved}); });
    }
    static Piece many(int from, int count, std::vector<wire::ScopeId> in) {
        wire::Rows rows{{1}, {}};
        for (int i = from; i < from + count; ++i) rows.rows.push_back(entry("k" + std::to_string(1'000'000 + i), in));
        return piece([&](Bytes& out) { wire::put(out, rows); });
    }
    std::string here() { return rows("SELECT id FROM house ORDER BY id"); }
    std::string held() { return rows("SELECT key, scope FROM skerry_scope_row ORDER BY key, scope"); }
};

TEST_F(ScopeLines, a_row_that_leaves_and_comes_back_in_one_checkpoint_stays) {
    apply({.scopes = three()}, {house("a", "x", 1, {kA}), house("b", "x", 1, {kA})});
    const auto report = apply({.token = "two"}, {moved("a", kA), house("a", "back", 1, {kA}), house("b", "other", 1, {kB}), moved("b", kA)});
    EXPECT_EQ(rows("SELECT id, name FROM house ORDER BY id"), "'a','back'; 'b','other'");
    EXPECT_EQ(held(), "'a',70000; 'b',70001");
    EXPECT_EQ(report.left.moved, 0u);
}

TEST_F(ScopeLines, pitfall_19_lines_keep_a_row_that_stays_though_its_scope_is_lost) {
    apply({.scopes = three()}, {house("stays", "x", 1, {kA}), house("goes", "x", 1, {kA}), house("deleted", "x", 1, {kA})});
    sql("DELETE FROM house WHERE id = 'deleted'");
    sql("UPDATE house SET name = 'mine' WHERE id = 'stays'");
    const wire::ScopeId next{70'009};
    apply({.scopes = {scope(next, "house/next")}, .token = "two"}, {lines(next, {"stays", "never here", "deleted"}), lost(kA.value)});
    EXPECT_EQ(rows("SELECT id, name FROM house"), "'stays','mine'") << "its slice may come hours later";
    EXPECT_EQ(held(), "'deleted',70009; 'stays',70009") << "a line for what is here only; what an unsettled delete hides is here";
    apply({.outcomes = {{{1}, Verdict::kRejected, Code::kKeyTaken, {1}, ""}}, .token = "three"});
    EXPECT_EQ(here(), "'deleted'; 'stays'") << "its base row was kept";
}

TEST_F(ScopeLines, a_slice_is_the_truth_of_its_range_for_its_scopes_only) {
    apply({.scopes = three()}, {house("a", "x", 1, {kA}), house("b", "x", 1, {kA, kC}), house("c", "x", 1, {kB}), house("d", "x", 1, {kC}),
                                house("e", "x", 1, {kA, kB}), house("z", "x", 1, {kA})});
    apply({.token = "two"}, {slice({kA, kB}, "", "m", {entry("c", {kA}), entry("e", {kA, kB}), entry("f", {kB})})});
    EXPECT_EQ(here(), "'b'; 'c'; 'd'; 'e'; 'f'; 'z'") << "a is gone; b and d are held by another scope, z is beyond the range";
    EXPECT_EQ(held(), "'b',70002; 'c',70000; 'd',70002; 'e',70000; 'e',70001; 'f',70001; 'z',70000");
}

TEST_F(ScopeLines, a_slice_of_many_scopes_says_the_same_as_one_of_few) {
    std::vector<wire::ScopeInfo> scopes = three();
    std::vector<wire::ScopeId> sliced{kA, kB};
    for (std::uint32_t i = 0; i < 40; ++i) {
        scopes.push_back(scope({71'000 + i}, "house/n" + std::to_string(i)));
        sliced.push_back({71'000 + i});
    }
    apply({.scopes = scopes}, {house("a", "x", 1, {kA}), house("b", "x", 1, {{71'003}, kC}), house("c", "x", 1, {{71'004}}), house("z", "x", 1, {kA})});
    apply({.token = "two"}, {slice(sliced, "", "m", {entry("c", {{71'005}})})});
    EXPECT_EQ(held(), "'b',70002; 'c',71005; 'z',70000");
    EXPECT_EQ(here(), "'b'; 'c'; 'z'");
}

TEST_F(ScopeLines, a_slice_keeps_what_is_unsettled) {
    apply({.scopes = three()}, {house("a", "x", 1, {kA})});
    sql("INSERT INTO house VALUES('mine', 'x', 1)");
    sql("UPDATE house SET name = 'mine' WHERE id = 'a'");
    apply({.token = "two"}, {slice({kA}, "", std::nullopt, {})});
    EXPECT_EQ(here(), "'mine'") << "a is gone on the server; its change is judged still";
    EXPECT_EQ(transactions(), 2);
}

TEST_F(ScopeLines, verify_mode_drops_the_lines_of_every_scope_that_it_does_not_list) {
    apply({.scopes = three()}, {house("a", "x", 1, {kA}), house("b", "x", 1, {kB}), house("both", "x", 1, {kA, kB})});
    apply({.scopes = {scope(kA, "house/a")}, .verify = true, .token = "two"});
    EXPECT_EQ(here(), "'a'; 'both'");
    EXPECT_EQ(held(), "'a',70000; 'both',70000");
    EXPECT_EQ(rows("SELECT id, complete FROM skerry_scope"), "70000,0");
}

TEST_F(ScopeLines, pitfall_24_lines_follow_the_names_of_scopes_when_a_restored_server_numbers_them_anew) {
    apply({.scopes = three()}, {house("a", "x", 1, {kA}), house("b", "x", 1, {kB}), house("both", "x", 1, {kA, kB}), house("c", "x", 1, {kC})});
    apply({.scopes = {scope(kB, "house/a"), scope(kA, "house/b"), scope(kC, "house/other")}, .verify = true, .token = "two"});
    EXPECT_EQ(held(), "'a',70001; 'b',70000; 'both',70000; 'both',70001") << "c was in a scope of which there is only the number now";
    EXPECT_EQ(here(), "'a'; 'b'; 'both'");
}

TEST_F(ScopeLines, a_whole_entity_becomes_scopes_and_back) {
    apply({.scopes = whole_scopes()}, {house("a", "x", 1), house("b", "x", 1), house("mine", "x", 1)});
    sql("UPDATE house SET name = 'mine' WHERE id = 'mine'");
    sql("INSERT INTO house VALUES('new', 'x', 1)");
    auto report = apply({.scopes = {scope(kA, "house/a")}, .token = "two"}, {lines(kA, {"a"}), lost(2)});
    EXPECT_EQ(here(), "'a'; 'new'");
    EXPECT_EQ(held(), "'a',70000");
    EXPECT_EQ(report.left.lost, 2u) << "b, and the row of a change that is judged still";
    report = apply({.scopes = {{{2}, "entity/house", {1}, true}}, .token = "three"}, {lost(kA.value)});
    EXPECT_EQ(here(), "'a'; 'new'") << "the whole entity is granted, so every row of it is";
    EXPECT_EQ(held(), "");
    EXPECT_EQ(report.left.lost, 0u);
    apply({.token = "four"}, {house_slice("", std::nullopt, {entry("b", {})})});
    EXPECT_EQ(here(), "'b'; 'new'");
}

TEST_F(ScopeLines, a_line_of_a_scope_that_is_not_granted_is_refused_because_it_could_never_be_lost) {
    apply({.scopes = {scope(kA, "house/a")}}, {house("a", "x", 1, {kA})});
    for (const Piece& bad : {house("b", "x", 1, {kB}), lines(kB, {"a"}), slice({kA}, "", std::nullopt, {entry("b", {kB})})}) {
        Staging staging(*store_);
        stage(staging, [&](Bytes& out) { wire::put(out, wire::Begin{.from = hash64("next"), .seen = {}, .scopes = {}}); });
        ASSERT_TRUE(staging.stage(bad.first, bad.second));
        stage(staging, [&](Bytes& out) { wire::put(out, wire::Checkpoint{"two", false}); });
        const auto report = staging.apply();
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, Code::kDamagedFrame);
    }
    EXPECT_EQ(here(), "'a'") << "nothing of such a checkpoint is applied";
}

TEST_F(ScopeLines, a_lost_scope_of_a_hundred_thousand_rows_goes_as_a_set) {
    std::vector<Piece> pieces;
    for (int i = 0; i < 10; ++i) pieces.push_back(many(i * 10'000, 10'000, {kA}));
    pieces.push_back(many(0, 10, {kA, kB}));
    apply({.scopes = three()}, pieces);
    sql("UPDATE house SET name = 'mine' WHERE id = 'k1050000'");
    ASSERT_EQ(rows("SELECT count(*) FROM house"), "100000");
    const auto report = apply({.token = "two"}, {lost(kA.value)});
    EXPECT_EQ(rows("SELECT count(*), max(id) FROM house"), "10,'k1000009'") << "those of the other scope";
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_scope_row"), "10");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_base_house"), "0");
    EXPECT_EQ(report.left.lost, 99'990u);
    EXPECT_EQ(transactions(), 1) << "the change is pushed and judged";
}

TEST_F(ScopeLines, case_J1_the_apps_own_triggers_see_every_row_that_a_lost_scope_takes) {
    sql("CREATE TABLE seen(id TEXT)");
    sql("CREATE TRIGGER app_gone AFTER DELETE ON house BEGIN INSERT INTO seen VALUES(OLD.id); END");
    apply({.scopes = three()}, {house("a", "x", 1, {kA}), house("b", "x", 1, {kA, kB}), house("c", "x", 1, {kA})});
    apply({.token = "two"}, {lost(kA.value)});
    EXPECT_EQ(here(), "'b'");
    EXPECT_EQ(rows("SELECT id FROM seen ORDER BY id"), "'a'; 'c'") << "an index of the app's (FTS) must not keep what went";
}

#ifndef __wasm__
class Erased : public ScopeLines {
  protected:
    // Whether the text is anywhere in the store's files: pages, free pages, WAL.
    bool on_disk(std::string_view text) {
        for (const auto& file : std::filesystem::directory_iterator(folder_)) {
            if (file.path().filename().string().ends_with("-shm")) continue;
            std::ifstream in(file.path(), std::ios::binary);
            const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
            if (content.find(text) != std::string::npos) return true;
        }
        return false;
    }
    // Rows of several sizes, so that overflow pages, splits and moves within pages are among it; changed here and there.
    void fill() {
        std::vector<Piece> pieces;
        for (int i = 0; i < 400; ++i)
            pieces.push_back(house("k" + std::to_string(1000 + i), "TOPSECRET" + std::string(static_cast<std::size_t>(i % 40) * 150, 'x'), i, {kA}));
        apply({.scopes = three()}, pieces);
        pieces.clear();
        for (int i = 0; i < 400; i += 3)
            pieces.push_back(house("k" + std::to_string(1000 + i), "TOPSECRET again" + std::string(static_cast<std::size_t>(i % 7) * 900, 'y'), i, {kA}));
        apply({.token = "two"}, pieces);
        apply({.token = "three"}, {house("other", "stays", 1, {kB})});
        ASSERT_TRUE(on_disk("TOPSECRET"));
    }
};

TEST_F(Erased, case_J1_nothing_of_a_lost_scope_is_left_in_the_files) {
    fill();
    apply({.token = "four"}, {lost(kA.value)});
    EXPECT_EQ(here(), "'other'");
    EXPECT_FALSE(on_disk("TOPSECRET"));
    EXPECT_TRUE(on_disk("stays"));
}

TEST_F(Erased, pitfall_28_base_and_pre_images_of_a_row_that_moved_away_are_erased_and_the_change_stays) {
    fill();
    for (int i = 0; i < 400; i += 20) sql("UPDATE house SET people = -1 WHERE id = 'k" + std::to_string(1000 + i) + "'");
    std::vector<Piece> pieces;
    for (int i = 0; i < 400; ++i) pieces.push_back(moved("k" + std::to_string(1000 + i), kA));
    apply({.token = "four"}, pieces);
    EXPECT_EQ(here(), "'other'");
    EXPECT_EQ(transactions(), 20);
    EXPECT_FALSE(on_disk("TOPSECRET")) << "the changes name another attribute";
}

TEST_F(Erased, case_J1_a_reader_of_the_old_state_only_delays_the_erasure_of_the_log) {
    fill();
    {
        auto reader = foreign();
        ASSERT_TRUE(reader.exec("BEGIN"));
        ASSERT_TRUE(reader.integer("SELECT count(*) FROM house"));
        apply({.token = "four"}, {lost(kA.value)});
        EXPECT_EQ(here(), "'other'");
        EXPECT_TRUE(on_disk("TOPSECRET")) << "what the reader sees is in the file still";
    }
    apply({.token = "five"});
    EXPECT_FALSE(on_disk("TOPSECRET"));
}
#endif

}  // namespace
}  // namespace skerry::store
