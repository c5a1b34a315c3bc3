#include <gtest/gtest.h>

#include "model/evolve.hpp"

namespace skerry::model {
namespace {

using Lines = std::vector<std::string>;

Model base() {
    Model model{"outreach", 1, {}};
    model.entities = {
        {.name = "site", .key = {.name = "id", .type = Type::kUuid}, .attributes = {{.name = "name"}}},
        {.name = "household",
         .key = {.name = "id", .type = Type::kUuid},
         .attributes = {{.name = "owner"}, {.name = "site_id", .type = Type::kUuid, .references = EntityIx{0}}}}};
    complete(model);
    model.principal = {{"me", PrincipalKind::kQuery, "select 1"}, {"role", PrincipalKind::kClaim, ""}};
    model.profiles = {
        {"field",
         {{.entity = EntityIx{0}, .download = Download::kRule, .link = Link{.attribute = 0, .value = "me"}},
          {.entity = EntityIx{1}, .download = Download::kWith, .where = "owner is null", .with = 1}}},
        {"office", {{.entity = EntityIx{0}}, {.entity = EntityIx{1}}}}};
    return model;
}

Model evolved(const Model& old, const Model& wanted) {
    EXPECT_TRUE(check(wanted)) << describe(check(wanted).error());
    const auto next = evolve(old, wanted);
    EXPECT_TRUE(next) << describe(next.error());
    if (!next) return old;
    EXPECT_TRUE(check(*next)) << describe(check(*next).error());
    EXPECT_EQ(*evolve(old, *next), *next) << "a successor is its own successor";
    return *next;
}

// The same app from a file in another order, with a new entity and a new attribute in front of the others.
Model reordered() {
    Model model = base();
    model.version = 2;
    model.entities = {{.name = "district", .key = {.name = "id", .type = Type::kUuid}},
                      {.name = "site",
                       .key = {.name = "id", .type = Type::kUuid},
                       .attributes = {{.name = "code"}, {.name = "name"}}},
                      {.name = "household",
                       .key = {.name = "id", .type = Type::kUuid},
                       .attributes = {{.name = "rank", .type = Type::kInt},
                                      {.name = "site_id", .type = Type::kUuid, .references = EntityIx{1}},
                                      {.name = "owner"}}}};
    complete(model);
    std::swap(model.principal[0], model.principal[1]);
    for (Profile& profile : model.profiles)
        profile.entities = {{.entity = EntityIx{0}}, {.entity = EntityIx{1}}, {.entity = EntityIx{2}}};
    model.profiles[0].entities[1] = {
        .entity = EntityIx{1}, .download = Download::kRule, .link = Link{.attribute = 1, .value = "me"}};
    model.profiles[0].entities[2] = {
        .entity = EntityIx{2}, .download = Download::kWith, .where = "owner is null", .with = 1};
    return model;
}

TEST(EvolveProfiles, positions_follow_the_entities_and_attributes) {
    const Model next = evolved(base(), reordered());
    ASSERT_EQ(next.entities[3].name, "district");
    EXPECT_EQ(next.principal, base().principal);
    const Profile& field = *next.profile("field");
    ASSERT_EQ(field.entities.size(), 3u);
    EXPECT_EQ(field.entities[0], base().profiles[0].entities[0]);
    EXPECT_EQ(field.entities[1], base().profiles[0].entities[1]);
    EXPECT_EQ(field.entities[2], (EntityProfile{.entity = EntityIx{3}}));
    EXPECT_EQ(next.entities[1].attributes[field.entities[1].with].name, "site_id");
    EXPECT_EQ(differences(base(), next),
              (Lines{"attribute 'site.code' is new: text", "attribute 'household.rank' is new: int",
                     "entity 'district' is new, with 0 attributes beside its key",
                     "profile 'field', entity 'district': `all`", "profile 'office', entity 'district': `all`",
                     "the version is 2 instead of 1"}));
}

TEST(EvolveProfiles, the_order_in_the_file_is_no_difference) {
    Model other = base();
    std::swap(other.principal[0], other.principal[1]);
    std::swap(other.profiles[0].entities[0], other.profiles[0].entities[1]);
    EXPECT_EQ(*evolve(base(), other), base());
}

TEST(EvolveProfiles, everything_may_change_with_the_version_and_is_told) {
    Model wanted = base();
    wanted.version = 2;
    wanted.principal = {{"me", PrincipalKind::kQuery, "select 2"}, {"opened", PrincipalKind::kChosen, ""}};
    wanted.profiles = {{"depot",
                        {{.entity = EntityIx{0}, .download = Download::kNever},
                         {.entity = EntityIx{1}, .download = Download::kNoneClear}}},
                       {"field",
                        {{.entity = EntityIx{0},
                          .download = Download::kRule,
                          .link = Link{.value = "opened", .many = true},
                          .where = "name <> 'x'"},
                         {.entity = EntityIx{1},
                          .download = Download::kWith,
                          .upload = Upload::kReject,
                          .with = 1,
                          .priority = 5}}}};
    EXPECT_EQ(
        differences(base(), evolved(base(), wanted)),
        (Lines{"the principal value 'role' is no longer there", "the principal value 'me' has another query",
               "the principal value 'opened' is new: chosen by the app",
               "profile 'office' is no longer there; tokens that name it no longer sync", "profile 'depot' is new",
               "profile 'field', entity 'site': `id in :opened and name <> 'x'` instead of `name = :me`",
               "profile 'field', entity 'household': `with: site_id` instead of `with: site_id, where: owner is "
               "null`",
               "profile 'field', entity 'household': changes are rejected",
               "profile 'field', entity 'household': `priority` is 5 instead of 0",
               "devices whose token names no profile have 'depot' instead of 'field'",
               "the version is 2 instead of 1"}));
    wanted.version = 1;
    const auto same_version = evolve(base(), wanted);
    ASSERT_FALSE(same_version);
    EXPECT_EQ(same_version.error().code, Code::kModelChange);
}

TEST(EvolveProfiles, first_profiles_and_no_more_profiles) {
    Model bare = base();
    bare.profiles.clear();
    Model first = base();
    first.version = 2;
    EXPECT_EQ(differences(bare, evolved(bare, first)),
              (Lines{"profile 'field' is new", "profile 'office' is new",
                     "devices whose token names no profile have 'field' instead of every row",
                     "the version is 2 instead of 1"}));
    bare.version = 2;
    EXPECT_EQ(differences(base(), evolved(base(), bare)).at(2),
              "there are no profiles any more: devices take every row");
}

// A device has the model without its queries; the change of a query reaches it as another version.
TEST(EvolveProfiles, a_device_takes_a_model_whose_query_changed) {
    Model wanted = base();
    wanted.version = 2;
    wanted.principal[0].query = "select 3";
    const Model next = evolved(base(), wanted);
    const auto held = Model::load(base().compile());
    const auto sent = Model::load(next.compile());
    ASSERT_TRUE(held) << describe(held.error());
    ASSERT_TRUE(sent) << describe(sent.error());
    EXPECT_EQ(*evolve(*held, *sent), *sent);
}

}  // namespace
}  // namespace skerry::model
