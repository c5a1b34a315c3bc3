#include <gtest/gtest.h>

#include "model/model.hpp"
#include "model/value.hpp"

namespace skerry::model {
namespace {

Model outreach() {
    Model model{"outreach", 1, {}};
    model.entities.push_back({"place", {"id", Type::kUuid}, {{"name", Type::kText}, {"population", Type::kInt}}});
    model.entities.push_back({"tag", {"code", Type::kText}, {}});
    return model;
}

TEST(Model, comes_back_from_its_compiled_form) {
    const auto loaded = Model::load(outreach().compile());
    ASSERT_TRUE(loaded) << describe(loaded.error());
    EXPECT_EQ(*loaded, outreach());
    EXPECT_EQ(loaded->hash(), outreach().hash());
}

TEST(Model, a_newer_format_is_refused_by_name) {
    Bytes compiled = outreach().compile();
    compiled[4] = 9;
    const auto loaded = Model::load(compiled);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, Code::kFormatTooNew);
}

TEST(Model, every_cut_and_every_foreign_byte_string_is_refused) {
    const Bytes compiled = outreach().compile();
    for (std::size_t n = 0; n < compiled.size(); ++n)
        EXPECT_FALSE(Model::load(BytesView(compiled).substr(0, n))) << n;
    EXPECT_FALSE(Model::load(compiled + "x"));
    EXPECT_FALSE(Model::load("<html>"));
}

TEST(Model, conditions_and_queries_are_text) {
    const auto refused = [](const Model& model) { return !Model::load(model.compile_whole()); };
    Model model = outreach();
    model.entities[0].checks = {{"population >= 0", ""}};
    EXPECT_FALSE(refused(model));
    model.entities[0].checks = {{"population >= \x90", ""}};
    EXPECT_TRUE(refused(model));
    model = outreach();
    model.principal = {{"team", PrincipalKind::kQuery, "select 1 -- \xff"}};
    EXPECT_TRUE(refused(model));
    model = outreach();
    model.profiles = {{"all", {{.entity = EntityIx{0}, .download = Download::kRule, .where = "population > \xc0"}, {.entity = EntityIx{1}}}}};
    EXPECT_TRUE(refused(model));
    model.profiles[0].entities[0].where = "population > 0";
    EXPECT_FALSE(refused(model));
}

TEST(Model, bad_names_and_duplicates_are_refused) {
    for (const char* name : {"", "Place", "1st", "skerry_x", "sqlite_y", "a b", "drop\"table"}) {
        Model model = outreach();
        model.entities[0].name = name;
        EXPECT_FALSE(check(model)) << name;
    }
    Model twice = outreach();
    twice.entities[1].name = "place";
    EXPECT_FALSE(check(twice));
    Model same_attribute = outreach();
    same_attribute.entities[0].attributes[0].name = "id";
    EXPECT_FALSE(check(same_attribute));
    Model integer_key = outreach();
    integer_key.entities[0].key.type = Type::kInt;
    EXPECT_EQ(check(integer_key).error().code, Code::kNotSupported);
}

TEST(Values, come_back_as_they_went) {
    for (const Value& value : {Value{Null{}}, Value{std::int64_t{INT64_MIN}}, Value{std::int64_t{INT64_MAX}},
                               Value{0.1}, Value{std::string("Grüße")}, Value{Blob{0, 255}}}) {
        Bytes bytes;
        Writer out(bytes);
        put_value(out, value);
        Reader in(bytes);
        EXPECT_EQ(get_value(in), value);
        EXPECT_TRUE(in.at_end());
    }
}

TEST(Values, only_canonical_forms_pass) {
    const Entity place = outreach().entities[0];
    EXPECT_TRUE(check_key(place, "018f3a5e-0000-7000-8000-000000000001"));
    EXPECT_FALSE(check_key(place, "018F3A5E-0000-7000-8000-000000000001"));
    EXPECT_TRUE(check_value(place, place.attributes[0], std::string("x")));
    EXPECT_TRUE(check_value(place, place.attributes[0], Null{}));
    EXPECT_FALSE(check_value(place, place.attributes[0], std::int64_t{1}));
    EXPECT_FALSE(check_value(place, place.attributes[0], std::string("a\0b", 3)));
    EXPECT_FALSE(check_value(place, place.attributes[1], std::string("1")));
    EXPECT_EQ(check_value(place, place.attributes[0], std::string(kValueBytesMax + 1, 'x')).error().code,
              Code::kRowTooBig);
    EXPECT_TRUE(check_value(place, place.attributes[0], std::string(kValueBytesMax, 'x')));
}

}  // namespace
}  // namespace skerry::model
