// What becomes of a change that meets another one: by policy of the attribute, of the entity, of the row's life.
#include "model/json.hpp"
#include "server/app/policy_world.hpp"

namespace skerry::server::test {
namespace {

using Policy = PolicyWorld;

model::Row card(std::uint32_t attribute, Value value) {
    model::Row row(8, Value{Null{}});
    row[attribute] = std::move(value);
    return row;
}

TEST_F(Policy, P_28_two_people_who_change_different_attributes_both_keep_their_change) {
    send(anna, {Peer::insert(kCard, "c", card(kLastAt, text("l")))});
    EXPECT_EQ(send(anna, {update(kCard, "c", kLastAt, text("l"), text("anna's"))}).verdict, Verdict::kApplied);
    EXPECT_EQ(send(bert, {update(kCard, "c", kFirstAt, Null{}, text("bert's"))}).verdict, Verdict::kApplied);
    anna.pull();
    bert.pull();
    EXPECT_EQ(anna.rows, bert.rows);
    EXPECT_EQ(anna.rows.at({kCard, "c"})[kLastAt], text("anna's"));
    EXPECT_EQ(anna.rows.at({kCard, "c"})[kFirstAt], text("bert's"));
}

struct Meeting {
    std::uint32_t attribute;
    Value base, annas, berts;
    Verdict second;      // of bert's, who comes later and has not seen anna's
    Value result;
    std::int64_t lost;   // values in history
    std::int64_t asked;  // records
};

TEST_F(Policy, G_6_P_29_G_12_the_same_attribute_follows_the_rule_and_the_other_value_is_found) {
    const std::vector<Meeting> meetings{
        {kLastAt, text("x"), text("a"), text("b"), Verdict::kMerged, text("b"), 1, 0},
        {kFirstAt, text("x"), text("a"), text("b"), Verdict::kMerged, text("a"), 1, 0},
        {kMaxAt, number(1), number(9), number(5), Verdict::kMerged, number(9), 1, 0},
        {kMaxAt, number(1), number(5), number(9), Verdict::kMerged, number(9), 1, 0},
        {kMinAt, number(9), number(1), number(5), Verdict::kMerged, number(1), 1, 0},
        {kCounterAt, number(5), number(6), number(6), Verdict::kMerged, number(7), 0, 0},
        {kSetAt, text(R"(["x","y"])"), text(R"(["a","x","y"])"), text(R"(["b","y"])"), Verdict::kMerged, text(R"(["a","b","y"])"), 0, 0},
        {kTextAt, text("one two three four"), text("ONE two three four"), text("one two three FOUR"), Verdict::kMerged, text("ONE two three FOUR"), 0, 0},
        {kTextAt, text("one two three four"), text("one 2 three four"), text("one zwei three four"), Verdict::kConflict, text("one 2 three four"), 0, 1},
        {kAskAt, text("x"), text("a"), text("b"), Verdict::kConflict, text("a"), 0, 1},
        {kAskAt, text("x"), text("same"), text("same"), Verdict::kApplied, text("same"), 0, 0},
    };
    int n = 0;
    for (const Meeting& m : meetings) {
        const std::string key = "c" + std::to_string(n++);
        SCOPED_TRACE(world.model.entity(kCard).attributes[m.attribute].name + " " + key);
        send(anna, {Peer::insert(kCard, key, card(m.attribute, m.base))});
        EXPECT_EQ(send(anna, {update(kCard, key, m.attribute, m.base, m.annas)}).verdict, Verdict::kApplied);
        Transaction later = bert.txn({update(kCard, key, m.attribute, m.base, m.berts)});
        later.made_at_us = -std::int64_t{10} * 365 * 86'400 * 1'000'000;  // a clock that is wrong by decades decides nothing
        EXPECT_EQ(send(bert, later).verdict, m.second);
        anna.pull();
        bert.pull();
        EXPECT_EQ(anna.rows, bert.rows);
        EXPECT_EQ(model::to_text(anna.rows.at({kCard, key})[m.attribute]), model::to_text(m.result));
        EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_history WHERE key = '" + key + "'"), m.lost);
        EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE row = '" + key + "'"), m.asked);
    }
}

TEST_F(Policy, pitfall_1_two_visits_counted_offline_are_two) {
    send(anna, {Peer::insert(kCard, "c", card(kCounterAt, number(5)))});
    EXPECT_EQ(send(anna, {update(kCard, "c", kCounterAt, number(5), number(6))}).verdict, Verdict::kApplied);
    EXPECT_EQ(send(bert, {update(kCard, "c", kCounterAt, number(5), number(6))}).verdict, Verdict::kMerged);
    EXPECT_EQ(world.integer("SELECT counter FROM card"), 7);
}

TEST_F(Policy, a_sum_that_no_number_holds_is_rejected_and_kept) {
    send(anna, {Peer::insert(kCard, "c", card(kCounterAt, number(INT64_MAX - 1)))});
    const Outcome outcome = send(bert, {update(kCard, "c", kCounterAt, number(0), number(5))});
    EXPECT_EQ(outcome.code, Code::kValueInvalid);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_draft"), 1);
}

TEST_F(Policy, O_17_O_18_a_question_holds_back_its_own_attribute_only) {
    send(anna, {Peer::insert(kCard, "c", card(kAskAt, text("x"))), Peer::insert(kCard, "d", card(kLastAt, text("x")))});
    send(anna, {update(kCard, "c", kAskAt, text("x"), text("anna's"))});
    const auto t = bert.txn({Peer::update(kCard, "c", {{kLastAt, Null{}, text("written"), {}}, {kAskAt, text("x"), text("bert's"), {}}}),
                             update(kCard, "d", kLastAt, text("x"), text("too"))});
    const Outcome outcome = send(bert, t);
    EXPECT_EQ(outcome.verdict, Verdict::kConflict);
    EXPECT_EQ(outcome.code, Code::kBothChanged);
    EXPECT_EQ(records(), std::vector<std::string>{R"(card c ask bert update both_changed {"ask":"x"} {"ask":"bert's"} {"ask":"anna's"} open)"});
    EXPECT_EQ(value("SELECT last FROM card WHERE id = 'c'"), text("written"));
    EXPECT_EQ(value("SELECT last FROM card WHERE id = 'd'"), text("too"));
    // The open question blocks nothing that comes later, not even on the same row.
    EXPECT_EQ(send(bert, {update(kCard, "c", kFirstAt, Null{}, text("y"))}).verdict, Verdict::kApplied);
    anna.pull();
    bert.pull();
    EXPECT_EQ(anna.rows, bert.rows) << "everybody has the record";
    EXPECT_EQ(anna.rows.size(), 3u);
}

TEST_F(Policy, O_20_a_resolution_is_an_ordinary_transaction_and_closes_once) {
    send(anna, {Peer::insert(kCard, "c", card(kAskAt, text("x")))});
    send(anna, {update(kCard, "c", kAskAt, text("x"), text("anna's"))});
    send(bert, {update(kCard, "c", kAskAt, text("x"), text("bert's"))});
    const std::string id = std::get<std::string>(value("SELECT id FROM skerry_conflict"));
    const EntityIx records_ix = world.model.conflicts();
    const auto close = [&](std::string choice) {
        return Peer::update(records_ix, id, {{model::record::kState, text("open"), text("closed"), {}}, {model::record::kChoice, text(""), text(std::move(choice)), {}}});
    };
    EXPECT_EQ(send(bert, {update(kCard, "c", kAskAt, text("anna's"), text("bert's")), close("mine")}).verdict, Verdict::kApplied);
    EXPECT_EQ(value("SELECT ask FROM card"), text("bert's"));
    EXPECT_EQ(value("SELECT closed_by FROM skerry_conflict"), text("bert"));
    EXPECT_EQ(value("SELECT closed_at FROM skerry_conflict"), text("2027-01-15T08:00:00.000000Z"));
    EXPECT_EQ(send(anna, {close("theirs")}).verdict, Verdict::kApplied);
    EXPECT_EQ(value("SELECT choice FROM skerry_conflict"), text("mine")) << "decided is decided";
    // Somebody who decides without having seen a newer value asks a new question, and does not lose it with the old one.
    send(anna, {update(kCard, "c", kAskAt, text("anna's"), text("anna's own"))});
    const std::string second = std::get<std::string>(value("SELECT id FROM skerry_conflict WHERE state = 'open'"));
    world.sql("UPDATE card SET ask = 'newest'");
    EXPECT_EQ(send(anna, {update(kCard, "c", kAskAt, text("bert's"), text("anna's own")),
                          Peer::update(records_ix, second, {{model::record::kState, text("open"), text("closed"), {}}})}).verdict,
              Verdict::kConflict);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE state = 'closed'"), 2);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict WHERE state = 'open'"), 1);
}

TEST_F(Policy, of_a_conflict_record_only_the_decision_can_be_written) {
    send(anna, {Peer::insert(kCard, "c", card(kAskAt, text("x")))});
    send(anna, {update(kCard, "c", kAskAt, text("x"), text("anna's"))});
    send(bert, {update(kCard, "c", kAskAt, text("x"), text("bert's"))});
    const std::string id = std::get<std::string>(value("SELECT id FROM skerry_conflict"));
    const auto write = [&](std::uint32_t attribute, std::string v) {
        return send(bert, {Peer::update(world.model.conflicts(), id, {{attribute, text(""), text(std::move(v)), {}}})}).code;
    };
    EXPECT_EQ(write(model::record::kMine, "{}"), Code::kNotWritable);
    EXPECT_EQ(write(model::record::kState, "open"), Code::kNotWritable);
    EXPECT_EQ(write(model::record::kChoice, "whatever"), Code::kNotWritable);
    EXPECT_EQ(write(model::record::kAuthor, "anna"), Code::kNotWritable);
    EXPECT_EQ(send(bert, {Peer::insert(world.model.conflicts(), "00000000-0000-7000-8000-000000000001", model::Row(18))}).verdict, Verdict::kRejected);
    EXPECT_EQ(records(), std::vector<std::string>{R"(card c ask bert update both_changed {"ask":"x"} {"ask":"bert's"} {"ask":"anna's"} open)"});
}

TEST_F(Policy, a_record_that_fits_no_row_rejects_the_transaction_by_name) {
    const std::string large(3u << 20, 'x');
    send(anna, {Peer::insert(kCard, "c", card(kAskAt, text(large)))});
    send(anna, {update(kCard, "c", kAskAt, text(large), text(large + "a"))});
    EXPECT_EQ(send(bert, {update(kCard, "c", kAskAt, text(large), text(large + "b"))}).code, Code::kRowTooBig);
}

TEST(Records, hold_every_kind_of_value_in_canonical_json) {
    using model::Type;
    model::Model model{"kinds", 1, {}};
    model::Entity e{.name = "kind", .key = {"id", Type::kText}};
    e.attributes = {{"r", Type::kReal}, {"n", Type::kInt}, {.name = "d", .type = Type::kDecimal, .precision = 18, .scale = 3}, {"b", Type::kBlob},
                    {"j", Type::kJson}, {"t", Type::kText}, {"ok", Type::kBool}};
    for (model::Attribute& attribute : e.attributes) attribute.merge = model::Merge::kAsk;
    model.entities.push_back(e);
    World world(model);
    Peer anna(world, "anna");
    const std::vector<std::vector<Value>> values{
        {1e20, 0.1, 5e-324, 1.7976931348623157e308, -9007199254740993.0},
        {INT64_MIN, INT64_MAX, std::int64_t{9007199254740993}},
        {std::int64_t{-5}, std::int64_t{999999999999999999}},
        {Blob{0, 255}, Blob{}},
        {std::string(R"({"a":[1,"\u0007\n"],"é":null})"), std::string("[]")},
        {std::string("\"\\\r\x01é\xf0\x9f\x98\x80"), std::string("")},
        {std::int64_t{0}, std::int64_t{1}}};
    int n = 0;
    for (std::uint32_t attribute = 0; attribute < values.size(); ++attribute) {
        for (const Value& value : values[attribute]) {
            const std::string key = "k" + std::to_string(n++);
            model::Row row(7, Value{Null{}});
            row[attribute] = value;
            ASSERT_EQ(anna.push({anna.txn({Peer::insert(EntityIx{0}, key, row)})}).verdict(), Verdict::kApplied) << model::to_text(value);
            Value other = values[attribute][value == values[attribute][0] ? 1 : 0];
            const Outcome outcome = anna.push({anna.txn({Peer::update(EntityIx{0}, key, {{attribute, Null{}, other, {}}})})}).verdicts.at(0);
            ASSERT_EQ(outcome.verdict, Verdict::kConflict) << model::to_text(value) << ": " << outcome.message;
            const Table record = world.sql("SELECT theirs, mine FROM skerry_conflict WHERE row = '" + key + "'");
            const auto theirs = model::json_members(std::get<std::string>(record.rows.at(0)[0]));
            ASSERT_TRUE(theirs);
            EXPECT_EQ(*model::value_from_json(e, e.attributes[attribute], theirs->at(0).second), value);
        }
    }
    anna.pull();
    EXPECT_EQ(anna.rows.size(), static_cast<std::size_t>(2 * n)) << "no record is held back";
}

TEST_F(Policy, with_conflict_last_the_later_row_wins_as_a_whole) {
    send(anna, {Peer::insert(kWhole, "w", {text("x"), number(1)})});
    send(anna, {Peer::update(kWhole, "w", {{0, text("x"), text("anna's"), {}}, {1, number(1), number(1), {}}})});
    EXPECT_EQ(send(bert, {Peer::update(kWhole, "w", {{0, text("x"), text("x"), {}}, {1, number(1), number(2), {}}})}).verdict, Verdict::kMerged);
    EXPECT_EQ(value("SELECT a FROM whole"), text("x"));
    EXPECT_EQ(value("SELECT b FROM whole"), number(2));
    EXPECT_EQ(history("1"), 1);
}

TEST_F(Policy, M_32_O_19_an_update_of_a_deleted_row_is_kept_with_both_sides) {
    send(anna, {Peer::insert(kCard, "c", card(kLastAt, text("x")))});
    send(anna, {remove(kCard, "c", card(kLastAt, text("x")))});
    const Outcome outcome = send(bert, {update(kCard, "c", kLastAt, text("x"), text("bert's"))});
    EXPECT_EQ(outcome.code, Code::kRowDeleted);
    EXPECT_EQ(value_text("SELECT json_extract(base, '$.last') || json_extract(mine, '$.last') || (theirs IS NULL) FROM skerry_conflict"), "'xbert's1'");
    EXPECT_EQ(value_text("SELECT json_type(base, '$.ask') FROM skerry_conflict"), "'null'") << "the whole last image";
}

TEST_F(Policy, pitfall_30_update_wins_brings_the_row_back_from_its_last_image) {
    send(anna, {Peer::insert(kBack, "r", {text("x"), number(5)})});
    bert.pull();
    send(anna, {update(kBack, "r", 1, number(5), number(7))});
    send(anna, {remove(kBack, "r", {text("x"), number(7)})});
    EXPECT_EQ(send(bert, {Peer::update(kBack, "r", {{0, text("x"), text("y"), {}}, {1, number(5), number(6), {}}})}).verdict, Verdict::kMerged);
    EXPECT_EQ(value("SELECT a FROM back"), text("y"));
    EXPECT_EQ(value("SELECT b FROM back"), number(8)) << "a difference, on the image";
    world.sql("DELETE FROM back; DELETE FROM skerry_gone_back");
    EXPECT_EQ(send(bert, {update(kBack, "r", 0, text("y"), text("z"))}).verdict, Verdict::kConflict) << "no image";
}

TEST_F(Policy, O_19_a_delete_of_a_changed_row_follows_the_rule) {
    for (const EntityIx entity : {kCard, kBack, kKeep}) {
        model::Row row = entity == kCard ? card(kLastAt, text("x")) : model::Row{text("x"), number(1)};
        send(anna, {Peer::insert(entity, "r", row)});
        send(anna, {update(entity, "r", 0, text("x"), text("changed"))});
        const Outcome outcome = send(bert, {remove(entity, "r", row)});
        const std::int64_t there = world.integer("SELECT count(*) FROM \"" + world.model.entity(entity).name + "\"");
        if (entity == kCard) {
            EXPECT_EQ(outcome.verdict, Verdict::kMerged);
            EXPECT_EQ(there, 0);
            EXPECT_EQ(history("2"), 1);
        } else if (entity == kBack) {
            EXPECT_EQ(outcome.verdict, Verdict::kMerged);
            EXPECT_EQ(there, 1) << "the delete lost";
        } else {
            EXPECT_EQ(outcome.code, Code::kRowChanged);
            EXPECT_EQ(there, 1);
            EXPECT_EQ(records(), std::vector<std::string>{R"(keep r  bert delete row_changed {} - {"a":"changed","b":1} open)"});
        }
    }
}

TEST_F(Policy, pitfall_16_a_creation_after_a_deletion_that_lost_is_a_change_of_all_attributes) {
    send(anna, {Peer::insert(kBack, "r", {text("x"), number(1)})});
    send(anna, {update(kBack, "r", 0, text("x"), text("changed"))});
    const auto gone = bert.txn({remove(kBack, "r", {text("x"), number(1)})});
    EXPECT_EQ(send(bert, gone).verdict, Verdict::kMerged);
    EXPECT_EQ(send(bert, {Peer::insert(kBack, "r", {text("again"), number(1)}, gone.no)}).verdict, Verdict::kMerged);
    EXPECT_EQ(value("SELECT a FROM back"), text("again"));
    EXPECT_EQ(value("SELECT b FROM back"), number(2));
}

TEST_F(Policy, pitfall_29_P_47_the_same_key_made_twice_is_rejected_or_merged) {
    send(anna, {Peer::insert(kCard, "k", card(kLastAt, text("a")))});
    EXPECT_EQ(send(bert, {Peer::insert(kCard, "k", card(kLastAt, text("b")))}).code, Code::kKeyTaken);
    send(anna, {Peer::insert(kNatural, "k", {text("a"), number(1)})});
    EXPECT_EQ(send(bert, {Peer::insert(kNatural, "k", {Null{}, number(2)})}).verdict, Verdict::kConflict);
    EXPECT_EQ(value("SELECT a FROM natural"), text("a")) << "what was not given changes nothing";
    EXPECT_EQ(value("SELECT b FROM natural"), number(1));
    EXPECT_EQ(records(), std::vector<std::string>{R"(natural k b bert update both_changed {"b":null} {"b":2} {"b":1} open)"});
    EXPECT_EQ(send(bert, {Peer::insert(kNatural, "k", {text("b"), number(1)})}).verdict, Verdict::kMerged);
    EXPECT_EQ(value("SELECT a FROM natural"), text("b"));
}

TEST_F(Policy, a_transaction_whose_assert_does_not_hold_is_rejected) {
    send(anna, {Peer::insert(kCard, "c", card(kCounterAt, number(3)))});
    const auto with = [&](std::string key, std::string expression) {
        Transaction txn = bert.txn({update(kCard, "c", kCounterAt, number(3), number(2))});
        txn.asserts = {{kCard, std::move(key), std::move(expression)}};
        return send(bert, txn);
    };
    EXPECT_EQ(with("c", "counter >= 3").verdict, Verdict::kApplied);
    EXPECT_EQ(with("c", "counter >= 3").code, Code::kAssertFailed);
    EXPECT_EQ(with("c", "last = 'x'").code, Code::kAssertFailed) << "NULL is not true";
    EXPECT_EQ(with("nowhere", "counter >= 0").code, Code::kAssertFailed);
    EXPECT_EQ(with("c", "counter >=").code, Code::kExpressionInvalid);
    EXPECT_EQ(with("c", "(select 1)").verdict, Verdict::kRejected);
    EXPECT_EQ(world.integer("SELECT counter FROM card"), 2);
}

TEST_F(Policy, O_14_M_23_X_3_the_same_transaction_again_makes_no_second_record_and_no_second_difference) {
    send(anna, {Peer::insert(kCard, "c", card(kCounterAt, number(3)))});
    world.sql("UPDATE card SET ask = 'f'");
    const auto t = bert.txn({Peer::update(kCard, "c", {{kCounterAt, number(3), number(4), {}}, {kAskAt, Null{}, text("b"), {}}})});
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(send(bert, t).verdict, Verdict::kConflict);
        world.clock.now += std::chrono::hours(24 * 200);
        world.handler().tick();
    }
    EXPECT_EQ(world.integer("SELECT counter FROM card"), 4);
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict"), 1);
}

TEST_F(Policy, case_B16_an_open_conflict_is_sent_once) {
    send(anna, {Peer::insert(kCard, "c", card(kAskAt, text("x")))});
    send(anna, {update(kCard, "c", kAskAt, text("x"), text("anna's"))});
    EXPECT_EQ(send(bert, {update(kCard, "c", kAskAt, text("x"), text("bert's"))}).verdict, Verdict::kConflict);
    for (Peer* peer : {&anna, &bert}) {
        peer->pull();
        for (int i = 0; i < 3; ++i) {
            const PullAnswer again = peer->pull();
            EXPECT_TRUE(again.rows.at(0).empty());
            EXPECT_TRUE(again.outcomes.at(0).empty());
            EXPECT_LT(again.bytes, 300u);
        }
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_conflict"), 1);
}

}  // namespace
}  // namespace skerry::server::test
