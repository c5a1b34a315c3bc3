#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/yaml/reader.hpp"

namespace skerry::model {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kHead = R"yaml(app: outreach
version: 1
access: open
entities:
  household:
    attributes: { id: uuid, name: text!, assignee_id: worker, site_id: site, status: "enum(open, closed)", gone: bool }
  worker: { attributes: { id: uuid, email: text! } }
  site: { attributes: { id: uuid, name: text } }
  visit: { attributes: { id: uuid, household_id: household!, on: date } }
  photo: { attributes: { id: uuid, visit_id: visit!, body: blob } }
  note: { attributes: { id: uuid, body: text } }
)yaml";

Model sound(std::string_view rest) {
    const auto model = read_model(std::string(kHead) + std::string(rest), "m.yaml");
    EXPECT_TRUE(model) << describe(model.error());
    return model ? *model : Model{};
}

std::string faults(std::string_view rest) {
    const auto model = read_model(std::string(kHead) + std::string(rest), "m.yaml");
    EXPECT_FALSE(model);
    return model ? "" : model.error().message;
}

EntityProfile said(const Model& model, std::string_view profile, std::string_view entity) {
    EntityIx ix;
    EXPECT_NE(model.find(entity, &ix), nullptr);
    EXPECT_NE(model.profile(profile), nullptr);
    return model.in_profile(profile, ix);
}

std::uint32_t attribute(const Model& model, std::string_view entity, std::string_view name) {
    return *model.find(entity)->attribute_named(name);
}

TEST(ProfileReader, every_word) {
    const Model model = sound(R"yaml(
principal:
  me:     select id from worker where email = :sub
  team:   "with t(id) as (select id from worker where email in (:sub, :role)) select id from t;"
  role:   claim
  opened: chosen
profiles:
  field:
    site: all
    worker: { download: all, upload: reject, priority: 10 }
    household: assignee_id = :me and status <> 'closed'
    visit: { with: household_id, where: "\"on\" >= '2026-01-01'", priority: 1000 }
    photo: { with: visit_id }
    note: none_clear
  office:
    household: { download: "assignee_id in :team", upload: allow }
    site: "id in :opened"
    worker: email = :sub
    visit: none, preserve
    photo: never
    note: { download: none-preserve }
)yaml");
    EXPECT_THAT(
        model.principal,
        ElementsAre(
            PrincipalValue{"me", PrincipalKind::kQuery, "select id from worker where email = :sub"},
            PrincipalValue{"team", PrincipalKind::kQuery,
                           "with t(id) as (select id from worker where email in (:sub, :role)) select id from t;"},
            PrincipalValue{"role", PrincipalKind::kClaim, ""},
            PrincipalValue{"opened", PrincipalKind::kChosen, ""}));
    ASSERT_EQ(model.profiles.size(), 2u);
    EXPECT_EQ(model.profiles[0].name, "field");
    EXPECT_EQ(said(model, "field", "site").download, Download::kAll);
    EXPECT_EQ(said(model, "field", "worker").upload, Upload::kReject);
    EXPECT_EQ(said(model, "field", "worker").priority, 10u);
    const EntityProfile household = said(model, "field", "household");
    EXPECT_EQ(household.download, Download::kRule);
    EXPECT_EQ(household.link, (Link{attribute(model, "household", "assignee_id"), "me", false}));
    EXPECT_EQ(household.where, "status <> 'closed'");
    const EntityProfile visit = said(model, "field", "visit");
    EXPECT_EQ(visit.download, Download::kWith);
    EXPECT_EQ(visit.with, attribute(model, "visit", "household_id"));
    EXPECT_EQ(visit.where, "\"on\" >= '2026-01-01'");
    EXPECT_EQ(said(model, "field", "photo").with, attribute(model, "photo", "visit_id"));
    EXPECT_EQ(said(model, "field", "note").download, Download::kNoneClear);
    EXPECT_EQ(said(model, "office", "household").link,
              (Link{attribute(model, "household", "assignee_id"), "team", true}));
    EXPECT_EQ(said(model, "office", "site").link, (Link{kKeyAttribute, "opened", true}));
    EXPECT_EQ(said(model, "office", "worker").link, (Link{attribute(model, "worker", "email"), "sub", false}));
    EXPECT_EQ(said(model, "office", "visit").download, Download::kNonePreserve);
    EXPECT_EQ(said(model, "office", "photo").download, Download::kNever);
    EXPECT_EQ(said(model, "office", "note").download, Download::kNonePreserve);
    EXPECT_EQ(Model::load(model.compile_whole()).value(), model);
}

TEST(ProfileReader, conditions_without_the_user_are_rules_too) {
    const Model model = sound(
        "profiles: { p: { household: not gone, site: name is not null, worker: all, visit: all, photo: all, note: "
        "all } }\n");
    EXPECT_EQ(said(model, "", "household").where, "not gone");
    EXPECT_EQ(said(model, "", "household").link, std::nullopt);
    EXPECT_EQ(said(model, "", "site").where, "name is not null");
    const Model word =
        sound("profiles: { p: { household: gone, site: all, worker: all, visit: all, photo: all, note: all } }\n");
    EXPECT_EQ(said(word, "", "household").where, "gone");
}

TEST(ProfileReader, a_rule_in_braces_needs_no_quotes) {
    const Model model = sound(
        "principal: { me: select id from worker where email = :sub, role: claim }\n"
        "profiles: { p: { household: assignee_id = :me, site: all, worker: all, visit: all, photo: all, note: all "
        "} }\n");
    EXPECT_EQ(said(model, "p", "household").link->value, "me");
}

// An entity that a newer model adds is covered by every profile, or the model is refused.
TEST(ProfileReader, P_9_every_profile_names_every_entity) {
    EXPECT_EQ(faults("profiles:\n  field: { site: all, worker: all, visit: all, photo: all, note: all }\n"
                     "  office: { site: all, worker: all, household: all, visit: all, photo: all, note: all }\n"),
              "m.yaml:13:3: profile 'field' does not say what becomes of 'household'; name every entity: `all`, a "
              "rule, { with: association }, "
              "none_clear, none_preserve or never");
    EXPECT_THAT(faults("profiles: { p: { } }\n"),
                HasSubstr("'worker', 'site', 'household', 'visit', 'photo' and 1 more"));
}

TEST(ProfileReader, the_order_of_a_profile_says_nothing) {
    EXPECT_EQ(
        sound(
            "profiles: { p: { household: all, site: never, worker: all, visit: all, photo: all, note: all } }\n"),
        sound(
            "profiles: { p: { note: all, photo: all, visit: all, worker: all, site: never, household: all } }\n"));
}

// Faults of all parts are told at once; only profiles wait for entities that can be read.
TEST(ProfileReader, faults_of_every_part_are_told_together) {
    const std::string all = faults(
        "colour: red\nprincipal: { x: claims }\nprofiles: { p: { household: al, site: all, worker: all, visit: "
        "all, photo: all, note: all } }\n");
    EXPECT_THAT(all, HasSubstr("unknown word 'colour'"));
    EXPECT_THAT(all, HasSubstr("did you mean 'claim'?"));
    EXPECT_THAT(all, HasSubstr("did you mean 'all'?"));
}

// Fifty profiles of five hundred entities, each with a rule, are answered.
TEST(ProfileReader, a_large_file_is_answered) {
    std::string text = "app: a\nversion: 1\naccess: open\nentities:\n";
    for (int i = 0; i < 500; ++i)
        text += " e" + std::to_string(i) + ": {attributes: {id: uuid, p: e" + std::to_string(i == 0 ? 0 : i - 1) +
                "}}\n";
    text += "profiles:\n";
    for (int p = 0; p < 50; ++p) {
        text += " p" + std::to_string(p) + ":\n  e0: id=:sub\n";
        for (int i = 1; i < 500; ++i) text += "  e" + std::to_string(i) + ": {with: p}\n";
    }
    ASSERT_LE(text.size(), kModelFileBytesMax);
    const auto model = read_model(text, "m.yaml");
    ASSERT_TRUE(model) << describe(model.error());
    EXPECT_EQ(model->profiles.size(), 50u);
}

}  // namespace
}  // namespace skerry::model
