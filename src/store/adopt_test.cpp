// A model changed in place, while the store holds rows, unsent changes, drafts and open groups of other programs.
#include "model/evolve.hpp"
#include "store/activity.hpp"
#include "store/drafts.hpp"
#include "store/testing.hpp"

namespace skerry::store {
namespace {

using model::Type;

class Adopt : public StoreTest {
  protected:
    // test_model() with more of everything that may be added.
    static model::Model wanted() {
        model::Model m = test_model();
        m.version = 2;
        m.entities[1].attributes.push_back({.name = "floors", .type = Type::kInt, .required = true, .default_value = Value{std::int64_t{2}}});
        m.entities[1].attributes.push_back({.name = "site", .references = EntityIx{0}});
        m.entities[1].indexes = {{0}};
        m.entities.push_back({.name = "extra", .key = {.name = "id"}, .attributes = {{.name = "house", .references = EntityIx{1}}}});
        model::complete(m);
        return m;
    }
    static model::Model next() {
        const auto made = model::evolve(test_model(), wanted());
        EXPECT_TRUE(made) << describe(made.error());
        return *made;
    }
    void adopt(const model::Model& model) {
        const auto done = store_->adopt_model(model.compile());
        ASSERT_TRUE(done) << describe(done.error());
    }
};

TEST_F(Adopt, rows_changes_bases_and_open_groups_come_along) {
    apply({.scopes = all_scopes()}, {house("a", "x", 1), house("b", "x", 1)});
    sql("UPDATE house SET name = 'mine' WHERE id = 'a'");
    sql("INSERT INTO house VALUES('n', 'new', 3)");
    auto other = foreign();
    ASSERT_TRUE(other.exec("UPDATE house SET people = 9 WHERE id = 'b'"));
    adopt(next());
    EXPECT_EQ(store_->model_hash(), next().hash());
    EXPECT_EQ(rows("SELECT id, name, people, floors, site FROM house ORDER BY id"), "'a','mine',1,2,NULL; 'b','x',9,2,NULL; 'n','new',3,2,NULL");
    EXPECT_EQ(rows("SELECT skerry_key, name, floors FROM skerry_base_house ORDER BY 1"), "'a','x',2; 'b','x',2");
    EXPECT_EQ(ops(1) + "; " + ops(2) + "; " + ops(3), "U house a name:'x'->'mine'; I house n 'new' 3 2 NULL; U house b people:1->9");
    sql("INSERT INTO extra VALUES('e', 'n')");
    EXPECT_EQ(ops(4), "I extra e 'n' needs 2");
    EXPECT_EQ(refused("UPDATE house SET floors = NULL"), Code::kRequired);
    EXPECT_EQ(refused("DELETE FROM house WHERE id = 'n'"), Code::kStillReferenced) << "the new entity refers to the old one";
    ASSERT_TRUE(other.exec("UPDATE house SET floors = 3 WHERE id = 'b'")) << "another program's connection goes on";
    ASSERT_TRUE(*store_->number_open());
    EXPECT_EQ(ops(5), "U house b floors:2->3");
    const auto payloads = Journal(*store_).next_batch({}, 100, 100'000)->payloads;
    for (const Bytes& payload : payloads) EXPECT_TRUE(wire::get_transaction(payload, store_->model(), nullptr)) << "every change is sent in the new model's form";
}

TEST_F(Adopt, rows_of_both_shapes_have_one_hash) {
    apply({.scopes = all_scopes()}, {house("a", "x", 1)});
    sql("DELETE FROM house");
    const Hash128 before = op(1).base_hash;
    adopt(next());
    const model::Row evolved = {Value{std::string("x")}, Value{std::int64_t{1}}, Value{std::int64_t{2}}, Value{Null{}}};
    EXPECT_EQ(before, model::row_hash(store_->model().entity({1}), evolved));
}

TEST_F(Adopt, another_store_on_the_file_follows_at_its_next_transaction) {
    SeededRandom random(7);
    auto second = Store::open({.path = path()}, clock_, random);
    ASSERT_TRUE(second);
    ASSERT_TRUE((*second)->sql("INSERT INTO house VALUES('a', 'x', 1)"));
    adopt(next());
    ASSERT_TRUE((*second)->sql("UPDATE house SET floors = 7"));
    EXPECT_EQ((*second)->model_hash(), next().hash());
    EXPECT_EQ(ops(2), "U house a floors:2->7<1 needs 1");
}

TEST_F(Adopt, drafts_made_under_the_older_model_are_done_again_under_the_newer) {
    apply({.scopes = all_scopes()});
    sql("INSERT INTO house VALUES('n', 'new', 3)");
    apply({.outcomes = {{{1}, wire::Verdict::kRejected, Code::kKeyTaken, {1}, "taken"}}, .token = "two"});
    adopt(next());
    ASSERT_TRUE(Drafts(*store_).edit(1, "house", "n", {{"floors", Value{std::int64_t{5}}}}));
    ASSERT_TRUE(Drafts(*store_).retry(1));
    EXPECT_EQ(ops(2), "I house n 'new' 3 5 NULL");
    EXPECT_EQ(log(*store_, {})->size(), 2u);
}

TEST_F(Adopt, what_is_in_the_journal_follows_a_policy_that_wants_versions_of_rows) {
    apply({.scopes = all_scopes()}, {house("a", "x", 1)});
    sql("UPDATE house SET name = 'one'");
    sql("UPDATE house SET name = 'two'");
    model::Model m = test_model();
    m.version = 2;
    m.entities[1].conflict = model::Conflict::kDetect;
    adopt(m);
    EXPECT_EQ(op(1).base_hash, model::row_hash(m.entities[1], {Value{std::string("x")}, Value{std::int64_t{1}}}));
    EXPECT_EQ(op(2).prev_row, TxnNo{1});
    m.version = 3;
    m.entities[1].conflict = model::Conflict::kMerge;
    adopt(m);
    EXPECT_FALSE(op(1).row_version);
    EXPECT_FALSE(op(2).row_version);
    EXPECT_EQ(ops(2), "U house a name:'one'->'two'<1");
}

TEST_F(Adopt, indexes_are_made_and_dropped_and_those_that_stay_are_not_built_again) {
    adopt(next());
    EXPECT_EQ(rows("SELECT count(*) FROM sqlite_schema WHERE name GLOB 'skerry_index_house_*'"), "2");
    model::Model m = next();
    m.version = 3;
    m.entities[1].indexes.clear();
    adopt(m);
    EXPECT_EQ(rows("SELECT sql FROM sqlite_schema WHERE name GLOB 'skerry_index_house_*'"), "'CREATE INDEX \"skerry_index_house_0\" ON \"house\"(\"site\")'");
}

TEST_F(Adopt, what_the_app_added_to_the_file_stays) {
    sql("CREATE VIEW names AS SELECT name FROM house");
    sql("CREATE TRIGGER app AFTER INSERT ON house BEGIN INSERT INTO site VALUES(NEW.id, 'by trigger'); END");
    sql("CREATE INDEX app_index ON house(people)");
    adopt(next());
    sql("INSERT INTO house(id) VALUES('h')");
    EXPECT_EQ(rows("SELECT name FROM site"), "'by trigger'");
    EXPECT_EQ(rows("SELECT count(*) FROM names"), "1");
}

TEST_F(Adopt, anything_that_is_no_successor_is_refused_by_name_and_changes_nothing) {
    const std::string before = rows("SELECT sql FROM sqlite_schema ORDER BY name");
    const auto code = [&](const model::Model& m) { return store_->adopt_model(m.compile()).error().code; };
    model::Model other = next();
    other.app = "other";
    EXPECT_EQ(code(other), Code::kModelMismatch);
    model::Model same_version = next();
    same_version.version = 1;
    EXPECT_EQ(code(same_version), Code::kModelMismatch);
    model::Model removed = test_model();
    removed.version = 2;
    removed.entities[1].attributes.pop_back();
    EXPECT_EQ(code(removed), Code::kModelMismatch);
    EXPECT_EQ(rows("SELECT sql FROM sqlite_schema ORDER BY name"), before);
    adopt(next());
    EXPECT_EQ(code(test_model()), Code::kModelMismatch) << "no way back";
    EXPECT_TRUE(store_->adopt_model(next().compile())) << "the same again is nothing to do";
}

TEST_F(Adopt, an_app_that_still_passes_the_older_model_opens_the_store_as_it_is) {
    adopt(next());
    open();  // with test_model()
    EXPECT_EQ(store_->model_hash(), next().hash());
    model::Model other = test_model();
    other.entities[0].name = "place";
    EXPECT_EQ(Store::open({.path = path(), .model = other.compile()}, clock_, random_).error().code, Code::kModelMismatch);
}

TEST_F(Adopt, case_H2_a_row_from_before_has_the_default_and_follows_the_server_from_then_on) {
    apply({.scopes = all_scopes()}, {house("a", "x", 1)});
    adopt(next());
    apply({.token = "two"}, {row("house", "a", {Value{std::string("x")}, Value{std::int64_t{1}}, Value{std::int64_t{8}}, Value{Null{}}})});
    EXPECT_EQ(rows("SELECT floors FROM house"), "8");
}

}  // namespace
}  // namespace skerry::store
