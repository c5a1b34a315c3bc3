#include <gtest/gtest.h>

#include "model/model.hpp"

namespace skerry::model {
namespace {

// worker <- household <- visit, and a household's site.
Model outreach() {
    Model model{"outreach", 1, {}};
    model.entities = {
        {.name = "worker",
         .key = {.name = "id", .type = Type::kUuid},
         .attributes = {{.name = "email"}, {.name = "chief_id", .type = Type::kUuid, .references = EntityIx{0}}}},
        {.name = "household",
         .key = {.name = "id", .type = Type::kUuid},
         .attributes = {{.name = "assignee_id", .type = Type::kUuid, .references = EntityIx{0}},
                        {.name = "weight", .type = Type::kReal}}},
        {.name = "visit",
         .key = {.name = "id", .type = Type::kUuid},
         .attributes = {{.name = "household_id", .type = Type::kUuid, .references = EntityIx{1}},
                        {.name = "next_id", .type = Type::kUuid, .references = EntityIx{2}}}},
    };
    complete(model);
    model.principal = {{"me", PrincipalKind::kQuery, "select id from worker where email = :sub"},
                       {"role", PrincipalKind::kClaim, ""},
                       {"opened", PrincipalKind::kChosen, ""}};
    model.profiles = {
        {"field",
         {{.entity = EntityIx{0}},
          {.entity = EntityIx{1},
           .download = Download::kRule,
           .link = Link{.attribute = 0, .value = "me"},
           .where = "weight > 1",
           .priority = 7},
          {.entity = EntityIx{2},
           .download = Download::kWith,
           .upload = Upload::kReject,
           .where = "id <> 'x'",
           .with = 0}}},
        {"office",
         {{.entity = EntityIx{2}, .download = Download::kNoneClear},
          {.entity = EntityIx{1}, .download = Download::kRule, .link = Link{.value = "opened", .many = true}},
          {.entity = EntityIx{0}, .download = Download::kNever}}}};
    return model;
}

TEST(Profiles, come_back_from_the_compiled_form) {
    const auto whole = Model::load(outreach().compile_whole());
    ASSERT_TRUE(whole) << describe(whole.error());
    EXPECT_EQ(*whole, outreach());
    EXPECT_EQ(whole->compile_whole(), outreach().compile_whole());
}

// The shortest entry of a profile, with nothing behind it that could lend it bytes.
TEST(Profiles, the_shortest_form_comes_back) {
    Model model{"a", 1, {{.name = "t", .key = {.name = "k", .type = Type::kUuid}}}};
    model.profiles = {{"p", {{.entity = EntityIx{0}}}}};
    const auto loaded = Model::load(model.compile());
    ASSERT_TRUE(loaded) << describe(loaded.error());
    EXPECT_EQ(*loaded, model);
}

TEST(Profiles, devices_get_everything_but_the_queries) {
    const auto device = Model::load(outreach().compile());
    ASSERT_TRUE(device) << describe(device.error());
    Model expected = outreach();
    expected.principal[0].query.clear();
    EXPECT_EQ(*device, expected);
    EXPECT_EQ(outreach().compile().find("select"), Bytes::npos);
    EXPECT_EQ(device->hash(), outreach().hash());
    EXPECT_EQ(device->compile(), outreach().compile());
}

TEST(Profiles, every_cut_is_refused) {
    const Bytes compiled = outreach().compile_whole();
    for (std::size_t n = 0; n < compiled.size(); ++n)
        EXPECT_FALSE(Model::load(BytesView(compiled).substr(0, n))) << n;
}

// Whatever byte is changed: refused, or a model that the same bytes describe.
TEST(Profiles, every_changed_byte_is_refused_or_is_another_model) {
    const Bytes compiled = outreach().compile_whole();
    int taken = 0;
    for (std::size_t at = 0; at < compiled.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            Bytes changed = compiled;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            const auto model = Model::load(changed);
            if (!model) continue;
            ++taken;
            EXPECT_EQ(model->compile_whole(), changed) << "byte " << at << ", bit " << bit;
        }
    EXPECT_GT(taken, 0);
}

TEST(Profiles, what_a_profile_says_is_found_by_name) {
    const Model model = outreach();
    EXPECT_EQ(model.profile("")->name, "field");
    EXPECT_EQ(model.profile("office")->name, "office");
    EXPECT_EQ(model.profile("nobody"), nullptr);
    EXPECT_EQ(model.in_profile("", EntityIx{1}).priority, 7u);
    EXPECT_EQ(model.in_profile("office", EntityIx{0}).download, Download::kNever);
    EXPECT_EQ(model.in_profile("field", model.conflicts()), (EntityProfile{.entity = model.conflicts()}));
    Model bare = outreach();
    bare.profiles.clear();
    EXPECT_EQ(bare.profile(""), nullptr);
    EXPECT_EQ(bare.in_profile("", EntityIx{1}).download, Download::kAll);
}

struct Damage {
    std::string name;
    void (*make)(Model&);
    std::string message;
};

EntityProfile& field(Model& model, std::size_t entity) { return model.profiles[0].entities[entity]; }

class ProfilesRefused : public testing::TestWithParam<Damage> {};

// Also as bytes: what a hostile server sends is refused before anything else sees it.
TEST_P(ProfilesRefused, by_name) {
    Model model = outreach();
    GetParam().make(model);
    const auto good = check(model);
    ASSERT_FALSE(good);
    EXPECT_EQ(good.error().code, Code::kModelInvalid);
    EXPECT_NE(good.error().message.find(GetParam().message), std::string::npos) << good.error().message;
    EXPECT_FALSE(Model::load(model.compile_whole()));
}

INSTANTIATE_TEST_SUITE_P(
    Damages, ProfilesRefused,
    testing::Values(
        Damage{"value_name", [](Model& m) { m.principal[1].name = "Role"; },
               "'Role' has a name that is not allowed"},
        Damage{"value_sub", [](Model& m) { m.principal[1].name = "sub"; }, "is the name of the user"},
        Damage{"value_twice", [](Model& m) { m.principal[1].name = "me"; }, "'me' is there twice"},
        Damage{"value_query", [](Model& m) { m.principal[1].query = "select 1"; },
               "'role' is no query but has one"},
        Damage{"value_long", [](Model& m) { m.principal[0].query = std::string(kQueryBytesMax + 1, ' '); },
               "longer than 8000 bytes"},
        Damage{"values_many",
               [](Model& m) {
                   for (std::size_t i = 0; i < kPrincipalValuesMax; ++i)
                       m.principal.push_back({"c" + std::to_string(i), PrincipalKind::kClaim, ""});
               },
               "more than 50 principal values"},
        Damage{"profile_name", [](Model& m) { m.profiles[1].name = ""; }, "the profile name '' is not allowed"},
        Damage{"profile_twice", [](Model& m) { m.profiles[1].name = "field"; }, "two profiles are named 'field'"},
        Damage{"profiles_many",
               [](Model& m) {
                   for (std::size_t i = 0; i < kProfilesMax; ++i)
                       m.profiles.push_back({"p" + std::to_string(i), m.profiles[0].entities});
               },
               "more than 50 profiles"},
        Damage{"entity_missing", [](Model& m) { m.profiles[0].entities.pop_back(); },
               "does not say what becomes of entity 'visit'"},
        Damage{"entity_twice", [](Model& m) { m.profiles[0].entities.push_back({.entity = EntityIx{0}}); },
               "entity 'worker' is there twice"},
        Damage{"entity_beyond", [](Model& m) { field(m, 0).entity = EntityIx{4}; }, "an entity that is not there"},
        Damage{"entity_builtin", [](Model& m) { field(m, 0).entity = m.conflicts(); },
               "an entity that is not there"},
        Damage{"priority", [](Model& m) { field(m, 0).priority = kPriorityMax + 1; },
               "a priority is at most 1000"},
        Damage{"where_long", [](Model& m) { field(m, 1).where = std::string(kExpressionBytesMax + 1, ' '); },
               "longer than 2000 bytes"},
        Damage{"where_alone", [](Model& m) { field(m, 0).where = "true"; },
               "a condition stands beside a rule or `with` only"},
        Damage{"link_alone", [](Model& m) { field(m, 0).link = Link{.value = "me"}; },
               "a link to the user stands in a rule only"},
        Damage{"with_alone", [](Model& m) { field(m, 0).with = 1; }, "an association stands beside `with` only"},
        Damage{"rule_empty",
               [](Model& m) {
                   field(m, 1).link.reset();
                   field(m, 1).where.clear();
               },
               "entity 'household' has an empty rule"},
        Damage{"link_beyond", [](Model& m) { field(m, 1).link->attribute = 2; }, "an attribute that is not there"},
        Damage{"link_type", [](Model& m) { field(m, 1).link->attribute = 1; }, "by 'weight', whose type real"},
        Damage{"link_value", [](Model& m) { field(m, 1).link->value = "nobody"; }, "'nobody', which is not there"},
        Damage{"with_beyond", [](Model& m) { field(m, 2).with = 9; }, "`with` names what is no association"},
        Damage{"with_no_association",
               [](Model& m) { field(m, 1) = {.entity = EntityIx{1}, .download = Download::kWith, .with = 1}; },
               "`with` names what is no association"},
        Damage{"with_nothing",
               [](Model& m) { field(m, 1) = {.entity = EntityIx{1}, .download = Download::kNoneClear}; },
               "with entity 'household', of which the profile downloads nothing"},
        Damage{"with_itself", [](Model& m) { field(m, 2).with = 1; }, "goes round in a ring"},
        Damage{"with_ring",
               [](Model& m) {
                   m.entities[0].attributes[1].references = EntityIx{2};
                   field(m, 0) = {.entity = EntityIx{0}, .download = Download::kWith, .with = 1};
                   field(m, 1) = {.entity = EntityIx{1}, .download = Download::kWith, .with = 0};
               },
               "goes round in a ring"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace skerry::model
