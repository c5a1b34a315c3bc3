// Chains: what the author's own earlier, unsettled transaction came to decides about the next one. Every cell of the
// table, each on rows of its own.
#include "server/app/policy_world.hpp"

namespace skerry::server::test {
namespace {

struct Values {
    std::uint32_t attribute;
    Value base, new1, new2, foreign;
};

const std::map<std::string, Values>& values() {
    static const std::map<std::string, Values> all{
        {"last", {kLastAt, text("b"), text("n1"), text("n2"), text("f")}},
        {"first", {kFirstAt, text("b"), text("n1"), text("n2"), text("f")}},
        {"ask", {kAskAt, text("b"), text("n1"), text("n2"), text("f")}},
        {"max", {kMaxAt, number(10), number(20), number(15), number(17)}},
        {"min", {kMinAt, number(20), number(10), number(15), number(12)}},
        {"counter", {kCounterAt, number(10), number(11), number(13), number(100)}},
        {"set", {kSetAt, text(R"(["a"])"), text(R"(["a","b"])"), text(R"(["b","c"])"), text(R"(["a","b","x"])")}},
        {"text", {kTextAt, text("alpha beta gamma delta"), text("alpha beta gamma DELTA"), text("ALPHA beta gamma DELTA"), text("alpha beta GAMMA DELTA")}},
    };
    return all;
}

enum class First { kApplied, kAppliedThenForeign, kLost, kLostThenSame, kOpen, kClosed, kClosedMine, kRejected };

struct Cell {
    std::string policy;
    First first;
    Verdict verdict;
    std::string left;           // what the row holds then
    std::int64_t records = 0;   // open ones about the row, in all
    std::int64_t history = 0;   // values kept of the row because of the second transaction
    std::string mine{};         // what the record holds of the author's
};

struct Chain : PolicyWorld {
    std::string key;
    std::string other;

    void make_rows(const Values& v, int n) {
        key = "r" + std::to_string(n);
        other = "o" + std::to_string(n);
        model::Row row(8, Value{Null{}});
        row[v.attribute] = v.base;
        model::Row asked(8, Value{Null{}});
        asked[kAskAt] = text("b");
        ASSERT_EQ(send(bert, {Peer::insert(kCard, other, asked), Peer::insert(kCard, key, row)}).verdict, Verdict::kApplied);
    }
    void foreign(std::uint32_t attribute, const Value& value) {
        auto sql = ServerSql::open(world.place);
        ASSERT_TRUE(sql->run("UPDATE card SET \"" + world.model.entity(kCard).attributes[attribute].name + "\" = ?1 WHERE id = ?2", {value, text(key)}));
    }
    // A change of the row `k` of keep, which waits in a record.
    Transaction change_of_what_bert_deleted() {
        const model::Row base{text("x"), number(1)};
        EXPECT_EQ(send(bert, {Peer::insert(kKeep, "k", base)}).verdict, Verdict::kApplied);
        EXPECT_EQ(send(bert, {remove(kKeep, "k", base)}).verdict, Verdict::kApplied);
        auto change = anna.txn({update(kKeep, "k", 0, text("x"), text("n1"))});
        EXPECT_EQ(send(anna, change).code, Code::kRowDeleted);
        return change;
    }
    // The first transaction, brought to the result that the cell is about.
    TxnNo first(const Values& v, First wanted) {
        const auto change = update(kCard, key, v.attribute, v.base, v.new1);
        if (wanted == First::kLost || wanted == First::kLostThenSame) foreign(v.attribute, v.foreign);
        std::vector<wire::Op> ops{change};
        Verdict expected = Verdict::kApplied;
        const bool closed = wanted == First::kClosed || wanted == First::kClosedMine;
        if (wanted == First::kOpen || closed) {
            world.sql("UPDATE card SET ask = 'f' WHERE id = '" + other + "'");
            ops.insert(ops.begin(), update(kCard, other, kAskAt, text("b"), text("mine")));
            expected = Verdict::kConflict;
        }
        if (wanted == First::kRejected) {
            ops.insert(ops.begin(), Peer::insert(kCard, other, model::Row(8)));
            expected = Verdict::kRejected;
        }
        Transaction txn = anna.txn(ops);
        txn.strict = expected == Verdict::kConflict;
        if (wanted == First::kLost || wanted == First::kLostThenSame) expected = Verdict::kMerged;
        EXPECT_EQ(send(anna, txn).verdict, expected);
        if (closed) world.sql("UPDATE skerry_conflict SET state = 'closed'");
        if (wanted == First::kClosedMine) foreign(v.attribute, v.new1);
        if (wanted == First::kAppliedThenForeign) foreign(v.attribute, v.foreign);
        if (wanted == First::kLostThenSame) foreign(v.attribute, v.new1);
        return txn.no;
    }
    void prove(const Cell& cell, int n) {
        const Values& v = values().at(cell.policy);
        make_rows(v, n);
        const TxnNo prev = first(v, cell.first);
        const std::string of_row = " WHERE key = '" + key + "'";
        const std::int64_t before = world.integer("SELECT count(*) FROM skerry_history" + of_row);
        const Outcome outcome = send(anna, {update(kCard, key, v.attribute, v.new1, v.new2, prev)});
        EXPECT_EQ(wire::verdict_name(outcome.verdict), wire::verdict_name(cell.verdict));
        if (cell.first == First::kRejected) {
            EXPECT_EQ(outcome.code, Code::kDependency);
        }
        const std::string& name = world.model.entity(kCard).attributes[v.attribute].name;
        EXPECT_EQ(value_text("SELECT \"" + name + "\" FROM card WHERE id = '" + key + "'"), cell.left);
        const std::string open = " FROM skerry_conflict WHERE state = 'open' AND row = '" + key + "'";
        EXPECT_EQ(world.integer("SELECT count(*)" + open), cell.records);
        EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history" + of_row) - before, cell.history);
        if (!cell.mine.empty()) {
            EXPECT_EQ(value_text("SELECT json_extract(mine, '$." + name + "')" + open), cell.mine);
        }
    }
};

TEST_F(Chain, pitfall_12_pitfall_13_every_cell_of_the_table) {
    const Verdict applied = Verdict::kApplied, merged = Verdict::kMerged, conflict = Verdict::kConflict, rejected = Verdict::kRejected;
    const std::vector<Cell> table{
        {"last", First::kApplied, applied, "'n2'"},
        {"last", First::kAppliedThenForeign, merged, "'n2'", 0, 1},
        {"last", First::kOpen, conflict, "'b'", 1, 0, "'n2'"},
        {"last", First::kClosed, merged, "'n2'", 0, 1},
        {"last", First::kClosedMine, merged, "'n2'", 0, 1},
        {"last", First::kRejected, rejected, "'b'"},

        {"first", First::kApplied, applied, "'n2'"},
        {"first", First::kAppliedThenForeign, merged, "'f'", 0, 1},
        {"first", First::kLost, merged, "'f'", 0, 1},
        {"first", First::kLostThenSame, merged, "'n1'", 0, 1},
        {"first", First::kOpen, conflict, "'b'", 1, 0, "'n2'"},
        {"first", First::kClosed, merged, "'b'", 0, 1},
        {"first", First::kClosedMine, merged, "'n1'", 0, 1},
        {"first", First::kRejected, rejected, "'b'"},

        {"ask", First::kApplied, applied, "'n2'"},
        {"ask", First::kAppliedThenForeign, conflict, "'f'", 1, 0, "'n2'"},
        {"ask", First::kOpen, conflict, "'b'", 1, 0, "'n2'"},
        {"ask", First::kClosed, conflict, "'b'", 1, 0, "'n2'"},
        {"ask", First::kClosedMine, conflict, "'n1'", 1, 0, "'n2'"},
        {"ask", First::kRejected, rejected, "'b'"},

        {"max", First::kApplied, applied, "15"},
        {"max", First::kAppliedThenForeign, merged, "17", 0, 1},
        {"max", First::kOpen, conflict, "10", 1, 0, "15"},
        {"max", First::kClosedMine, merged, "20", 0, 1},
        {"max", First::kRejected, rejected, "10"},
        {"min", First::kApplied, applied, "15"},
        {"min", First::kAppliedThenForeign, merged, "12", 0, 1},
        {"min", First::kOpen, conflict, "20", 1, 0, "15"},
        {"min", First::kClosedMine, merged, "10", 0, 1},
        {"min", First::kRejected, rejected, "20"},

        {"counter", First::kApplied, applied, "13"},
        {"counter", First::kAppliedThenForeign, merged, "102"},
        {"counter", First::kOpen, merged, "12", 1, 0, "11"},
        {"counter", First::kClosed, merged, "12"},
        {"counter", First::kClosedMine, applied, "13"},
        {"counter", First::kRejected, rejected, "10"},

        {"set", First::kApplied, applied, R"('["b","c"]')"},
        {"set", First::kAppliedThenForeign, merged, R"('["b","c","x"]')"},
        {"set", First::kOpen, merged, R"('["c"]')", 1, 0, R"('["a","b"]')"},
        {"set", First::kClosed, merged, R"('["c"]')"},
        {"set", First::kClosedMine, applied, R"('["b","c"]')"},
        {"set", First::kRejected, rejected, R"('["a"]')"},

        {"text", First::kApplied, applied, "'ALPHA beta gamma DELTA'"},
        {"text", First::kAppliedThenForeign, merged, "'ALPHA beta GAMMA DELTA'"},
        {"text", First::kOpen, conflict, "'alpha beta gamma delta'", 1, 0, "'ALPHA beta gamma DELTA'"},
        {"text", First::kClosed, merged, "'ALPHA beta gamma delta'"},
        {"text", First::kClosedMine, merged, "'ALPHA beta gamma DELTA'"},
        {"text", First::kRejected, rejected, "'alpha beta gamma delta'"},
    };
    int n = 0;
    for (const Cell& cell : table) {
        SCOPED_TRACE(cell.policy + ", first " + std::to_string(static_cast<int>(cell.first)));
        prove(cell, n++);
    }
}

TEST_F(Chain, pitfall_13_a_joined_record_keeps_its_base_and_shows_the_latest_of_both_sides) {
    make_rows(values().at("ask"), 0);
    foreign(kAskAt, text("f"));
    const auto t1 = anna.txn({update(kCard, key, kAskAt, text("b"), text("n1"))});
    EXPECT_EQ(send(anna, t1).code, Code::kBothChanged);
    foreign(kAskAt, text("later"));
    const auto t2 = anna.txn({update(kCard, key, kAskAt, text("n1"), text("n2"), t1.no)});
    EXPECT_EQ(send(anna, t2).verdict, Verdict::kConflict);
    const auto t3 = anna.txn({update(kCard, key, kAskAt, text("n2"), text("n3"), t2.no)});
    EXPECT_EQ(send(anna, t3).verdict, Verdict::kConflict);
    EXPECT_EQ(records(), std::vector<std::string>{R"(card r0 ask anna update both_changed {"ask":"b"} {"ask":"n3"} {"ask":"later"} open)"});
    EXPECT_EQ(send(bert, {update(kCard, key, kAskAt, text("b"), text("bert"))}).verdict, Verdict::kConflict) << "another author, another record";
    EXPECT_EQ(records().size(), 2u);
}

TEST_F(Chain, what_needs_a_creation_that_waits_waits_with_it_and_a_reference_to_it_is_a_dependency) {
    make_rows(values().at("ask"), 0);
    foreign(kAskAt, text("f"));
    Transaction t1 = anna.txn({Peer::insert(kCard, "new", model::Row(8)), update(kCard, key, kAskAt, text("b"), text("n1"))});
    t1.strict = true;
    EXPECT_EQ(send(anna, t1).verdict, Verdict::kConflict);
    EXPECT_EQ(send(anna, {update(kCard, "new", kLastAt, Null{}, text("x"), t1.no)}, {t1.no}).verdict, Verdict::kConflict);
    EXPECT_EQ(value_text("SELECT json_extract(mine, '$.last') FROM skerry_conflict WHERE row = 'new' AND operation = 'insert'"), "'x'");
    EXPECT_EQ(send(anna, {update(kCard, "new", kCounterAt, Null{}, number(1))}, {t1.no}).verdict, Verdict::kConflict) << "no prev for differences";
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE row = 'new'"), 1);
    auto gone = remove(kCard, "new", {});
    gone.prev_row = t1.no;
    EXPECT_EQ(send(anna, {gone}, {t1.no}).verdict, Verdict::kConflict);
    EXPECT_EQ(value("SELECT mine FROM skerry_conflict WHERE row = 'new'"), Value{Null{}});
}

// The row, deleted by its author while that waits, is made again by him.
TEST_F(Chain, a_creation_after_an_own_delete_of_a_creation_that_waits_joins_its_record) {
    make_rows(values().at("ask"), 0);
    foreign(kAskAt, text("f"));
    Transaction t1 = anna.txn({Peer::insert(kCard, "new", model::Row(8)), update(kCard, key, kAskAt, text("b"), text("n1"))});
    t1.strict = true;
    EXPECT_EQ(send(anna, t1).verdict, Verdict::kConflict);
    auto gone = remove(kCard, "new", {});
    gone.prev_row = t1.no;
    const auto t2 = anna.txn({gone}, {t1.no});
    EXPECT_EQ(send(anna, t2).verdict, Verdict::kConflict);
    model::Row again(8, Value{Null{}});
    again[kLastAt] = text("again");
    auto made = Peer::insert(kCard, "new", again);
    made.prev_row = t2.no;
    const auto t3 = anna.txn({made}, {t1.no});
    const Outcome outcome = send(anna, t3);
    EXPECT_EQ(outcome.verdict, Verdict::kConflict);
    EXPECT_EQ(outcome.code, Code::kStrict) << "why its record was opened";
    EXPECT_EQ(world.integer("SELECT count(*) FROM card WHERE id = 'new'"), 0) << "it waits too";
    const std::string record = " FROM skerry_conflict WHERE row = 'new'";
    EXPECT_EQ(value_text("SELECT group_concat(operation || ' ' || state)" + record), "'insert open'");
    EXPECT_EQ(value_text("SELECT json_extract(mine, '$.last')" + record), "'again'");
    EXPECT_EQ(send(anna, {update(kCard, "new", kLastAt, text("again"), text("more"), t3.no)}, {t3.no}).verdict, Verdict::kConflict) << "and what goes on from it";
    EXPECT_EQ(value_text("SELECT json_extract(mine, '$.last')" + record), "'more'");
    EXPECT_EQ(world.integer("SELECT count(*)" + record), 1);
}

// The deleted row, of which the first change left nothing, is made again as its author meant it.
TEST_F(Chain, a_change_after_one_of_a_deleted_row_that_a_person_brought_back_is_merged) {
    const auto t1 = change_of_what_bert_deleted();
    world.sql("UPDATE skerry_conflict SET state = 'closed', choice = 'mine'");
    ASSERT_EQ(send(bert, {Peer::insert(kKeep, "k", {text("n1"), number(1)})}).verdict, Verdict::kApplied);
    EXPECT_EQ(send(anna, {update(kKeep, "k", 0, text("n1"), text("n2"), t1.no)}).verdict, Verdict::kMerged);
    EXPECT_EQ(value_text("SELECT a FROM keep"), "'n2'");
    EXPECT_EQ(history("1"), 1) << "what the person chose is kept";
}

// Both had made the row; one gave its `b`, the other only with his next transaction.
TEST_F(Chain, seed_501006b0_what_a_merged_creation_did_not_give_goes_on_from_nothing) {
    ASSERT_EQ(send(bert, {Peer::insert(kNatural, "k", {text("x"), number(5)})}).verdict, Verdict::kApplied);
    const auto t1 = anna.txn({Peer::insert(kNatural, "k", {text("y"), Null{}})});
    EXPECT_EQ(send(anna, t1).verdict, Verdict::kMerged);
    EXPECT_EQ(send(anna, {update(kNatural, "k", 1, Null{}, number(7), t1.no)}).code, Code::kBothChanged);
    EXPECT_EQ(value_text("SELECT b FROM natural"), "5") << "the policy is to ask";
    EXPECT_EQ(send(anna, {update(kNatural, "k", 0, text("y"), text("z"), t1.no)}).verdict, Verdict::kApplied) << "what it gave is its own";
}

// Its author made the row again that others had deleted, and that waits in the record about his change of it.
TEST_F(Chain, seed_501006bc_a_change_of_a_creation_that_waits_waits_for_its_reason) {
    const auto t1 = change_of_what_bert_deleted();
    auto made = Peer::insert(kKeep, "k", {text("n2"), number(7)});
    made.prev_row = t1.no;
    const auto t2 = anna.txn({made});
    EXPECT_EQ(send(anna, t2).code, Code::kRowDeleted);
    const auto t3 = anna.txn({update(kKeep, "k", 1, number(7), number(8), t2.no)}, {t2.no});
    EXPECT_EQ(send(anna, t3).code, Code::kRowDeleted);
    EXPECT_EQ(records(), std::vector<std::string>{R"(keep k  anna insert row_deleted {"a":"x","b":1} {"a":"n2","b":8} - open)"});
}

TEST_F(Chain, a_creation_after_an_own_delete_that_waits_joins_its_record_and_one_after_its_decision_does_not) {
    const model::Row base{text("x"), number(1)};
    ASSERT_EQ(send(bert, {Peer::insert(kKeep, "k", base)}).verdict, Verdict::kApplied);
    world.sql("UPDATE keep SET b = 2");
    const auto t1 = anna.txn({remove(kKeep, "k", base)});
    EXPECT_EQ(send(anna, t1).code, Code::kRowChanged);
    const auto make = [&](const char* a, TxnNo after) {
        auto made = Peer::insert(kKeep, "k", {text(a), number(7)});
        made.prev_row = after;
        return anna.txn({made});
    };
    const Outcome outcome = send(anna, make("mine", t1.no));
    EXPECT_EQ(outcome.verdict, Verdict::kConflict);
    EXPECT_EQ(outcome.code, Code::kRowChanged);
    EXPECT_EQ(records(), std::vector<std::string>{R"(keep k  anna insert row_changed {} {"a":"mine","b":7} {"a":"x","b":2} open)"});
    EXPECT_EQ(value_text("SELECT a FROM keep"), "'x'") << "nothing is written";

    world.sql("UPDATE skerry_conflict SET state = 'closed', choice = 'theirs'");
    EXPECT_EQ(send(anna, make("later", t1.no)).verdict, Verdict::kMerged) << "decided: a change of all attributes";
    EXPECT_EQ(value_text("SELECT a || b FROM keep"), "'later7'");
}

}  // namespace
}  // namespace skerry::server::test
