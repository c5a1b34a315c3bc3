#include "server/ops/settings.hpp"

#include <gtest/gtest.h>

#include <map>

namespace skerry::server::ops {
namespace {

std::string refusal(std::string_view text) {
    const auto given = parse_settings(text, "skerry.conf");
    if (given) return "taken";
    EXPECT_EQ(given.error().code, Code::kInvalidArgument);
    return given.error().message;
}

TEST(Settings, a_file_has_names_values_comments_and_blank_lines) {
    const auto given = parse_settings("# how we serve\r\n\n  port = 9000   # behind the proxy\n\tlog_level=debug\nlisten = ::1", "c");
    ASSERT_TRUE(given) << given.error().message;
    ASSERT_EQ(given->size(), 3u);
    EXPECT_EQ((*given)[0].name, "port");
    EXPECT_EQ((*given)[0].value, "9000");
    EXPECT_EQ((*given)[0].origin, "c:3");
    EXPECT_EQ((*given)[1].value, "debug");
    EXPECT_EQ((*given)[2].origin, "c:5");
}

TEST(Settings, whatever_is_wrong_in_a_file_is_named_with_its_line) {
    EXPECT_EQ(refusal("port = 1\nprot = 2\n"), "skerry.conf:2: there is no setting \"prot\"");
    EXPECT_EQ(refusal("\n\nport = x"), "skerry.conf:3: port: \"x\" is not a whole number from 0 to 65535");
    EXPECT_EQ(refusal("port = 1\n#\nport = 1\n"), "skerry.conf:3: port was given in skerry.conf:1 already");
    EXPECT_EQ(refusal("port 9000"), "skerry.conf:1: a line has to be `name = value`");
    EXPECT_EQ(refusal("[server]"), "skerry.conf:1: a line has to be `name = value`");
    EXPECT_EQ(refusal("= 3"), "skerry.conf:1: there is no setting \"\"");
    EXPECT_EQ(refusal("PORT = 3"), "skerry.conf:1: there is no setting \"PORT\"");
}

TEST(Settings, values_are_taken_as_a_whole_or_not_at_all) {
    const std::map<std::string, std::pair<std::vector<std::string>, std::vector<std::string>>> cases = {
        {"port", {{"0", "1", "65535"}, {"", "-1", "65536", "1 ", " 1", "0x10", "1e3", "99999999999999999999"}}},
        {"connections_max", {{"1", "1000000"}, {"0", "1000001", ""}}},
        {"address_connections_max", {{"1", "1000000"}, {"0", "1000001", ""}}},
        {"retention_days", {{"1", "36500"}, {"0", "36501", "1.5"}}},
        {"log_level", {{"error", "warning", "info", "debug"}, {"", "warn", "INFO"}}},
        {"log_format", {{"text", "json"}, {"", "xml"}}},
        {"metrics", {{"on", "off"}, {"", "true", "1"}}},
        {"listen", {{"127.0.0.1", "::", "localhost", "fe80::1%eth0"}, {"", "a b", "a\nb", "\xff", "#a", "a=b"}}},
    };
    ASSERT_EQ(cases.size(), setting_infos().size());
    for (const auto& [name, values] : cases) {
        for (const std::string& good : values.first) EXPECT_EQ(fault_of(name, good), "") << name << " " << good;
        for (const std::string& bad : values.second) EXPECT_NE(fault_of(name, bad), "") << name << " " << bad;
    }
}

TEST(Settings, the_command_line_wins_over_the_environment_over_the_file_over_the_default) {
    const std::map<std::string, std::string> variables{{"SKERRY_PORT", "2"}, {"SKERRY_LOG_LEVEL", "error"}, {"SKERRY_LISTEN", ""}};
    std::vector<Given> all = *parse_settings("port = 1\nlog_level = debug\nretention_days = 7\nlisten = ::1\n", "f");
    const auto environment = settings_of_environment([&](const char* name) -> const char* {
        const auto found = variables.find(name);
        return found == variables.end() ? nullptr : found->second.c_str();
    });
    ASSERT_TRUE(environment);
    all.insert(all.end(), environment->begin(), environment->end());
    all.push_back({"port", "3", "--port"});
    const auto resolved = resolve(all);
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->settings.port, 3);
    EXPECT_EQ(resolved->settings.log_level, LogLevel::kError);
    EXPECT_EQ(resolved->settings.retention_days, 7);
    EXPECT_EQ(resolved->settings.listen, "::1");
    EXPECT_EQ(resolved->settings.connections_max, 10'000);
    EXPECT_EQ(resolved->settings.address_connections_max, 1'000);
    std::map<std::string, std::string> origins;
    for (const Given& value : resolved->values) origins[value.name] = value.origin;
    EXPECT_EQ(origins["port"], "--port");
    EXPECT_EQ(origins["log_level"], "SKERRY_LOG_LEVEL");
    EXPECT_EQ(origins["retention_days"], "f:3");
    EXPECT_EQ(origins["metrics"], "default");
}

TEST(Settings, a_bad_variable_is_named) {
    const auto got = settings_of_environment([](const char* name) { return std::string_view(name) == "SKERRY_METRICS" ? "yes" : nullptr; });
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().message, "SKERRY_METRICS: \"yes\" is neither on nor off");
}

TEST(Settings, what_is_printed_is_a_settings_file_of_the_same_values) {
    const std::vector<Given> given{{"port", "9", "--port"}, {"listen", "::", "a \n b:3"}};
    const auto resolved = resolve(given);
    ASSERT_TRUE(resolved);
    const std::string text = settings_text(resolved->values);
    EXPECT_NE(text.find("port = 9"), std::string::npos) << text;
    EXPECT_NE(text.find("# --port\n"), std::string::npos) << text;
    const auto again = parse_settings(text, "printed");
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(settings_text(resolve(*again)->values).substr(0, 10), text.substr(0, 10));
    ASSERT_EQ(again->size(), resolved->values.size());
    for (std::size_t i = 0; i < again->size(); ++i) EXPECT_EQ((*again)[i].value, resolved->values[i].value);
}

TEST(Settings, a_token_in_the_wrong_place_is_not_repeated) {
    const std::string token = "skt_" + std::string(43, 'x');
    EXPECT_EQ(refusal("port = " + token).find("xxx"), std::string::npos);
    EXPECT_EQ(refusal(token + " = 1").find("xxx"), std::string::npos);
}

}  // namespace
}  // namespace skerry::server::ops
