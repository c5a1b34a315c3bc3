// Checker against a server that is a map: what it sends back of the ranges that differ is applied as a pull would.
#include "store/check.hpp"

#include "store/held.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

constexpr EntityIx kHouse{1};

class CheckTest : public StoreTest {
  protected:
    // By key: what the server has.
    std::map<std::string, model::Row> server_;
    std::uint64_t rows_sent_ = 0;

    static model::Row house_row(std::string name, std::int64_t people) { return {Value{std::move(name)}, Value{people}}; }

    void download(int rows) {
        std::vector<wire::RowEntry> entries;
        for (int i = 0; i < rows; ++i) {
            const std::string key = "h" + std::to_string(100'000 + i);
            server_[key] = house_row("n" + std::to_string(i), i);
            entries.push_back({key, {}, server_[key]});
        }
        std::vector<Piece> pieces{house_slice("", std::nullopt, entries)};
        for (const std::uint32_t scope : {1u, 2u}) pieces.push_back(piece([&](Bytes& out) { wire::put_number(out, wire::FrameType::kComplete, scope); }));
        apply({.scopes = whole_scopes()}, std::move(pieces));
    }

    // Past all triggers, as a bug or a broken disk would.
    void falsify(const std::string& sql) {
        auto db = foreign();
        db.enable_triggers(false);
        ASSERT_TRUE(db.exec("BEGIN IMMEDIATE; " + sql + "; COMMIT"));
    }

    wire::RangeSummary summary(const wire::KeyRange& range) const {
        wire::RangeSummary summary;
        if (range.entity != kHouse) return summary;
        for (auto row = server_.upper_bound(range.after); row != server_.end() && (!range.upto || row->first <= *range.upto); ++row)
            summary.add(row->first, wire::held_hash(model_.entities[1], row->first, row->second, {}));
        return summary;
    }

    void repair(const std::vector<wire::KeyRange>& ranges) {
        std::vector<Piece> pieces;
        for (const wire::KeyRange& range : ranges) {
            std::vector<wire::RowEntry> rows;
            for (auto row = server_.upper_bound(range.after); row != server_.end() && (!range.upto || row->first <= *range.upto); ++row)
                rows.push_back({row->first, {}, row->second});
            rows_sent_ += rows.size();
            pieces.push_back(house_slice(range.after, range.upto, rows));
        }
        apply({.token = "repaired"}, std::move(pieces));
    }

    // How many requests it took.
    int run(Checker& checker) {
        EXPECT_TRUE(checker.begin());
        for (int requests = 0; requests < 1000; ++requests) {
            wire::Check request;
            const auto next = checker.next(request);
            if (!next) ADD_FAILURE() << describe(next.error());
            if (!next || *next == CheckNext::kDone) return requests;
            if (*next == CheckNext::kRepair) {
                repair(checker.repairs());
                checker.repaired();
                continue;
            }
            for (std::uint32_t i = 0; i < request.ranges.size(); ++i) {
                wire::RangeSummary theirs = summary(request.ranges[i].range);
                if (theirs.digest() == request.ranges[i].digest) continue;
                EXPECT_TRUE(checker.differs(theirs.differs(i)));
            }
            EXPECT_TRUE(checker.answered());
        }
        ADD_FAILURE() << "it does not end";
        return 0;
    }
    void expect_equal() {
        std::map<std::string, model::Row> here;
        const auto table = store_->sql("SELECT id, name, people FROM house ORDER BY id");
        for (const auto& row : table->rows) here[std::get<std::string>(row[0])] = {row[1], row[2]};
        EXPECT_EQ(here, server_);
    }
};

TEST_F(CheckTest, P_16_nothing_differs_and_nothing_is_sent) {
    download(30'000);
    Checker checker(*store_);
    EXPECT_LE(run(checker), 5);
    EXPECT_EQ(checker.report().rows, 30'000u);
    EXPECT_EQ(checker.report().different, 0u);
    EXPECT_EQ(rows_sent_, 0u);
}

TEST_F(CheckTest, P_16_falsified_missing_and_surplus_rows_are_found_and_no_equal_row_is_sent) {
    download(20'000);
    falsify("UPDATE house SET people = -1 WHERE id = 'h100007'; DELETE FROM house WHERE id IN ('h100000', 'h119999', 'h110000', 'h110001');"
            "INSERT INTO house(id, name) VALUES('h100000a', 'stray'), ('z', 'stray'), ('a', 'stray')");
    Checker checker(*store_);
    run(checker);
    EXPECT_EQ(checker.report().different, 8u);
    EXPECT_EQ(checker.report().left, 0u);
    EXPECT_EQ(checker.report().examples.size(), 8u);
    EXPECT_EQ(rows_sent_, 5u);
    expect_equal();
    EXPECT_EQ(*store_->meta().integer(key::kMended), 8);
    EXPECT_EQ(*store_->meta().integer(key::kMendedAt), clock_.now.count());
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_txn"), "0");
}

// Much is gone here: what the server alone has is divided by the server.
TEST_F(CheckTest, X_7_thousands_of_rows_that_are_missing_come_and_no_other) {
    download(12'000);
    falsify("DELETE FROM house WHERE id > 'h103000' AND id <= 'h108000'");
    Checker checker(*store_);
    run(checker);
    EXPECT_EQ(checker.report().different, 5'000u);
    EXPECT_EQ(rows_sent_, 5'000u);
    expect_equal();
}

TEST_F(CheckTest, X_7_a_server_whose_rows_were_falsified_is_followed) {
    download(5'000);
    server_["h100100"] = house_row("other", 1);
    server_.erase("h100200");
    server_["h1003005"] = house_row("new", 2);
    Checker checker(*store_);
    run(checker);
    EXPECT_EQ(checker.report().different, 3u);
    EXPECT_EQ(rows_sent_, 2u);
    expect_equal();
}

// Any set of differences, of any density.
TEST_F(CheckTest, P_16_random_differences_are_mended) {
    for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
        SCOPED_TRACE(seed);
        SeededRandom random(seed);
        server_.clear();
        apply({.scopes = whole_scopes(), .verify = true, .token = "anew" + std::to_string(seed)});
        download(4'000);
        auto db = foreign();
        db.enable_triggers(false);
        ASSERT_TRUE(db.exec("BEGIN IMMEDIATE"));
        std::uint64_t expected = 0;
        for (int i = 0; i < 4'000; ++i) {
            const std::string key = "h" + std::to_string(100'000 + i);
            const std::uint64_t what = random.u64() % (seed == 4 ? 3 : 200 * seed);
            if (what > 1) continue;
            ++expected;
            ASSERT_TRUE(db.exec(what == 0 ? "DELETE FROM house WHERE id = '" + key + "'" : "UPDATE house SET name = 'wrong' WHERE id = '" + key + "'"));
        }
        ASSERT_TRUE(db.exec("COMMIT"));
        rows_sent_ = 0;
        Checker checker(*store_);
        run(checker);
        EXPECT_EQ(checker.report().different, expected);
        EXPECT_EQ(rows_sent_, expected);
        expect_equal();
    }
}

TEST_F(CheckTest, pitfall_33_unsettled_changes_are_neither_compared_nor_touched) {
    download(100);
    sql("UPDATE house SET name = 'mine' WHERE id = 'h100001'");
    sql("DELETE FROM house WHERE id = 'h100002'");
    sql("INSERT INTO house(id, name) VALUES('new', 'mine')");
    Checker checker(*store_);
    run(checker);
    EXPECT_EQ(checker.report().rows, 100u);
    EXPECT_EQ(checker.report().different, 0u);
    // A falsified base is mended under them.
    falsify("UPDATE skerry_base_house SET people = 77 WHERE skerry_key = 'h100001'");
    run(checker);
    EXPECT_EQ(checker.report().different, 1u);
    EXPECT_EQ(rows("SELECT name, people FROM house WHERE id = 'h100001'"), "'mine',1");
    EXPECT_EQ(rows("SELECT people FROM skerry_base_house WHERE skerry_key = 'h100001'"), "1");
    EXPECT_EQ(transactions(), 3);
}

TEST_F(CheckTest, an_answer_for_a_cursor_that_moved_counts_for_nothing) {
    download(10);
    Checker checker(*store_);
    ASSERT_TRUE(checker.begin());
    wire::Check request;
    ASSERT_EQ(*checker.next(request), CheckNext::kAsk);
    apply({.token = "moved on"});
    EXPECT_TRUE(checker.differs(wire::Differs{1, {}, {}}));
    EXPECT_TRUE(checker.answered());
    EXPECT_EQ(checker.report().different, 0u);
    ASSERT_EQ(*checker.next(request), CheckNext::kAsk);
    EXPECT_EQ(request.token, "moved on");
    EXPECT_EQ(request.ranges.size(), 2u);
}

TEST_F(CheckTest, rows_that_change_all_the_time_end_the_check) {
    download(10);
    Checker checker(*store_);
    ASSERT_TRUE(checker.begin());
    wire::Check request;
    for (std::size_t i = 0; i < kCheckMovedMax; ++i) {
        ASSERT_EQ(*checker.next(request), CheckNext::kAsk);
        ASSERT_TRUE(checker.moved());
    }
    ASSERT_EQ(*checker.next(request), CheckNext::kAsk);
    EXPECT_EQ(checker.moved().error().code, Code::kServerBusy);
}

TEST_F(CheckTest, answers_that_do_not_fit_are_refused) {
    download(10);
    Checker checker(*store_);
    ASSERT_TRUE(checker.begin());
    wire::Check request;
    ASSERT_EQ(*checker.next(request), CheckNext::kAsk);
    EXPECT_EQ(checker.differs(wire::Differs{7, {}, {}}).error().code, Code::kDamagedFrame);
    EXPECT_EQ(checker.differs(wire::Differs{1, {}, {{"b", {1, 1, 1}}, {"a", {1, 1, 1}}, {std::nullopt, {}}}}).error().code, Code::kDamagedFrame);
}

TEST_F(CheckTest, a_check_is_due_seven_days_after_the_last_and_when_the_clock_was_wrong) {
    download(1);
    EXPECT_FALSE(*Checker::due(*store_));
    clock_.now += kCheckEvery - Micros{1};
    EXPECT_FALSE(*Checker::due(*store_));
    clock_.now += Micros{1};
    EXPECT_TRUE(*Checker::due(*store_));
    Checker checker(*store_);
    run(checker);
    EXPECT_FALSE(*Checker::due(*store_));
    clock_.now -= std::chrono::hours(1);
    EXPECT_TRUE(*Checker::due(*store_));
}

// Rows of keyed scopes count with their lines, those that nothing brought as strays.
TEST_F(CheckTest, rows_of_an_entity_that_is_not_whole_count_with_the_lines_of_complete_scopes) {
    const std::vector<wire::ScopeInfo> scopes{{{70'000}, "a", kHouse, false}, {{70'001}, "b", kHouse, false}};
    apply({.scopes = scopes}, {house("k1", "x", 1, {{70'000}, {70'001}}), house("k2", "y", 2, {{70'001}}), house("k3", "z", 3, {{70'000}}),
                               piece([&](Bytes& out) { wire::put_number(out, wire::FrameType::kComplete, 70'000); })});
    falsify("INSERT INTO house(id) VALUES('stray')");
    auto view = *sqlite::Transaction::begin_read(store_->db());
    const auto held = *HeldRows::open(*store_, {kHouse, "", std::nullopt});
    std::vector<wire::HeldRow> found;
    wire::HeldRow row;
    while (*held->next(row)) found.push_back(row);
    const model::Entity& entity = model_.entities[1];
    const std::vector<wire::ScopeId> line{wire::ScopeId{70'000}};
    EXPECT_EQ(found, (std::vector<wire::HeldRow>{{"k1", wire::held_hash(entity, "k1", house_row("x", 1), line)},
                                                 {"k3", wire::held_hash(entity, "k3", house_row("z", 3), line)},
                                                 {"stray", wire::held_hash(entity, "stray", {Null{}, Null{}}, {})}}));
}

}  // namespace
}  // namespace skerry::store
