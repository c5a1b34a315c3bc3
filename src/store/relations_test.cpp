// Rows that refer to others, on a device: what deleting a parent does here, and that a missing parent never refuses.
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::OnDelete;

model::Attribute link(std::string name, std::uint32_t to, OnDelete on_delete) {
    model::Attribute a;
    a.name = std::move(name);
    a.references = EntityIx{to};
    a.on_delete = on_delete;
    return a;
}

// area <- site (cascade) <- visit (cascade), note (restrict), pin (set null); site.parent (cascade), site.twin (set null)
model::Model related_model() {
    model::Model m{"test", 1, {}};
    m.entities.push_back({.name = "area", .key = {.name = "id"}, .attributes = {{.name = "name"}}});
    m.entities.push_back({.name = "site", .key = {.name = "id"},
                          .attributes = {link("area", 0, OnDelete::kCascade), link("parent", 1, OnDelete::kCascade), link("twin", 1, OnDelete::kSetNull)}});
    m.entities.push_back({.name = "visit", .key = {.name = "id"}, .attributes = {link("site", 1, OnDelete::kCascade)}});
    m.entities.push_back({.name = "note", .key = {.name = "id"}, .attributes = {link("site", 1, OnDelete::kRestrict)}});
    m.entities.push_back({.name = "pin", .key = {.name = "id"}, .attributes = {link("site", 1, OnDelete::kSetNull)}});
    model::complete(m);
    return m;
}

class Relations : public StoreTest {
  protected:
    Relations() : StoreTest(related_model()) {
        apply({.scopes = all_scopes()}, {row("area", "A", {Value{Null{}}}), row("site", "s1", {Value{std::string("A")}, Value{Null{}}, Value{Null{}}}),
                                         row("site", "s2", {Value{Null{}}, Value{std::string("s1")}, Value{std::string("s1")}}),
                                         row("site", "s3", {Value{Null{}}, Value{std::string("s2")}, Value{Null{}}}),
                                         row("site", "other", {Value{Null{}}, Value{Null{}}, Value{std::string("s3")}}),
                                         row("visit", "v1", {Value{std::string("s1")}}), row("visit", "v3", {Value{std::string("s3")}}),
                                         row("pin", "p3", {Value{std::string("s3")}})});
    }
};

TEST_F(Relations, pitfall_56_a_deletion_takes_its_children_along_as_captured_operations) {
    sql("DELETE FROM area");
    EXPECT_EQ(rows("SELECT id, twin FROM site"), "'other',NULL");
    EXPECT_EQ(rows("SELECT count(*) FROM visit"), "0");
    EXPECT_EQ(rows("SELECT site FROM pin"), "NULL");
    EXPECT_EQ(ops(1), "U site other twin:'s3'->NULL; U pin p3 site:'s3'->NULL; D visit v3; D visit v1; D site s3; D site s2; D site s1; D area A");
}

TEST_F(Relations, pitfall_56_any_program_cascades_alike_with_and_without_recursive_triggers) {
    for (const char* setting : {"OFF", "ON"}) {
        auto other = foreign();
        ASSERT_TRUE(other.exec("PRAGMA recursive_triggers = " + std::string(setting)));
        ASSERT_TRUE(other.exec("BEGIN; DELETE FROM area"));
        EXPECT_EQ(*other.integer("SELECT count(*) FROM site"), 1) << setting;
        EXPECT_EQ(*other.integer("SELECT count(*) FROM visit"), 0) << setting;
        EXPECT_EQ(*other.integer("SELECT count(*) FROM skerry_pre_site"), 4) << setting;
        EXPECT_EQ(*other.integer("SELECT count(*) FROM skerry_pre_visit"), 2) << setting;
        EXPECT_EQ(*other.integer("SELECT count(*) FROM skerry_cascading"), 0) << setting;
        ASSERT_TRUE(other.exec("ROLLBACK"));
    }
}

TEST_F(Relations, a_chain_longer_than_sqlites_trigger_depth_goes_as_a_whole) {
    sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "INSERT INTO site(id, parent) SELECT 'c' || i, CASE i WHEN 1 THEN NULL ELSE 'c' || (i - 1) END FROM n");
    sql("DELETE FROM site WHERE id = 'c1'");
    EXPECT_EQ(rows("SELECT count(*) FROM site WHERE id GLOB 'c*'"), "0");
    // A ring is no special case.
    in_one({"INSERT INTO site(id, parent) VALUES('r1', 'r2')", "INSERT INTO site(id, parent) VALUES('r2', 'r1')"});
    sql("DELETE FROM site WHERE id = 'r1'");
    EXPECT_EQ(rows("SELECT count(*) FROM site WHERE id GLOB 'r*'"), "0");
}

TEST_F(Relations, restrict_refuses_while_a_row_here_refers_to_it) {
    sql("INSERT INTO note VALUES('n', 's3')");
    EXPECT_EQ(refused("DELETE FROM site WHERE id = 's3'"), Code::kStillReferenced);
    EXPECT_EQ(refused("DELETE FROM area"), Code::kStillReferenced) << "also for what a cascade would take";
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "4") << "refused as a whole";
    in_one({"DELETE FROM note", "DELETE FROM area"});
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "1");
}

TEST_F(Relations, case_I1_a_child_before_its_parent_or_without_one_is_never_refused) {
    in_one({"INSERT INTO visit VALUES('early', 'late')", "INSERT INTO site(id, parent) VALUES('late', 'nowhere')", "INSERT INTO note VALUES('n', 'elsewhere')"});
    EXPECT_EQ(ops(1), "I site late NULL 'nowhere' NULL; I visit early 'late'; I note n 'elsewhere'") << "parents first";
}

TEST_F(Relations, M_29_a_row_and_what_refers_to_it_made_together_are_stored_and_sent_together_or_not_at_all) {
    ASSERT_TRUE(store_->begin());
    sql("INSERT INTO visit VALUES('v', 'new')");
    sql("INSERT INTO site(id) VALUES('new')");
    store_->rollback();
    EXPECT_EQ(transactions(), 0);
    EXPECT_EQ(rows("SELECT count(*) FROM visit WHERE id = 'v'"), "0");
    in_one({"INSERT INTO visit VALUES('v', 'new')", "INSERT INTO site(id) VALUES('new')"});
    EXPECT_EQ(ops(1), "I site new NULL NULL NULL; I visit v 'new'");
}

TEST_F(Relations, case_I2_a_reference_to_a_row_that_is_not_settled_says_that_it_needs_it) {
    sql("INSERT INTO site(id) VALUES('new')");
    sql("INSERT INTO visit VALUES('v', 'new')");
    sql("UPDATE visit SET site = 'new' WHERE id = 'v1'");
    sql("UPDATE visit SET site = 's1' WHERE id = 'v3'");
    EXPECT_EQ(ops(2), "I visit v 'new' needs 1");
    EXPECT_EQ(ops(3), "U visit v1 site:'s1'->'new' needs 1");
    EXPECT_EQ(ops(4), "U visit v3 site:'s3'->'s1'") << "a settled row is not needed";
    EXPECT_EQ(Journal(*store_).counts()->keep_from, TxnNo{1});
}

TEST_F(Relations, case_A13_a_reference_never_goes_before_the_row_that_it_names) {
    sql("INSERT INTO visit VALUES('v', NULL)");
    sql("INSERT INTO site(id) VALUES('new')");
    sql("UPDATE visit SET site = 'new' WHERE id = 'v'");
    EXPECT_EQ(ops(1), "I visit v NULL") << "what is numbered is not drawn together";
    EXPECT_EQ(ops(2), "I site new NULL NULL NULL");
    EXPECT_EQ(ops(3), "U visit v site:NULL->'new'<1 needs 1 2");
    in_one({"INSERT INTO visit VALUES('w', NULL)", "INSERT INTO site(id) VALUES('newer')", "UPDATE visit SET site = 'newer' WHERE id = 'w'"});
    EXPECT_EQ(ops(4), "I site newer NULL NULL NULL; I visit w 'newer'") << "in one transaction it is, parents first";
}

TEST_F(Relations, a_rolled_back_cascade_leaves_nothing) {
    in_one({"SAVEPOINT s", "DELETE FROM area", "ROLLBACK TO s", "RELEASE s"});
    EXPECT_EQ(transactions(), 0);
    EXPECT_EQ(rows("SELECT count(*) FROM site"), "4");
}

TEST_F(Relations, what_arrives_does_not_cascade_here) {
    apply({.token = "two"}, {gone("site", "s1")});
    EXPECT_EQ(rows("SELECT count(*) FROM visit"), "2") << "the server deletes what goes, and says so";
    EXPECT_EQ(transactions(), 0);
}

}  // namespace
}  // namespace skerry::store
