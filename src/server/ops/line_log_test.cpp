#include "server/ops/line_log.hpp"

#include <gtest/gtest.h>

namespace skerry::server::ops {
namespace {

class StillClock final : public Clock {
  public:
    Micros wall() const override { return Micros{1'769'860'800'000'000}; }
    Micros mono() const override { return Micros{0}; }
};

std::string logged(LineLog::Options options, LogLevel level, std::string_view text) {
    const StillClock clock;
    std::string out;
    LineLog log(clock, options, [&](std::string_view line) { out += line; });
    log.line(level, text);
    return out;
}

TEST(LineLog, a_line_has_time_level_and_message) {
    EXPECT_EQ(logged({}, LogLevel::kWarn, "disk \"a\" is nearly full"),
              "time=2026-01-31T12:00:00.000000Z level=warning message=\"disk \\\"a\\\" is nearly full\"\n");
    EXPECT_EQ(logged({.format = LogFormat::kJson}, LogLevel::kError, "a\\b"),
              "{\"time\":\"2026-01-31T12:00:00.000000Z\",\"level\":\"error\",\"message\":\"a\\\\b\"}\n");
}

TEST(LineLog, levels_below_the_least_are_left_out) {
    EXPECT_EQ(logged({.least = LogLevel::kWarn}, LogLevel::kInfo, "x"), "");
    EXPECT_NE(logged({.least = LogLevel::kWarn}, LogLevel::kWarn, "x"), "");
    EXPECT_EQ(logged({}, LogLevel::kDebug, "x"), "");
}

TEST(LineLog, no_text_ends_a_line_or_redraws_a_terminal) {
    for (const LogFormat format : {LogFormat::kText, LogFormat::kJson}) {
        constexpr char kText[] = "a\r\ntime=forged\x1b[2J\0\x7f\xff\xc2\x85\xe2\x80\xae\xe2\x80\xa8z";
        const std::string line = logged({.format = format}, LogLevel::kInfo, std::string_view(kText, sizeof kText - 1));
        EXPECT_EQ(line.find('\n'), line.size() - 1);
        for (const char* hidden : {"\r", "\x1b", "\x7f", "\xff", "\xc2\x85", "\xe2\x80\xae", "\xe2\x80\xa8"})
            EXPECT_EQ(line.find(hidden), std::string::npos) << hidden;
        EXPECT_EQ(line.find('\0'), std::string::npos);
        EXPECT_NE(line.find("\\u000d\\u000atime=forged\\u001b[2J\\ufffd\\u007f\\ufffd\\u0085\\u202e\\u2028z"), std::string::npos) << line;
    }
}

TEST(LineLog, text_of_every_script_stays_readable) {
    EXPECT_NE(logged({}, LogLevel::kInfo, "заказы 注文 🙂").find("заказы 注文 🙂"), std::string::npos);
}

TEST(LineLog, a_token_is_hidden_wherever_it_stands) {
    const std::string token = "skt_AbC-_9" + std::string(37, 'x');
    for (const std::string& text : {token, "Bearer " + token, "\"" + token + "\",", token + token}) {
        const std::string line = logged({}, LogLevel::kError, text);
        EXPECT_EQ(line.find("AbC"), std::string::npos) << line;
        EXPECT_NE(line.find("skt_[hidden]"), std::string::npos) << line;
    }
    EXPECT_EQ(without_tokens("no token: skt_ alone"), "no token: skt_ alone");
}

TEST(LineLog, levels_have_names) {
    for (const LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError})
        EXPECT_EQ(level_named(level_name(level)), level);
    EXPECT_EQ(level_named("loud"), std::nullopt);
}

}  // namespace
}  // namespace skerry::server::ops
