#include "rules/download.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "rules/rules.hpp"

namespace skerry::rules {
namespace {

using model::Type;

model::Entity household() {
    model::Entity e{"household", {"id", Type::kUuid}};
    const auto add = [&](std::string name, Type type) -> model::Attribute& {
        return e.attributes.emplace_back(model::Attribute{std::move(name), type});
    };
    add("assignee_id", Type::kUuid);
    add("name", Type::kText);
    add("members", Type::kInt);
    add("open", Type::kBool);
    add("on", Type::kDate);
    add("at", Type::kTimestamp);
    add("weight", Type::kReal);
    add("status", Type::kEnum).values = {"open", "closed"};
    add("between", Type::kInt);
    return e;
}

std::string link_text(const std::optional<model::Link>& link) {
    if (!link) return "-";
    const std::string attribute =
        link->attribute == model::kKeyAttribute ? "key" : household().attributes[link->attribute].name;
    return attribute + (link->many ? " in " : " = ") + link->value;
}

// "link | where", or the refusal.
std::string split(std::string_view text) {
    const auto rule = parse_download(text, household());
    if (!rule) return std::string(code_name(rule.error().code)) + " " + rule.error().message;
    return link_text(rule->link) + " | " + rule->where;
}

TEST(Download, a_rule_is_a_link_and_a_condition) {
    EXPECT_EQ(split("assignee_id = :me"), "assignee_id = me | ");
    EXPECT_EQ(split(":me = assignee_id"), "assignee_id = me | ");
    EXPECT_EQ(split("assignee_id IN :Reports"), "assignee_id in reports | ");
    EXPECT_EQ(split("id in :opened"), "key in opened | ");
    EXPECT_EQ(split("assignee_id=:me and status <> 'closed'"), "assignee_id = me | status <> 'closed'");
    EXPECT_EQ(split("status <> 'closed' and\n  assignee_id = :me  and members > 1 "),
              "assignee_id = me | status <> 'closed' and members > 1");
    EXPECT_EQ(split("(open and (assignee_id = :me and (open or members = 1)) ) and not open"),
              "assignee_id = me | open and (open or members = 1) and not open");
    EXPECT_EQ(split("status <> 'closed'"), "- | status <> 'closed'");
    EXPECT_EQ(split("  open or name = ':me' "), "- | open or name = ':me'");
}

TEST(Download, the_and_of_between_joins_nothing) {
    EXPECT_EQ(split("members between 1 and 2 and assignee_id = :me and members not between 3 and 4"),
              "assignee_id = me | members between 1 and 2 and members not between 3 and 4");
    EXPECT_EQ(split("\"between\" = 1 and assignee_id = :me and \"between\" between 1 and 2"),
              "assignee_id = me | \"between\" = 1 and \"between\" between 1 and 2");
}

TEST(Download, types_that_may_link) {
    for (const char* attribute : {"id", "assignee_id", "name", "members", "open", "\"on\"", "status"})
        EXPECT_TRUE(parse_download(std::string(attribute) + " = :x", household())) << attribute;
    EXPECT_EQ(split("open and weight = :x"),
              "not_supported at byte 9: 'weight' is of type real, and a link to the user by it is not supported; "
              "link by a uuid, text, enum, "
              "int, bool or date, or by an association");
    EXPECT_NE(split("at in :x").find("'at' is of type timestamp"), std::string::npos);
}

// Wherever the link stands, what is wrong with the rest keeps its place.
TEST(Download, faults_of_the_rest_keep_their_byte) {
    EXPECT_EQ(split("assignee_id = :me and nmae = 'x'"),
              "expression_invalid at byte 22: household has no attribute 'nmae'");
    EXPECT_EQ(split("assignee_id = :me and (open"), "expression_invalid at byte 27: here should be )");
    EXPECT_EQ(split("assignee_id = :me and"), "expression_invalid at byte 21: here it ends too early");
    EXPECT_EQ(split("and assignee_id = :me"),
              "expression_invalid at byte 0: here should be a value; an attribute named and is written \"and\"");
    EXPECT_EQ(split("asignee_id = :me"), "expression_invalid at byte 0: household has no attribute 'asignee_id'");
    EXPECT_EQ(split("assignee_id = : me"),
              "expression_invalid at byte 14: behind a colon stands the name of a principal value, as in :me");
    EXPECT_EQ(split(""), "expression_invalid at byte 0: here it ends too early");
    EXPECT_EQ(split(std::string(2001, ' ')), "expression_invalid at byte 2000: it is longer than 2,000 bytes");
}

TEST(Download, every_other_link_is_refused_by_name) {
    const auto refused = [](std::string_view text, std::string_view part) {
        const std::string answer = split(text);
        EXPECT_EQ(answer.substr(0, 14), "not_supported ") << text << ": " << answer;
        EXPECT_NE(answer.find(part), std::string::npos) << text << ": " << answer;
    };
    refused("assignee_id = :me or open", "at byte 18: `or` around :me");
    refused("open and (open or assignee_id = :me)", "at byte 15: `or` around :me");
    refused("open and not (assignee_id = :me or open)", "`or` around :me");
    refused("assignee_id = :me and name = :sub", "at byte 29: two values of the user in one rule");
    refused("assignee_id <> :me", "at byte 12: `<>` around :me");
    refused("members >= :low", "`>=` around :low");
    refused("not assignee_id = :me", "`not` around :me");
    refused("assignee_id not in :reports", "`not` around :reports");
    refused(":a = :b", "comparing :a with :b");
    refused("members between :a and :b", "comparing :a with :b");
    refused(":role = 'lead'", "a condition on the user alone (:role)");
    refused(":flag", "a condition on the user alone (:flag)");
    refused("'lead' in :roles", "a condition on the user alone (:roles)");
    refused("lower(name) = :me", "at byte 14: :me in an expression");
    refused("assignee_id in (:me)", "write `attribute in :me`");
    refused("assignee_id is :me", ":me in an expression");
    refused("(assignee_id = :me) = open", ":me in an expression");
    refused("abs((members = :me))", ":me in an expression");
    refused("name like :me", ":me in an expression");
}

TEST(Download, limits_are_kept) {
    const std::string open(kDepthMax + 1, '(');
    const std::string close(kDepthMax + 1, ')');
    EXPECT_NE(split(open + "assignee_id = :me" + close).find("it is nested deeper than 50"), std::string::npos);
    EXPECT_EQ(split(open.substr(1) + "assignee_id = :me" + close.substr(1)), "assignee_id = me | ");
    // Joined again with spaces, the pieces may be longer than they were.
    std::string tight = "id=:x ";
    while (tight.size() + 9 <= model::kExpressionBytesMax) tight += "and(open)";
    EXPECT_NE(split(tight).find("expression_invalid"), std::string::npos);
}

// What stays of a rule means what the rule says without its link.
TEST(Download, the_rest_means_the_same_with_or_without_the_link) {
    const std::uint64_t seed = SystemRandom().u64();
    SCOPED_TRACE("seed " + std::to_string(seed));
    SeededRandom random(seed);
    const auto any = [&](std::size_t n) { return static_cast<std::size_t>(random.below(n)); };
    constexpr const char* kTerms[] = {"open",
                                      "not open",
                                      "members between 1 and 2",
                                      "(open or members = 3)",
                                      "name in ('a', 'and')",
                                      "status <> 'closed'",
                                      "(open and members is null)",
                                      "(members) + 1 > 2",
                                      "coalesce(open, false)"};
    for (int round = 0; round < 300; ++round) {
        std::vector<std::string> terms;
        for (std::size_t i = any(5); i < 5; ++i) terms.emplace_back(kTerms[any(std::size(kTerms))]);
        std::string plain;
        for (const std::string& term : terms) plain += (plain.empty() ? "" : " and ") + term;
        terms.insert(terms.begin() + static_cast<std::ptrdiff_t>(any(terms.size() + 1)), "assignee_id = :me");
        std::string linked;
        for (const std::string& term : terms) linked += (linked.empty() ? "" : " and ") + term;
        const auto rule = parse_download(linked, household());
        ASSERT_TRUE(rule) << linked << ": " << describe(rule.error());
        EXPECT_EQ(link_text(rule->link), "assignee_id = me");
        EXPECT_EQ(linked.substr(rule->value_at, 3), ":me");
        EXPECT_EQ(to_sql(*parse(rule->where, household()), ""), to_sql(*parse(plain, household()), "")) << linked;
    }
}

}  // namespace
}  // namespace skerry::rules
