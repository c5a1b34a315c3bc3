// What a server refuses, from the device that wrote it to the device that keeps it.
#include "store/drafts.hpp"
#include "transfer/torn_line.hpp"

namespace skerry::transfer {
namespace {

// Writers send places, readers do not.
model::Model places_with_readers() {
    model::Model model = places();
    model::EntityProfile all{.entity = EntityIx{0}};
    model.profiles.push_back({"writer", {all}});
    all.upload = model::Upload::kReject;
    model.profiles.push_back({"reader", {all}});
    return model;
}

TEST(Refused, case_A12_a_right_that_was_lost_meanwhile_gives_the_server_s_row_back_and_keeps_the_edit) {
    TornLine line(places_with_readers());
    line.server_sql("INSERT INTO place VALUES('a', 'the server''s', 1)");
    line.sync_until_done();
    line.sql("UPDATE place SET name = 'sent in time' WHERE id = 'a'");
    line.sync_until_done();
    line.sql("UPDATE place SET name = 'mine' WHERE id = 'a'");
    line.sql("INSERT INTO place VALUES('new', 'mine', 2)");
    line.server_sql("UPDATE skerry_token SET claims = '{\"profile\":\"reader\"}'");
    line.sync_until_done();
    EXPECT_EQ(line.state().unsettled, 0u);
    EXPECT_EQ(line.integer("SELECT count(*) FROM place WHERE id = 'a' AND name = 'sent in time'"), 1);
    EXPECT_EQ(line.integer("SELECT count(*) FROM place"), 1);
    EXPECT_TRUE(line.in_step());
    store::Drafts drafts(line.device());
    for (const std::uint64_t number : {2u, 3u}) {
        const auto draft = drafts.get(number);
        ASSERT_TRUE(draft) << describe(draft.error());
        EXPECT_EQ(draft->code, code_name(Code::kUploadRejected));
        ASSERT_EQ(draft->changes.size(), 1u);
        EXPECT_EQ(draft->changes[0].key, number == 2 ? "a" : "new");
        ASSERT_FALSE(draft->changes[0].fields.empty());
        EXPECT_EQ(draft->changes[0].fields[0].now, Value{std::string("mine")}) << "the person has what he wrote";
    }
    EXPECT_EQ(line.server_integer("SELECT count(*) FROM skerry_draft WHERE state = 1"), 2) << "and so has the server";
    const std::uint64_t requests = line.requests;
    line.sync_until_done();
    EXPECT_EQ(line.requests, requests + 1) << "it is not sent again";
}

}  // namespace
}  // namespace skerry::transfer
