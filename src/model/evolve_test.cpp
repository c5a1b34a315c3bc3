#include "model/evolve.hpp"

#include <gtest/gtest.h>

#include "model/value.hpp"

namespace skerry::model {
namespace {

using Lines = std::vector<std::string>;

testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << part << "' is not in: " << text;
}


Entity* entity_of(Model& model, std::string_view name) {
    for (Entity& entity : model.entities)
        if (entity.name == name) return &entity;
    return nullptr;
}

Attribute* attribute_of(Model& model, std::string_view entity, std::string_view name) {
    for (Attribute& attribute : entity_of(model, entity)->attributes)
        if (attribute.name == name) return &attribute;
    return nullptr;
}

Model base() {
    Model model{"outreach", 1, {}};
    Entity site{.name = "site", .key = {.name = "code", .type = Type::kText}, .attributes = {{.name = "name"}}};
    Entity household{.name = "household",
                     .key = {.name = "id", .type = Type::kUuid},
                     .attributes = {{.name = "name", .required = true},
                                    {.name = "site_code", .references = EntityIx{0}},
                                    {.name = "visits", .type = Type::kInt, .default_value = std::int64_t{0}},
                                    {.name = "status", .type = Type::kEnum, .values = {"open", "closed"}},
                                    {.name = "weight", .type = Type::kDecimal, .precision = 6, .scale = 2}},
                     .checks = {{"visits >= 0", "visits"}},
                     .unique = {{0, 1}},
                     .indexes = {{1, 3}, {0}}};
    model.entities = {site, household};
    complete(model);
    return model;
}

// The model that `change` makes of base(), as the reader would give it: version 2, the built-in entity at the end.
template <class Change>
Model wanted(Change&& change) {
    Model model = base();
    model.version = 2;
    change(model);
    std::erase_if(model.entities, [](const Entity& entity) { return entity.builtin(); });
    complete(model);
    EXPECT_TRUE(check(model)) << describe(check(model).error());
    return model;
}

Model evolved(const Model& next) {
    const auto result = evolve(base(), next);
    EXPECT_TRUE(result) << describe(result.error());
    if (!result) return base();
    EXPECT_TRUE(check(*result)) << describe(check(*result).error());
    EXPECT_EQ(*evolve(base(), *result), *result) << "a successor is its own successor";
    return *result;
}

std::string refusal(const Model& next) {
    const auto result = evolve(base(), next);
    EXPECT_FALSE(result);
    if (result) return "";
    EXPECT_EQ(result.error().code, Code::kModelChange);
    return result.error().message;
}

TEST(Evolve, what_is_equal_stays) {
    EXPECT_EQ(*evolve(base(), base()), base());
    Model newer = base();
    newer.version = 9;
    EXPECT_EQ(*evolve(base(), newer), newer);  // only the number grew
}

TEST(Evolve, positions_stay_and_what_is_new_is_appended) {
    const Model next = evolved(wanted([](Model& model) {
        // A new parent before everything, a new attribute before the others, everything else in another order.
        for (Entity& entity : model.entities)
            for (Attribute& attribute : entity.attributes)
                if (attribute.references) attribute.references = EntityIx{2};
        std::swap(model.entities[0], model.entities[1]);
        model.entities.insert(model.entities.begin(),
                              Entity{.name = "district", .key = {.name = "id", .type = Type::kUuid}});
        Entity& household = model.entities[1];
        EXPECT_EQ(household.name, "household");
        std::swap(household.attributes[0], household.attributes[4]);
        household.attributes.insert(household.attributes.begin(),
                                    Attribute{.name = "district_id", .type = Type::kUuid, .references = EntityIx{0}});
        household.unique = {{2, 5}};
        household.indexes = {{2, 4}, {5}, {0}};
    }));
    ASSERT_EQ(next.entities.size(), 4u);
    EXPECT_EQ(next.entities[0].name, "site");
    EXPECT_EQ(next.entities[1].name, "household");
    EXPECT_EQ(next.entities[2].name, kConflictEntity);
    EXPECT_EQ(next.entities[3].name, "district");
    const Entity& household = next.entities[1];
    std::vector<std::string> names;
    for (const Attribute& attribute : household.attributes) names.push_back(attribute.name);
    EXPECT_EQ(names, (Lines{"name", "site_code", "visits", "status", "weight", "district_id"}));
    EXPECT_EQ(household.attributes[1].references, EntityIx{0});
    EXPECT_EQ(household.attributes[5].references, EntityIx{3});
    EXPECT_EQ(household.unique, (std::vector<AttributeList>{{0, 1}}));
    EXPECT_EQ(household.indexes, (std::vector<AttributeList>{{1, 3}, {0}, {5}}));
}

TEST(Evolve, what_is_allowed_is_taken_and_told) {
    const Model next = evolved(wanted([](Model& model) {
        Entity* household = entity_of(model, "household");
        household->attributes.push_back({.name = "phone"});
        household->attributes.push_back(
            {.name = "rank", .type = Type::kInt, .required = true, .default_value = std::int64_t{3}});
        attribute_of(model, "household", "status")->values = {"moved", "closed", "open"};
        attribute_of(model, "household", "visits")->merge = Merge::kCounter;
        household->update_delete = UpdateDelete::kAsk;
        household->create_create = CreateCreate::kMerge;
        household->strict = true;
        household->indexes = {{1}, {1, 3}};
        entity_of(model, "site")->conflict = Conflict::kDetect;
        model.entities.push_back(
            {.name = "visit", .key = {.name = "id", .type = Type::kUuid}, .attributes = {{.name = "note"}}});
    }));
    EXPECT_EQ(next.entities[1].attributes[3].values, (Lines{"open", "closed", "moved"}));
    EXPECT_EQ(differences(base(), next),
              (Lines{"entity 'site': `conflict` is detect instead of merge",
                     "attribute 'household.visits': `merge` is counter instead of last",
                     "attribute 'household.status' may be 'moved' too", "attribute 'household.phone' is new: text",
                     "attribute 'household.rank' is new: int, rows that are there have 3",
                     "entity 'household': `update_delete` is ask instead of delete_wins",
                     "entity 'household': `create_create` is merge instead of reject",
                     "entity 'household': `strict` is true instead of false",
                     "entity 'household': the index [name] is dropped",
                     "entity 'household': the index [site_code] is new",
                     "entity 'visit' is new, with 1 attribute beside its key", "the version is 2 instead of 1"}));
    EXPECT_TRUE(differences(next, next).empty());
}

TEST(Evolve, the_version_grows_with_every_change) {
    const auto same_version = wanted([](Model& model) {
        model.version = 1;
        entity_of(model, "site")->strict = true;
    });
    EXPECT_TRUE(says(refusal(same_version), "write `version: 2`"));
    Model newer = base();
    newer.version = 5;
    const auto back = evolve(newer, base());
    ASSERT_FALSE(back);
    EXPECT_TRUE(says(back.error().message, "version 1 is older than version 5"));
}

struct Change {
    std::string name;
    void (*make)(Model&);
    std::string message;
};

class EvolveRefuses : public testing::TestWithParam<Change> {};

TEST_P(EvolveRefuses, by_name) {
    const std::string message = refusal(wanted(GetParam().make));
    EXPECT_TRUE(says(message, GetParam().message));
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 0) << "one change, one line: " << message;
}

INSTANTIATE_TEST_SUITE_P(
    Changes, EvolveRefuses,
    testing::Values(
        Change{"another_app", [](Model& m) { m.app = "inreach"; }, "the app is called 'inreach', not 'outreach'"},
        Change{"entity_gone", [](Model& m) { m.entities.erase(m.entities.begin() + 1); },
               "entity 'household' is no longer there"},
        Change{"attribute_gone", [](Model& m) { entity_of(m, "household")->attributes.pop_back(); },
               "attribute 'household.weight' is no longer there"},
        Change{"attribute_renamed", [](Model& m) { attribute_of(m, "household", "weight")->name = "mass"; },
               "attribute 'household.weight' is no longer there"},
        Change{"type", [](Model& m) { attribute_of(m, "site", "name")->type = Type::kInt; },
               "attribute 'site.name' was text, and its type cannot change"},
        Change{"scale", [](Model& m) { attribute_of(m, "household", "weight")->scale = 3; }, "was decimal(6, 2)"},
        Change{"precision", [](Model& m) { attribute_of(m, "household", "weight")->precision = 9; },
               "was decimal(6, 2)"},
        Change{"key_type", [](Model& m) { entity_of(m, "household")->key.type = Type::kText; },
               "the key of entity 'household' was 'id' of type uuid"},
        Change{"key_name", [](Model& m) { entity_of(m, "household")->key.name = "key"; },
               "the key of entity 'household'"},
        Change{"required", [](Model& m) { attribute_of(m, "site", "name")->required = true; },
               "cannot become required"},
        Change{"optional", [](Model& m) { attribute_of(m, "household", "name")->required = false; },
               "cannot become optional"},
        Change{"new_required",
               [](Model& m) { entity_of(m, "site")->attributes.push_back({.name = "owner", .required = true}); },
               "the new attribute 'site.owner' is required and has no default"},
        Change{"default_value",
               [](Model& m) { attribute_of(m, "household", "visits")->default_value = std::int64_t{1}; },
               "attribute 'household.visits': its default was 0 and cannot change"},
        Change{"default_gone", [](Model& m) { attribute_of(m, "household", "visits")->default_value.reset(); },
               "its default was 0"},
        Change{"enum_value_gone", [](Model& m) { attribute_of(m, "household", "status")->values = {"open"}; },
               "no longer has the value 'closed'"},
        Change{"reference_gone", [](Model& m) { attribute_of(m, "household", "site_code")->references.reset(); },
               "was an association to 'site'"},
        Change{"reference_new", [](Model& m) { attribute_of(m, "site", "name")->references = EntityIx{0}; },
               "attribute 'site.name' was text"},
        Change{"on_delete", [](Model& m) { attribute_of(m, "household", "site_code")->on_delete = OnDelete::kCascade; },
               "`on_delete` was restrict"},
        Change{"check_gone", [](Model& m) { entity_of(m, "household")->checks.clear(); },
               "the check `visits >= 0` is no longer there"},
        Change{"check_new",
               [](Model& m) {
                   entity_of(m, "site")->checks.push_back({"name <> ''", ""});
               },
               "the check `name <> ''` is new"},
        Change{"unique_gone", [](Model& m) { entity_of(m, "household")->unique.clear(); },
               "unique [name, site_code] is no longer there"},
        Change{"unique_new", [](Model& m) { entity_of(m, "site")->unique = {{0}}; }, "unique [name] is new"}),
    [](const auto& test) { return test.param.name; });

TEST(Evolve, every_refusal_has_its_line) {
    const std::string message = refusal(wanted([](Model& m) {
        attribute_of(m, "site", "name")->required = true;
        entity_of(m, "household")->unique.clear();
        attribute_of(m, "household", "status")->values = {"open"};
    }));
    EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 2) << message;
}

// Rows of the older model have the same hash in the newer one, whatever was appended.
TEST(Evolve, rows_keep_their_hash) {
    const Model next = evolved(wanted([](Model& m) {
        entity_of(m, "household")->attributes.push_back({.name = "a"});
        entity_of(m, "household")
            ->attributes.push_back({.name = "b", .type = Type::kInt, .default_value = std::int64_t{7}});
    }));
    const Row row = {std::string("x"), Null{}, std::int64_t{4}, Null{}, Null{}};
    Row longer = row;
    longer.push_back(Null{});
    longer.push_back(std::int64_t{7});
    EXPECT_EQ(row_hash(base().entities[1], row), row_hash(next.entities[1], longer));
}

}  // namespace
}  // namespace skerry::model
