#include "cli/print.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace skerry::cli {
namespace {

Table sample() {
    return Table{{"name", "n", "name"},
                 {{std::string("Zürich\x1b[2J"), std::int64_t{9007199254740993}, Null{}},
                  {std::string("東京"), std::int64_t{-5}, std::string("a \"b\",\nc")}}};
}

TEST(Print, TablesAlignByScreenWidthAndEscapeControlCharacters) {
    EXPECT_EQ(format_table(sample(), Format::kTable),
              "name                          n  name\n"
              "-------------  ----------------  ---------\n"
              "Zürich\\x1b[2J  9007199254740993  NULL\n"
              "東京                         -5  a \"b\",\\nc\n"
              "(2 rows)\n");
    EXPECT_EQ(format_table(Table{{"n"}, {{std::int64_t{1}}}}, Format::kTable), "n\n-\n1\n(1 row)\n");
    EXPECT_EQ(format_table(Table{}, Format::kTable), "");
}

TEST(Print, JsonKeepsEveryDigitAndEveryColumn) {
    EXPECT_EQ(format_table(sample(), Format::kJson),
              "[{\"name\": \"Zürich\\u001b[2J\", \"n\": 9007199254740993, \"name_2\": null},\n"
              " {\"name\": \"東京\", \"n\": -5, \"name_2\": \"a \\\"b\\\",\\nc\"}]\n");
    EXPECT_EQ(format_table(Table{{"a"}, {}}, Format::kJson), "[]\n");
    EXPECT_EQ(json_value(Blob{0, 255}), "{\"hex\": \"00ff\"}");
    EXPECT_EQ(json_value(0.1), "0.1");
    EXPECT_EQ(json_value(3.0), "3.0");
    EXPECT_EQ(json_value(std::numeric_limits<double>::infinity()), "\"Infinity\"");
    EXPECT_EQ(json_value(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
    EXPECT_EQ(json_text("\xff"), "\"\\ufffd\"");
}

TEST(Print, AColumnRenamedForJsonTakesNobodysName) {
    const Table table{{"a", "a", "a_2"}, {{std::int64_t{1}, std::int64_t{2}, std::int64_t{3}}}};
    EXPECT_EQ(format_table(table, Format::kJson), "[{\"a\": 1, \"a_3\": 2, \"a_2\": 3}]\n");
}

TEST(Print, CsvTellsNullFromEmptyText) {
    const Table table{{"a", "b,c"}, {{Null{}, std::string()}, {std::string("x\"y"), 1.5}}};
    EXPECT_EQ(format_table(table, Format::kCsv), "a,\"b,c\"\n,\"\"\n\"x\"\"y\",1.5\n");
}

TEST(Print, VisibleLeavesNoWayToATerminal) {
    for (unsigned c = 0; c < 256; ++c)
        for (const char shown : visible(std::string(1, static_cast<char>(c))))
            EXPECT_TRUE(shown >= 0x20 && shown < 0x7f) << c;
    EXPECT_EQ(visible("\u202Eevil"), "\\u202eevil");
    EXPECT_EQ(visible("\u009b31m"), "\\x9b31m");
    EXPECT_EQ(visible("é"), "é");
}

TEST(Print, NumbersForPeople) {
    EXPECT_EQ(grouped(1234567), "1,234,567");
    EXPECT_EQ(bytes_text(812), "812 B");
    EXPECT_EQ(bytes_text(64'000), "64.0 kB");
    EXPECT_EQ(bytes_text(999'960), "1.0 MB");
    EXPECT_EQ(duration_text(59.4), "59 s");
    EXPECT_EQ(duration_text(125), "2 min 05 s");
    EXPECT_EQ(duration_text(4320), "1 h 12 min");
}

TEST(Print, ProgressSaysRowsRateAndTimeLeft) {
    EXPECT_EQ(progress_text({50'000, 100'000, std::nullopt, 2'000'000}, 1.0),
              "50,000 rows, 2.0 MB, 50,000 rows/s, 2 s left");
    EXPECT_EQ(progress_text({500, std::nullopt, 0.25, std::nullopt}, 10.0), "500 rows, 50 rows/s, 30 s left");
    EXPECT_EQ(progress_text({0, std::nullopt, std::nullopt, std::nullopt}, 0.0), "0 rows");
}

}  // namespace
}  // namespace skerry::cli
