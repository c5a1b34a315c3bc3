// Programs that write to the server's tables with SQLite alone.
#include "server/app/files.hpp"
#include "server/app/test_world.hpp"
#include "server/storage/sqlite/schema.hpp"

namespace skerry::server::test {
namespace {

constexpr auto kUuid = "00000000-0000-7000-8000-000000000001";

struct ForeignSql : testing::Test {
    World world;
    Peer anna{world, "anna"};

    std::vector<KeyRef> rows_after(std::string_view sql) {
        anna.pull();
        world.sql(sql);
        return anna.pull().rows.at(0);
    }
    Code refused(std::string_view sql) {
        auto open = ServerSql::open(world.place);
        const auto result = open->run(sql);
        EXPECT_FALSE(result);
        return result ? Code::kInternal : result.error().code;
    }
};

TEST_F(ForeignSql, every_kind_of_write_is_captured) {
    EXPECT_EQ(rows_after("INSERT INTO place VALUES('a', 'one', 1)").size(), 1u);
    EXPECT_EQ(rows_after("REPLACE INTO place VALUES('a', 'two', 2)").size(), 1u);
    EXPECT_EQ(anna.rows.at({kPlace, "a"})[0], text("two"));
    EXPECT_EQ(rows_after("INSERT INTO place VALUES('a', 'three', 3) ON CONFLICT(id) DO UPDATE SET name = excluded.name").size(), 1u);
    EXPECT_EQ(anna.rows.at({kPlace, "a"})[0], text("three"));
    EXPECT_TRUE(rows_after("INSERT OR IGNORE INTO place VALUES('a', 'four', 4)").empty());
    EXPECT_TRUE(rows_after("INSERT INTO place VALUES('a', 'five', 5) ON CONFLICT DO NOTHING").empty());
    EXPECT_EQ(rows_after("UPDATE OR IGNORE place SET name = 'six'").size(), 1u);
    EXPECT_EQ(rows_after("UPDATE place SET people = NULL").size(), 1u);
    EXPECT_TRUE(is_null(anna.rows.at({kPlace, "a"})[1]));
    world.sql("DELETE FROM place");
    anna.pull();
    EXPECT_TRUE(anna.rows.empty());
    EXPECT_EQ(rows_after("INSERT INTO place VALUES('a', 'again', 1)").size(), 1u) << "a tombstone comes to life";
}

TEST_F(ForeignSql, a_program_s_transaction_that_rolls_back_leaves_nothing_to_sequence) {
    auto db = sqlite::Database::open(database_path(world.place));
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->exec("BEGIN; INSERT INTO place VALUES('a', 'x', 1); ROLLBACK"));
    EXPECT_EQ(world.integer("SELECT count(*) FROM skerry_queue"), 0);
}

TEST_F(ForeignSql, what_was_written_while_no_server_ran_is_there_when_it_starts) {
    anna.pull();
    world.stop();
    world.sql("INSERT INTO place VALUES('a', 'x', 1)");
    world.start();
    EXPECT_EQ(anna.pull().rows.at(0).size(), 1u);
}

TEST_F(ForeignSql, case_C6_a_table_that_was_dropped_and_made_anew_is_noticed_when_the_server_starts) {
    world.sql("INSERT INTO place VALUES('goes', 'x', 1), ('stays', 'x', 1), ('changes', 'x', 1)");
    anna.pull();
    world.stop();
    const std::string create = std::get<std::string>(world.sql("SELECT sql FROM sqlite_schema WHERE name = 'place'").rows.at(0).at(0));
    world.sql("DROP TABLE place; " + create + "; INSERT INTO place VALUES('stays', 'x', 1), ('changes', 'y', 1), ('comes', 'x', 1)");
    world.start();
    EXPECT_FALSE(world.log.lines.empty()) << "an operator is told";
    anna.pull();
    EXPECT_EQ(anna.rows.size(), 3u);
    EXPECT_EQ(anna.rows.at({kPlace, "changes"})[0], text("y"));
    EXPECT_EQ(anna.rows.count({kPlace, "goes"}), 0u);
    EXPECT_EQ(anna.rows.count({kPlace, "comes"}), 1u);
    EXPECT_TRUE(anna.pull().rows.at(0).empty()) << "once";
    EXPECT_EQ(rows_after("UPDATE place SET people = 2 WHERE id = 'comes'").size(), 1u) << "it is captured again";
}

TEST_F(ForeignSql, pitfall_55_a_key_update_is_refused_by_name) {
    world.sql("INSERT INTO place VALUES('a', 'x', 1)");
    EXPECT_EQ(refused("UPDATE place SET id = 'b'"), Code::kKeyUpdate);
    EXPECT_EQ(refused("UPDATE OR REPLACE place SET id = 'b'"), Code::kKeyUpdate);
    world.sql("UPDATE place SET id = 'a', name = 'y'");
}

TEST_F(ForeignSql, malformed_keys_are_refused_by_name) {
    EXPECT_EQ(refused("INSERT INTO place VALUES(NULL, 'x', 1)"), Code::kKeyMissing);
    EXPECT_EQ(refused("INSERT INTO place(name) VALUES('x')"), Code::kKeyMissing);
    EXPECT_EQ(refused("INSERT INTO place VALUES('', 'x', 1)"), Code::kValueInvalid);
    EXPECT_EQ(refused("INSERT INTO place VALUES('a' || char(0), 'x', 1)"), Code::kValueInvalid);
    EXPECT_EQ(refused("INSERT INTO place VALUES(printf('%.*c', 513, 'x'), 'x', 1)"), Code::kRowTooBig);
    EXPECT_EQ(refused("INSERT INTO visit VALUES('00000000-0000-7000-8000-00000000000A', '', '')"), Code::kValueInvalid);
    EXPECT_EQ(refused("INSERT INTO visit VALUES('x', '', '')"), Code::kValueInvalid);
    EXPECT_EQ(refused("INSERT OR IGNORE INTO visit VALUES(NULL, '', '')"), Code::kKeyMissing);
    world.sql("INSERT INTO visit VALUES('" + std::string(kUuid) + "', '', '')");
    EXPECT_EQ(refused("INSERT INTO place VALUES('a', x'00', 1)"), Code::kConstraint);
}

TEST_F(ForeignSql, transaction_control_is_left_to_the_tool) {
    EXPECT_EQ(refused("INSERT INTO place VALUES('a', 'x', 1); COMMIT"), Code::kInvalidArgument);
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), 0);
}

TEST_F(ForeignSql, an_import_writes_new_rows_and_keeps_what_it_does_not_name) {
    world.sql("INSERT INTO place VALUES('p0', 'old name', 7)");
    anna.pull();
    std::vector<std::uint64_t> progress;
    auto import = Importer::open({world.place, "place", {"name", "id"}, [&](std::uint64_t n) { progress.push_back(n); }});
    ASSERT_TRUE(import);
    for (std::uint64_t i = 0; i < kImportRowsPerCommit + 10; ++i)
        ASSERT_TRUE(import->add({text("name " + std::to_string(i)), text("p" + std::to_string(i))}));
    EXPECT_EQ(import->add({text("x"), Null{}}).error().code, Code::kKeyMissing);
    EXPECT_EQ(import->add({number(1), text("q")}).error().code, Code::kValueInvalid);
    EXPECT_EQ(*import->finish(), kImportRowsPerCommit + 10);
    EXPECT_EQ(progress, (std::vector<std::uint64_t>{kImportRowsPerCommit, kImportRowsPerCommit + 10}));
    anna.pull();
    EXPECT_EQ(anna.rows.size(), kImportRowsPerCommit + 10);
    EXPECT_EQ(anna.rows.at({kPlace, "p0"}), (model::Row{text("name 0"), number(7)}));
    EXPECT_EQ(Importer::open({world.place, "plaice", {"id"}, {}}).error().code, Code::kNotFound);
    EXPECT_EQ(Importer::open({world.place, "place", {"name"}, {}}).error().code, Code::kInvalidArgument);
    EXPECT_EQ(Importer::open({world.place, "place", {"id", "id"}, {}}).error().code, Code::kInvalidArgument);
}

TEST_F(ForeignSql, an_import_whose_program_dies_leaves_whole_commits_only) {
    {
        auto import = Importer::open({world.place, "place", {"id"}, {}});
        ASSERT_TRUE(import);
        for (std::uint64_t i = 0; i < kImportRowsPerCommit + 10; ++i) ASSERT_TRUE(import->add({text("p" + std::to_string(i))}));
    }
    EXPECT_EQ(world.integer("SELECT count(*) FROM place"), static_cast<std::int64_t>(kImportRowsPerCommit));
}

struct Folder : testing::Test {
    World world;
};

TEST_F(Folder, a_newer_format_is_refused_by_name_and_not_touched) {
    world.sql("UPDATE skerry_meta SET value = 1000 WHERE name = 'format'");
    world.stop();
    const auto opened = Server::open({world.place, std::nullopt}, world.clock, world.random, world.log);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Code::kFormatTooNew);
    EXPECT_EQ(ServerSql::open(world.place).error().code, Code::kFormatTooNew);
    EXPECT_EQ(make_token(world.place, {"anna", "", std::nullopt}, world.clock, world.random).error().code, Code::kFormatTooNew);
}

TEST_F(Folder, another_model_is_refused_and_changes_nothing) {
    world.stop();
    model::Model other = outreach();
    other.version = 2;
    other.entities[0].attributes.pop_back();
    EXPECT_EQ(Server::open({world.place, other}, world.clock, world.random, world.log).error().code, Code::kModelChange);
    EXPECT_TRUE(Server::open({world.place, outreach()}, world.clock, world.random, world.log));
    EXPECT_EQ(read_model(world.place).value(), outreach());
}

TEST_F(Folder, a_server_is_made_once_and_opened_only_where_there_is_one) {
    EXPECT_EQ(init_server(world.place, outreach(), world.clock, world.random).error().code, Code::kAlreadyExists);
    const Place nowhere{world.place.dir + "_none", {}};
    EXPECT_EQ(Server::open({nowhere, std::nullopt}, world.clock, world.random, world.log).error().code, Code::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(nowhere.dir));
}

}  // namespace
}  // namespace skerry::server::test
