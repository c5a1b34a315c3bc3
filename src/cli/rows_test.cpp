#include "cli/rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/text.hpp"

namespace skerry::cli {
namespace {

using testing::HasSubstr;

class Rows : public testing::Test {
  protected:
    // Every row as "line:name=cell,…"; a text in quotes, an error at the end as its message.
    std::vector<std::string> read(std::string_view content, FileFormat format, char delimiter = ',') {
        const std::string path = testing::TempDir() + "skerry_rows_" +
                                 testing::UnitTest::GetInstance()->current_test_info()->name();
        std::ofstream(path, std::ios::binary) << content;
        std::vector<std::string> out;
        auto reader = open_rows(path, format, delimiter);
        if (!reader) out.push_back(reader.error().message);
        while (reader) {
            FileRow row;
            const auto any = (*reader)->next(row);
            if (!any) {
                out.push_back(any.error().message);
                break;
            }
            if (!*any) {
                EXPECT_EQ((*reader)->bytes_read(), content.size());
                EXPECT_EQ((*reader)->bytes_total(), content.size());
                break;
            }
            std::string text = std::to_string(row.line) + ":";
            for (const Field& field : row.fields) {
                if (text.back() != ':') text += ",";
                text += field.name + "=";
                switch (field.cell.kind) {
                    case CellKind::kNull: text += "null"; break;
                    case CellKind::kText: text += "'" + field.cell.text + "'"; break;
                    case CellKind::kNumber: text += field.cell.text; break;
                    case CellKind::kTrue: text += "true"; break;
                    case CellKind::kFalse: text += "false"; break;
                    case CellKind::kJson: text += field.cell.text; break;
                }
            }
            out.push_back(text);
        }
        std::remove(path.c_str());
        return out;
    }
    using Lines = std::vector<std::string>;
};

TEST_F(Rows, Csv) {
    EXPECT_EQ(read("a,b\n1,x\n,\"\"\n", FileFormat::kCsv), (Lines{"2:a='1',b='x'", "3:a=null,b=''"}));
    EXPECT_EQ(read("\xef\xbb\xbf"
                   "a,b\r\n1,\"x, \"\"y\"\"\r\nz\"\r\n\r\n2,w",
                   FileFormat::kCsv),
              (Lines{"2:a='1',b='x, \"y\"\r\nz'", "5:a='2',b='w'"}));
    EXPECT_EQ(read("a;b\n1;\n", FileFormat::kCsv, ';'), (Lines{"2:a='1',b=null"}));
    EXPECT_EQ(read("a\n\nx\n", FileFormat::kCsv), (Lines{"2:a=null", "3:a='x'"}));
    EXPECT_EQ(read("a,b\n", FileFormat::kCsv), Lines{});
    EXPECT_EQ(read("a,b\n1,\n", FileFormat::kCsv), (Lines{"2:a='1',b=null"}));
}

TEST_F(Rows, CsvFaultsNameTheirLine) {
    EXPECT_THAT(read("", FileFormat::kCsv).back(), HasSubstr("empty"));
    EXPECT_THAT(read("a,a\n", FileFormat::kCsv).back(), HasSubstr("two columns are named 'a'"));
    EXPECT_THAT(read("a,\n", FileFormat::kCsv).back(), HasSubstr("no name"));
    EXPECT_THAT(read("a,b\n1\n", FileFormat::kCsv).back(), HasSubstr("line 2 has 1 fields, the header 2"));
    EXPECT_THAT(read("a,b\n1,2,3\n", FileFormat::kCsv).back(), HasSubstr("line 2 has 3 fields"));
    EXPECT_THAT(read("a\nx\"y\n", FileFormat::kCsv).back(), HasSubstr("line 2: a quote inside"));
    EXPECT_THAT(read("a\n\"x\"y\n", FileFormat::kCsv).back(), HasSubstr("line 2: text after"));
    EXPECT_THAT(read("a\n1\n\"x\ny", FileFormat::kCsv).back(), HasSubstr("line 3: a quoted field never ends"));
}

TEST_F(Rows, Ndjson) {
    EXPECT_EQ(read("{\"a\":1,\"b\":\"x\\n\\u00e9\"}\n\n {\"b\":null,\"c\":true} \r\n", FileFormat::kNdjson),
              (Lines{"1:a=1,b='x\né'", "3:b=null,c=true"}));
    EXPECT_EQ(read("{\"n\":9007199254740993,\"m\":1.10,\"k\":-1e400}", FileFormat::kNdjson),
              (Lines{"1:n=9007199254740993,m=1.10,k=-1e400"}));
    EXPECT_EQ(read("{\"n\":123456789012345678901234567890}", FileFormat::kNdjson),
              (Lines{"1:n=123456789012345678901234567890"}));
}

TEST_F(Rows, Json) {
    EXPECT_EQ(read(" [ {\"a\":1},\n{\"a\":false} ] \n", FileFormat::kJson), (Lines{"1:a=1", "2:a=false"}));
    EXPECT_EQ(read("[]", FileFormat::kJson), Lines{});
    // Rows that go over the pieces in which the file is read.
    std::string big = "[";
    for (int i = 0; i < 20'000; ++i) big += (i > 0 ? "," : "") + std::string("{\"number\":") + "1" + std::to_string(i) + ",\"text\":\"" + std::string(20, 'x') + "\"}";
    const auto rows = read(big + "]", FileFormat::kJson);
    ASSERT_EQ(rows.size(), 20'000u) << rows.back();
    EXPECT_EQ(rows[19'999], "20000:number=119999,text='xxxxxxxxxxxxxxxxxxxx'");
}

TEST_F(Rows, ListsAndObjectsAreValuesToo) {
    EXPECT_EQ(read("{\"a\":[1, 2.50,\"x\\n\",[],{}], \"b\":{\"k\":null,\"l\":[true,false]},\"c\":3}", FileFormat::kNdjson),
              (Lines{R"(1:a=[1,2.50,"x\n",[],{}],b={"k":null,"l":[true,false]},c=3)"}));
    EXPECT_EQ(read("[{\"a\":[[\"b\"]]},{\"a\":{}}]", FileFormat::kJson), (Lines{R"(1:a=[["b"]])", "2:a={}"}));
    EXPECT_THAT(read("{\"a\":" + std::string(200, '[') + std::string(200, ']') + "}", FileFormat::kNdjson).back(), HasSubstr("line 1: not JSON"));
}

TEST_F(Rows, JsonFaultsNameTheirLine) {
    EXPECT_THAT(read("{\"a\":1}\n{\"a\":}\n", FileFormat::kNdjson).back(), HasSubstr("line 2: not JSON"));
    EXPECT_THAT(read("{\"a\":1} x\n", FileFormat::kNdjson).back(), HasSubstr("line 1: not JSON"));
    EXPECT_THAT(read("{\"a\":1,\"a\":2}\n", FileFormat::kNdjson).back(), HasSubstr("'a' comes twice"));
    EXPECT_THAT(read("[1]\n", FileFormat::kNdjson).back(), HasSubstr("line 1: "));
    EXPECT_THAT(read("3\n", FileFormat::kNdjson).back(), HasSubstr("a value where an object"));
    EXPECT_THAT(read("{\"a\":\"\xff\"}\n", FileFormat::kNdjson).back(), HasSubstr("not JSON"));
    EXPECT_THAT(read("{\"a\":1}", FileFormat::kJson).back(), HasSubstr("--format ndjson"));
    EXPECT_THAT(read("[{\"a\":1},", FileFormat::kJson).back(), HasSubstr("not JSON"));
    EXPECT_THAT(read("[{\"a\":1}] x", FileFormat::kJson).back(), HasSubstr("not JSON"));
    EXPECT_THAT(read("[[1]]", FileFormat::kJson).back(), HasSubstr("a list where a row"));
    EXPECT_THAT(read(std::string(100'000, '['), FileFormat::kJson).back(), HasSubstr("row 0: "));
}

TEST_F(Rows, MissingFilesAndFolders) {
    EXPECT_EQ(open_rows("/no/such/file.csv", FileFormat::kCsv, ',').error().code, Code::kNotFound);
    EXPECT_EQ(open_rows("/tmp", FileFormat::kCsv, ',').error().code, Code::kInvalidArgument);
}

TEST_F(Rows, FormatByName) {
    EXPECT_EQ(*format_of_name("a/b.jsonl"), FileFormat::kNdjson);
    EXPECT_EQ(*format_of_name("b.csv"), FileFormat::kCsv);
    EXPECT_EQ(*format_of_name("b.json"), FileFormat::kJson);
    EXPECT_FALSE(format_of_name("b.txt"));
}

class ToValue : public testing::Test {
  protected:
    static Result<Value> made(model::Attribute attribute, CellKind kind, std::string text, FileFormat format = FileFormat::kCsv) {
        const model::Entity entity{.name = "e", .key = {.name = "id", .type = model::Type::kUuid}};
        attribute.name = "a";
        return to_value({kind, std::move(text)}, entity, attribute, format);
    }
    static Result<Value> made(model::Type type, CellKind kind, std::string text, FileFormat format = FileFormat::kCsv) {
        return made(model::Attribute{.type = type}, kind, std::move(text), format);
    }
};

TEST_F(ToValue, a_message_shortens_even_what_is_no_text) {
    const auto refused = made(model::Type::kInt, CellKind::kText, std::string(60, '\x86'));
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("…"));
}

TEST_F(ToValue, nothing_is_rounded) {
    using enum CellKind;
    EXPECT_EQ(*made(model::Type::kInt, kNumber, "9007199254740993"), Value{std::int64_t{9007199254740993}});
    EXPECT_EQ(*made(model::Type::kInt, kText, "-5"), Value{std::int64_t{-5}});
    for (const char* bad : {"1.5", "1e3", "9223372036854775808", ""}) EXPECT_FALSE(made(model::Type::kInt, kText, bad)) << bad;
    EXPECT_EQ(*made(model::Type::kInt, kTrue, ""), Value{std::int64_t{1}});
    EXPECT_EQ(*made(model::Type::kText, kNumber, "1.10"), Value{std::string("1.10")});
    EXPECT_FALSE(made(model::Type::kText, kTrue, ""));
    EXPECT_EQ(*made(model::Type::kInt, kNull, ""), Value{Null{}});
    EXPECT_EQ(*made(model::Type::kUuid, kText, "018F2A4C-0000-7000-8000-0123456789AB"), Value{std::string("018f2a4c-0000-7000-8000-0123456789ab")});
    EXPECT_FALSE(made(model::Type::kUuid, kText, "018f2a4c"));
    const model::Attribute price{.type = model::Type::kDecimal, .precision = 6, .scale = 2};
    EXPECT_EQ(*made(price, kNumber, "12.3"), Value{std::int64_t{1230}});
    EXPECT_EQ(*made(price, kText, "-0.05"), Value{std::int64_t{-5}});
    for (const char* bad : {"12.345", "1e2", "12345.00", "x"}) EXPECT_FALSE(made(price, kText, bad)) << bad;
}

TEST_F(ToValue, every_type_from_csv_and_from_json) {
    using enum CellKind;
    EXPECT_EQ(*made(model::Type::kReal, kText, "0.1"), Value{0.1});
    EXPECT_FALSE(made(model::Type::kReal, kText, "0,1"));
    EXPECT_EQ(*made(model::Type::kBool, kText, "TRUE"), Value{std::int64_t{1}});
    EXPECT_EQ(*made(model::Type::kBool, kNumber, "0"), Value{std::int64_t{0}});
    EXPECT_FALSE(made(model::Type::kBool, kText, "yes"));
    EXPECT_EQ(*made(model::Type::kDate, kText, "2026-11-21"), Value{std::string("2026-11-21")});
    EXPECT_FALSE(made(model::Type::kDate, kText, "21.11.2026"));
    EXPECT_FALSE(made(model::Type::kTimestamp, kNumber, "5"));
    EXPECT_EQ(*made(model::Type::kBlob, kText, "AP8="), Value{(Blob{0, 255})});
    EXPECT_EQ(*made(model::Type::kText, kText, "null"), Value{std::string("null")});
    EXPECT_EQ(*made(model::Attribute{.type = model::Type::kEnum, .values = {"a", "null"}}, kText, "null"), Value{std::string("null")});
    EXPECT_EQ(*made(model::Type::kJson, kText, R"({"b": 1, "a": 2})"), Value{std::string(R"({"a":2,"b":1})")});
    EXPECT_EQ(*made(model::Type::kJson, kText, "abc", FileFormat::kJson), Value{std::string("\"abc\"")});
    EXPECT_EQ(*made(model::Type::kJson, kTrue, "", FileFormat::kJson), Value{std::string("true")});
    EXPECT_EQ(*made(model::Type::kJson, kJson, "[1, 2]", FileFormat::kJson), Value{std::string("[1,2]")});
    EXPECT_EQ(*made(model::Type::kSet, kText, R"(["b","a","b"])"), Value{std::string(R"(["a","b"])")});
    EXPECT_EQ(*made(model::Type::kSet, kJson, R"(["b"])", FileFormat::kJson), Value{std::string(R"(["b"])")});
    EXPECT_FALSE(made(model::Type::kSet, kJson, "[1]", FileFormat::kJson));
    EXPECT_THAT(made(model::Type::kText, kJson, "[1]", FileFormat::kJson).error().message, HasSubstr("e.a: a list or an object is no text"));
}

TEST(DerivedUuid, IsStableOrderedAndTellsColumnsApart) {
    const auto number = [](std::string text) { return Cell{CellKind::kNumber, std::move(text)}; };
    const auto text = [](std::string t) { return Cell{CellKind::kText, std::move(t)}; };
    // Keys in existing databases depend on this value: do not change it.
    EXPECT_EQ(derived_uuid("place", {number("3413829")}), derived_uuid("place", {text("3413829")}));
    EXPECT_EQ(derived_uuid("place", {number("3413829")}).substr(0, 15), "00000034-1745-8");
    EXPECT_TRUE(is_canonical_uuid(derived_uuid("place", {text("é")})));
    EXPECT_LT(derived_uuid("place", {number("9")}), derived_uuid("place", {number("10")}));
    EXPECT_NE(derived_uuid("place", {number("1")}), derived_uuid("note", {number("1")}));
    EXPECT_NE(derived_uuid("a", {text("a"), text("bc")}), derived_uuid("a", {text("ab"), text("c")}));
    EXPECT_NE(derived_uuid("a", {Cell{}}), derived_uuid("a", {text("")}));
}

}  // namespace
}  // namespace skerry::cli
