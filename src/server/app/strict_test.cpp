// Strict transactions and `conflict: detect`: all or nothing, and what was not written is one group of questions.
#include "server/app/policy_world.hpp"

namespace skerry::server::test {
namespace {

struct Strict : PolicyWorld {
    wire::Op detected(std::string key, const model::Row& base, std::uint32_t attribute, Value new_value, TxnNo prev_row = {}) const {
        wire::Op op = Peer::update(kDetected, std::move(key), {{attribute, base[attribute], std::move(new_value), {}}});
        op.row_version = true;
        op.prev_row = prev_row;
        if (!prev_row) op.base_hash = model::row_hash(world.model.entity(kDetected), base);
        return op;
    }
    const model::Row before{text("x"), number(1)};
};

TEST_F(Strict, M_28_pitfall_21_a_transfer_is_never_half_done) {
    send(anna, {Peer::insert(kCard, "a", model::Row(8)), Peer::insert(kCard, "b", model::Row(8))});
    send(anna, {update(kCard, "b", kAskAt, Null{}, text("anna's"))});
    Transaction transfer = bert.txn({update(kCard, "a", kCounterAt, Null{}, number(-100)),
                                     Peer::update(kCard, "b", {{kCounterAt, Null{}, number(100), {}}, {kAskAt, Null{}, text("bert's"), {}}})});
    transfer.strict = true;
    const Outcome outcome = send(bert, transfer);
    EXPECT_EQ(outcome.verdict, Verdict::kConflict);
    EXPECT_EQ(outcome.code, Code::kBothChanged);
    EXPECT_EQ(world.integer("SELECT count(*) FROM card WHERE counter IS NOT NULL"), 0);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE attribute = ''"), 2);
    EXPECT_EQ(world.integer("SELECT count(DISTINCT batch) FROM skerry_conflict WHERE batch <> ''"), 1);
    EXPECT_EQ(value("SELECT why FROM skerry_conflict WHERE row = 'a'"), text("strict"));
    EXPECT_EQ(value("SELECT why FROM skerry_conflict WHERE row = 'b'"), text("both_changed"));
    // Without the mark each attribute has its own fate.
    transfer = bert.txn(transfer.ops);
    EXPECT_EQ(send(bert, transfer).verdict, Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT sum(counter) FROM card"), 0);
}

TEST_F(Strict, an_entity_can_be_strict_and_a_strict_transaction_without_conflict_is_like_any_other) {
    EXPECT_EQ(send(anna, {Peer::insert(kPair, "p", {text("x"), number(1)})}).verdict, Verdict::kApplied);
    EXPECT_EQ(send(anna, {update(kPair, "p", 0, text("x"), text("a"))}).verdict, Verdict::kApplied);
    EXPECT_EQ(send(bert, {update(kPair, "p", 0, text("x"), text("b"))}).verdict, Verdict::kMerged) << "last wins: nothing is lost or asked";
    world.sql("DELETE FROM pair");
    EXPECT_EQ(send(bert, {Peer::insert(kCard, "c", model::Row(8)), update(kPair, "p", 0, text("b"), text("c"))}).verdict, Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT count(*) FROM card"), 0);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE operation = 'insert' AND base IS NULL AND theirs IS NULL"), 1);
}

TEST_F(Strict, pitfall_16_detect_notices_a_change_of_another_attribute) {
    send(anna, {Peer::insert(kDetected, "d", before)});
    EXPECT_EQ(send(anna, {detected("d", before, 0, text("anna's"))}).verdict, Verdict::kApplied);
    const Outcome outcome = send(bert, {detected("d", before, 1, number(2))});
    EXPECT_EQ(outcome.code, Code::kRowChanged);
    EXPECT_EQ(records(), std::vector<std::string>{R"(detected d  bert update row_changed {"b":1} {"b":2} {"a":"anna's","b":1} open)"});
    EXPECT_EQ(send(bert, {remove(kDetected, "d", before)}).verdict, Verdict::kConflict) << "a deletion is put to a person too";
    EXPECT_EQ(world.integer("SELECT count(*) FROM detected"), 1);
    EXPECT_EQ(records().size(), 1u) << "of one author about one row";
}

TEST_F(Strict, pitfall_12_detect_compares_with_what_the_author_s_own_earlier_change_left) {
    send(anna, {Peer::insert(kDetected, "d", before)});
    world.sql("CREATE TRIGGER app_upper AFTER UPDATE OF a ON detected BEGIN UPDATE detected SET a = upper(NEW.a) WHERE id = NEW.id; END");
    const auto t1 = anna.txn({detected("d", before, 0, text("bob"))});
    const auto t2 = anna.txn({detected("d", {text("bob"), number(1)}, 1, number(2), t1.no)});
    const auto t3 = anna.txn({detected("d", {text("bob"), number(2)}, 1, number(3), t2.no)});
    const PushAnswer answer = anna.push({t1, t2, t3});
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(answer.verdict(i), Verdict::kApplied) << i;
}

TEST_F(Strict, what_follows_a_held_transaction_joins_its_group) {
    send(anna, {Peer::insert(kDetected, "d", before), Peer::insert(kDetected, "e", before)});
    world.sql("UPDATE detected SET a = 'f' WHERE id = 'd'");
    const auto t1 = bert.txn({detected("d", before, 1, number(2))});
    const auto t2 = bert.txn({detected("d", {text("x"), number(2)}, 1, number(3), t1.no), detected("e", before, 1, number(9))});
    EXPECT_EQ(send(bert, t1).verdict, Verdict::kConflict);
    world.sql("UPDATE detected SET a = 'g' WHERE id = 'd'");
    EXPECT_EQ(send(bert, t2).verdict, Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict"), 2);
    EXPECT_EQ(world.integer("SELECT count(DISTINCT batch) FROM skerry_conflict"), 1);
    EXPECT_EQ(world.integer("SELECT sum(b) FROM detected"), 2) << "nothing was written";
    EXPECT_EQ(value_text("SELECT json_extract(mine, '$.b') || json_extract(theirs, '$.a') FROM skerry_conflict WHERE row = 'd'"), "'3g'");
}

TEST_F(Strict, a_decision_inside_a_held_transaction_is_held_too) {
    send(anna, {Peer::insert(kCard, "c", model::Row(8))});
    world.sql("UPDATE card SET ask = 'f'");
    send(bert, {update(kCard, "c", kAskAt, Null{}, text("b"))});
    const std::string id = std::get<std::string>(value("SELECT id FROM skerry_conflict"));
    Transaction t = bert.txn({update(kCard, "c", kAskAt, text("old"), text("b")),
                              Peer::update(world.model.conflicts(), id, {{model::record::kState, text("open"), text("closed"), {}}})});
    t.strict = true;
    EXPECT_EQ(send(bert, t).verdict, Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE entity = 'card' AND state = 'open'"), 2);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict"), 2) << "and no record about a record";
}

TEST_F(Strict, a_rejection_inside_a_strict_transaction_is_a_rejection) {
    send(anna, {Peer::insert(kCard, "c", model::Row(8)), Peer::insert(kPair, "p", {text("x"), number(1)})});
    EXPECT_EQ(send(bert, {Peer::insert(kCard, "c", model::Row(8)), update(kPair, "p", 0, text("x"), text("b"))}).code, Code::kKeyTaken);
    EXPECT_EQ(value("SELECT a FROM pair"), text("x"));
}

}  // namespace
}  // namespace skerry::server::test
