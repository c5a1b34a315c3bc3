// Triggers, views and full-text tables of the app's own: they work for what is written here and for what arrives, and
// never make a local change of what arrives.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

class Guards : public StoreTest {
  protected:
    Guards() { apply({.scopes = all_scopes()}, {house("a", "x", 1)}); }
    Piece site(std::string key, std::string name) { return row("site", std::move(key), {Value{std::move(name)}}); }
};

TEST_F(Guards, pitfall_23_what_a_trigger_of_the_app_writes_for_an_arriving_row_is_dropped) {
    sql("CREATE TRIGGER count_sites AFTER INSERT ON site BEGIN UPDATE house SET people = people + 1; END");
    sql("CREATE TRIGGER touch AFTER UPDATE ON house WHEN NEW.name <> 'touched' BEGIN UPDATE house SET name = 'touched' WHERE id = NEW.id; END");
    sql("CREATE TRIGGER more AFTER INSERT ON site BEGIN INSERT INTO house VALUES('made-' || NEW.id, 'x', 1); DELETE FROM house WHERE id = 'a'; END");
    apply({.token = "two"}, {site("s", "arrives"), house("b", "server", 5)});
    apply({.token = "three"}, {house("a", "server", 7)});
    EXPECT_EQ(rows("SELECT id, name, people FROM house ORDER BY id"), "'a','server',7; 'b','server',5");
    EXPECT_FALSE(*store_->number_open()) << "nothing became a local change";
    EXPECT_EQ(transactions(), 0);
    sql("INSERT INTO site VALUES('own', 'x')");
    EXPECT_EQ(rows("SELECT id, name, people FROM house ORDER BY id"), "'b','touched',6; 'made-own','touched',2") << "for an own row they do as ever";
    EXPECT_NE(ops(1).find("D house a"), std::string::npos);
}

TEST_F(Guards, pitfall_76_only_the_row_that_was_named_passes_and_no_other_of_the_statement) {
    sql("CREATE TRIGGER copies AFTER INSERT ON site BEGIN "
        "INSERT INTO house SELECT 'copy' || value, NEW.name, value FROM json_each('[1,2,3]'); "
        "INSERT OR REPLACE INTO house VALUES('a', NEW.name, 9); "
        "INSERT INTO site VALUES('s', 'other') ON CONFLICT(id) DO UPDATE SET name = 'upserted'; END");
    apply({.token = "two"}, {site("s", "arrives")});
    EXPECT_EQ(rows("SELECT id, name, people FROM house"), "'a','x',1");
    EXPECT_EQ(rows("SELECT id, name FROM site"), "'s','arrives'");
}

TEST_F(Guards, case_I8_full_text_tables_and_derived_tables_follow_own_and_arriving_rows) {
    sql("CREATE VIRTUAL TABLE house_text USING fts5(name, content='house')");
    sql("CREATE TRIGGER text_insert AFTER INSERT ON house BEGIN INSERT INTO house_text(rowid, name) VALUES(NEW.rowid, NEW.name); END");
    sql("CREATE TRIGGER text_delete AFTER DELETE ON house BEGIN INSERT INTO house_text(house_text, rowid, name) VALUES('delete', OLD.rowid, OLD.name); END");
    sql("CREATE TRIGGER text_update AFTER UPDATE ON house BEGIN INSERT INTO house_text(house_text, rowid, name) VALUES('delete', OLD.rowid, OLD.name); "
        "INSERT INTO house_text(rowid, name) VALUES(NEW.rowid, NEW.name); END");
    sql("INSERT INTO house_text(house_text) VALUES('rebuild')");
    sql("CREATE TABLE tally(n)");
    sql("CREATE TRIGGER tally_house AFTER INSERT ON house BEGIN INSERT INTO tally VALUES(NEW.id); END");
    const auto found = [&](const std::string& word) { return rows("SELECT id FROM house WHERE rowid IN (SELECT rowid FROM house_text WHERE house_text MATCH '" + word + "') ORDER BY id"); };
    sql("INSERT INTO house VALUES('own', 'red barn', 1)");
    apply({.token = "two"}, {house("a", "red mill", 1), house("b", "red tower", 2)});
    EXPECT_EQ(found("red"), "'a'; 'b'; 'own'");
    apply({.token = "three"}, {house("a", "blue mill", 1), gone("house", "b")});
    EXPECT_EQ(found("red"), "'own'");
    EXPECT_EQ(found("blue"), "'a'");
    sql("REPLACE INTO house VALUES('a', 'green mill', 1)");
    EXPECT_EQ(found("blue"), "");
    EXPECT_EQ(found("green"), "'a'");
    EXPECT_EQ(rows("SELECT n FROM tally ORDER BY n"), "'a'; 'b'; 'own'");
    sql("INSERT INTO house_text(house_text) VALUES('integrity-check')");
    EXPECT_FALSE(*store_->number_open());
}

TEST_F(Guards, a_trigger_of_the_app_that_refuses_an_arriving_row_sets_it_aside_until_a_newer_one) {
    sql("CREATE TRIGGER no_zero BEFORE INSERT ON house WHEN NEW.people = 0 BEGIN SELECT RAISE(ABORT, 'the app wants people'); END");
    apply({.token = "two"}, {house("z", "x", 0), house("b", "x", 2)});
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'b'");
    EXPECT_EQ(rows("SELECT key, reason FROM skerry_quarantine"), "'z','the app wants people'");
    apply({.token = "three"}, {house("z", "x", 3)});
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'b'; 'z'");
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_quarantine"), "0");
}

TEST_F(Guards, a_row_that_is_here_as_it_arrives_is_never_set_aside) {
    // Bug B7: a trigger that refuses updates put own rows that came back into quarantine.
    sql("CREATE TRIGGER frozen BEFORE UPDATE ON house BEGIN SELECT RAISE(ABORT, 'frozen'); END");
    apply({.token = "two"}, {house("a", "x", 1)});
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_quarantine"), "0");
    apply({.token = "three"}, {house("a", "other", 1)});
    EXPECT_EQ(rows("SELECT key FROM skerry_quarantine"), "'a'");
}

TEST_F(Guards, a_row_set_aside_and_then_gone_is_forgotten) {
    sql("CREATE UNIQUE INDEX app_index ON house(name)");
    apply({.token = "two"}, {house("b", "x", 2)});
    EXPECT_EQ(rows("SELECT key FROM skerry_quarantine"), "'b'");
    apply({.token = "three"}, {gone("house", "b")});
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_quarantine"), "0");
}

TEST_F(Guards, a_settled_row_that_cannot_be_stored_does_not_stop_the_checkpoint) {
    sql("CREATE UNIQUE INDEX app_index ON house(name)");
    sql("UPDATE house SET people = 2 WHERE id = 'a'");
    sql("INSERT INTO house VALUES('b', 'taken', 1)");
    apply({.outcomes = {{{1}, wire::Verdict::kApplied, Code::kInternal, {}, ""}}, .token = "two"}, {house("c", "free", 1)});
    sql("UPDATE house SET people = 3 WHERE id = 'a'");
    apply({.token = "three"}, {house("a", "taken", 9)});
    EXPECT_EQ(rows("SELECT key FROM skerry_quarantine"), "'a'");
    EXPECT_EQ(rows("SELECT id FROM house ORDER BY id"), "'a'; 'b'; 'c'");
}

TEST_F(Guards, a_trigger_that_rolls_everything_back_ends_the_checkpoint_and_nothing_is_half_applied) {
    sql("CREATE TRIGGER wild BEFORE INSERT ON house WHEN NEW.people = 0 BEGIN SELECT RAISE(ROLLBACK, 'no'); END");
    Staging staging(*store_);
    stage(staging, [&](Bytes& out) { wire::put(out, wire::Begin{.from = continued(), .caught_up = true}); });
    for (const Piece& piece : {house("b", "x", 1), house("z", "x", 0), house("c", "x", 1)}) ASSERT_TRUE(staging.stage(piece.first, piece.second));
    stage(staging, [&](Bytes& out) { wire::put(out, wire::Checkpoint{"two", false}); });
    EXPECT_FALSE(staging.apply());
    EXPECT_EQ(rows("SELECT id FROM house"), "'a'");
    EXPECT_EQ(rows("SELECT applying FROM skerry_state"), "0");
    sql("INSERT INTO house VALUES('own', 'x', 1)");
    EXPECT_EQ(transactions(), 1) << "capture goes on";
}

TEST_F(Guards, views_with_instead_of_triggers_are_captured_through) {
    sql("CREATE VIEW people AS SELECT id, people FROM house");
    sql("CREATE TRIGGER people_insert INSTEAD OF INSERT ON people BEGIN INSERT INTO house(id, people) VALUES(NEW.id, NEW.people); END");
    sql("CREATE TRIGGER people_update INSTEAD OF UPDATE ON people BEGIN UPDATE house SET people = NEW.people WHERE id = OLD.id; END");
    sql("CREATE TRIGGER people_delete INSTEAD OF DELETE ON people BEGIN DELETE FROM house WHERE id = OLD.id; END");
    in_one({"INSERT INTO people VALUES('n', 4)", "UPDATE people SET people = 9 WHERE id = 'a'"});
    sql("DELETE FROM people WHERE id = 'n'");
    EXPECT_EQ(ops(1), "U house a people:1->9; I house n NULL 4");
    EXPECT_EQ(ops(2), "D house n <1 needs 1");
    auto other = foreign();
    ASSERT_TRUE(other.exec("UPDATE people SET people = 10"));
    ASSERT_TRUE(*store_->number_open());
    EXPECT_EQ(ops(3), "U house a people:9->10<1");
}

TEST_F(Guards, a_temporary_trigger_of_this_connection_is_guarded_too) {
    ASSERT_TRUE(store_->db().exec("CREATE TEMP TRIGGER passing AFTER INSERT ON site BEGIN UPDATE house SET people = 77; END"));
    apply({.token = "two"}, {site("s", "arrives")});
    EXPECT_EQ(rows("SELECT people FROM house"), "1");
}

TEST_F(Guards, O_9_conflict_records_are_read_only_but_for_closing_an_open_one) {
    const std::string id = "00000000-0000-7000-8000-000000000001";
    const auto text = [](std::string_view t) { return Value{std::string(t)}; };
    const model::Row record = {text("house"), text("a"), text("name"), text("ann"), text("d"), Value{std::int64_t{1}}, text(""), text("update"), text("both_changed"),
                               text("{\"name\":\"x\"}"), text("{\"name\":\"m\"}"), text("{\"name\":\"t\"}"), Value{Null{}}, Value{Null{}}, text("open"), text(""), Value{Null{}}, Value{Null{}}};
    apply({.token = "two"}, {row("skerry_conflict", id, record)});
    auto other = foreign();
    EXPECT_EQ(refused_to(other, "DELETE FROM skerry_conflict"), Code::kNotWritable);
    EXPECT_EQ(refused_to(other, "INSERT INTO skerry_conflict(id, entity) VALUES('00000000-0000-7000-8000-000000000002', 'house')"), Code::kNotWritable);
    EXPECT_EQ(refused_to(other, "UPDATE skerry_conflict SET mine = '{}', state = 'closed'"), Code::kNotWritable);
    EXPECT_EQ(refused_to(other, "UPDATE skerry_conflict SET state = 'gone'"), Code::kValueInvalid);
    EXPECT_EQ(refused_to(other, "UPDATE skerry_conflict SET choice = 'yours'"), Code::kValueInvalid);
    ASSERT_TRUE(other.exec("UPDATE skerry_conflict SET state = 'closed', choice = 'theirs'"));
    EXPECT_EQ(refused_to(other, "UPDATE skerry_conflict SET state = 'open'"), Code::kNotWritable);
    ASSERT_TRUE(*store_->number_open());
    EXPECT_EQ(ops(1), "U skerry_conflict " + id + " state:'open'->'closed' choice:''->'theirs'");
}

TEST_F(Guards, a_refusing_trigger_of_the_app_sets_nothing_aside_that_is_here_already) {
    sql("INSERT INTO house VALUES('t', 'x', 13)");
    sql("CREATE TRIGGER no_thirteen BEFORE UPDATE ON house WHEN NEW.people = 13 BEGIN SELECT RAISE(ABORT, 'thirteen'); END");
    apply({.outcomes = {{{1}, wire::Verdict::kApplied, Code::kInternal, {}, ""}}, .token = "two"}, {house("t", "x", 13)});
    EXPECT_EQ(rows("SELECT count(*) FROM skerry_quarantine"), "0");
    EXPECT_EQ(rows("SELECT name, people FROM house WHERE id = 't'"), "'x',13");
}

}  // namespace
}  // namespace skerry::store
