#include "base/text.hpp"
#include "model/json.hpp"
#include "wire/check.hpp"
#include "wire/continuing.hpp"
#include "wire/json/answers.hpp"
#include "wire/json/object.hpp"
#include "wire/json/testing.hpp"
#include "wire/messages.hpp"

namespace skerry::wire::json {
namespace {

using testing::every_type;
using testing::kDevice;
using testing::read;

const model::Model& lines_model() {
    static const model::Model model = every_type();
    return model;
}

std::string head(std::string_view frame) { return "{\"frame\":\"" + std::string(frame) + "\",\"device\":\"" + std::string(kDevice) + "\"}\n"; }

// A push of one transaction with one operation.
std::string with_operation(std::string_view operation) {
    return head("push") + "{\"frame\":\"transaction\",\"number\":1,\"id\":\"" + std::string(kDevice) + "\",\"operations\":[" + std::string(operation) + "]}";
}

Transaction only_transaction(std::string_view lines) {
    const auto request = read(lines, Kind::kPushRequest, lines_model());
    EXPECT_TRUE(request) << describe(request.error());
    if (!request) return {};
    const auto frames = read_body(request->body, Kind::kPushRequest);
    auto txn = get_transaction(frames->at(1).payload, lines_model(), nullptr);
    EXPECT_TRUE(txn) << describe(txn.error());
    return txn.value_or(Transaction{});
}

std::string refusal(std::string_view lines, Kind kind = Kind::kPushRequest, Code code = Code::kInvalidArgument) {
    const auto got = read(lines, kind, lines_model());
    EXPECT_FALSE(got) << lines;
    if (got) return "";
    EXPECT_EQ(got.error().code, code) << got.error().message;
    return got.error().message;
}

std::string lines_of(Kind kind, const Bytes& frames, const DeviceId& device = {}) {
    Bytes body;
    put_header(body, kind);
    body += frames;
    Bytes out;
    EXPECT_TRUE(AnswerLines(kind, lines_model(), device).feed(body, out));
    return out;
}

TEST(Lines, of_an_insert_name_what_they_like_and_the_rest_has_its_default) {
    const Transaction txn = only_transaction(with_operation(
        R"({"operation":"insert","entity":"thing","key":"k","values":{"price":"12.5","weight":2,"open":true,"photo":"AQI=","tags":["b","a","b"],"notes":{"b":1,"a":null}}})"));
    ASSERT_EQ(txn.ops.size(), 1u);
    const model::Row expected{Null{}, std::int64_t{7}, 2.0, std::int64_t{1250}, std::int64_t{1}, Null{}, std::string(R"({"a":null,"b":1})"), Blob{1, 2},
                              std::string(R"(["a","b"])"), Null{}};
    EXPECT_EQ(txn.ops[0].row, expected);
}

TEST(Lines, keep_integers_of_64_bits_and_decimals_of_18_digits_to_the_digit) {
    const auto row = [](std::string_view values) {
        return only_transaction(with_operation(R"({"operation":"insert","entity":"thing","key":"k","values":)" + std::string(values) + "}")).ops.at(0).row;
    };
    EXPECT_EQ(row(R"({"count":"9223372036854775807"})").at(1), Value{INT64_MAX});
    EXPECT_EQ(row(R"({"count":9007199254740991})").at(1), Value{std::int64_t{9007199254740991}});
    EXPECT_EQ(row(R"({"price":"9999999999999999.99"})").at(3), Value{std::int64_t{999'999'999'999'999'999}});
    EXPECT_NE(refusal(with_operation(R"({"operation":"insert","entity":"thing","key":"k","values":{"count":9223372036854775807}})")).find("as a string"), std::string::npos);
    // A number that is rounded where it is read must not be taken for another one.
    for (const std::string_view count : {"9007199254740992", "9007199254740993.0", "-9007199254740993.0", "9.007199254740993e15"})
        EXPECT_NE(refusal(with_operation(R"({"operation":"insert","entity":"thing","key":"k","values":{"count":)" + std::string(count) + "}}")).find("as a string"), std::string::npos) << count;
    EXPECT_EQ(row(R"({"count":9007199254740991.0})").at(1), Value{std::int64_t{9007199254740991}});
    EXPECT_NE(refusal(with_operation(R"({"operation":"insert","entity":"thing","key":"k","values":{"price":12.5}})")).find("as text"), std::string::npos);
}

TEST(Lines, of_an_update_tell_an_old_blob_whole_and_a_large_one_travels_as_its_hash) {
    const Blob large(model::kOldBlobBytesMax + 1, 9);
    const Transaction txn = only_transaction(with_operation(R"({"operation":"update","entity":"thing","key":"k","changes":{"photo":{"old":")" +
                                                            base64(view_of(large)) + R"(","new":"AQI="}}})"));
    EXPECT_EQ(txn.ops.at(0).changes.at(0).old_hash, model::value_hash(Value{large}));
    EXPECT_EQ(txn.ops[0].changes[0].new_value, (Value{Blob{1, 2}}));
}

TEST(Lines, in_any_order_come_out_in_the_order_of_the_frames) {
    const Transaction txn = only_transaction(with_operation(
        R"({"operation":"delete","entity":"tag","key":"a","previous":1},)"
        R"({"operation":"update","entity":"thing","key":"b","changes":{"count":{"old":1,"new":2},"name":{"old":null,"new":"x"}}},)"
        R"({"operation":"insert","entity":"thing","key":"a","values":{}})"));
    EXPECT_EQ(txn.ops.at(0).key, "a");
    EXPECT_EQ(txn.ops.at(1).changes.at(0).attribute, 0u);
    EXPECT_EQ(txn.ops.at(2).kind, OpKind::kDelete);
}

TEST(Lines, that_are_wrong_are_refused_by_name_with_their_line) {
    const auto says = [](const std::string& message, std::string_view what) {
        EXPECT_NE(message.find(what), std::string::npos) << message;
    };
    says(refusal(""), "no line");
    says(refusal(" \n\r\n"), "no line");
    says(refusal("<html>"), "line 1: JSON");
    says(refusal("[]"), "line 1");
    says(refusal("{\"frame\":\"pull\"}"), "\"pull\"");
    says(refusal("{\"frame\":\"push\",\"device\":\"zz\"}"), "32 hexadecimal digits");
    says(refusal("{\"frame\":\"push\",\"device\":\"00000000000000000000000000000000\"}"), "not 0");
    says(refusal("{\"frame\":\"push\",\"frame\":\"push\"}"), "twice");
    says(refusal(head("push") + "\n\n" + head("push")), "line 4");
    says(refusal(head("push") + "{\"frame\":\"part\"}"), "no frame \"part\"");
    says(refusal(head("push") + "{\"frame\":\"transaction\",\"id\":\"" + std::string(kDevice) + "\"}"), "\"number\" is missing");
    says(refusal(head("push") + "{\"frame\":\"transaction\",\"number\":0,\"id\":\"" + std::string(kDevice) + "\"}"), "from 1");
    for (const std::string_view number : {"-1", "1.5", "\"1\"", "1e300", "true", "9007199254740992"})
        says(refusal(head("push") + "{\"frame\":\"transaction\",\"number\":" + std::string(number) + "}"), "line 2: \"number\"");
    says(refusal(with_operation("7")), "operation 1");
    says(refusal(with_operation(R"({"operation":"drop","entity":"tag","key":"a"})")), "no operation \"drop\"");
    says(refusal(with_operation(R"({"operation":"insert","entity":"nothing","key":"a","values":{}})")), "no entity \"nothing\"");
    says(refusal(with_operation(R"({"operation":"insert","entity":"tag","key":"a","values":{"code":"b"}})")), "no attribute \"code\"");
    says(refusal(with_operation(R"({"operation":"insert","entity":"tag","key":"a","values":{},"typo":1})")), "no member \"typo\"");
    says(refusal(with_operation(R"({"operation":"insert","entity":"thing","key":"a","values":{"day":"2026-02-30"}})")), "thing.day");
    says(refusal(with_operation(R"({"operation":"update","entity":"tag","key":"a","changes":{"thing_id":{"new":"b"}}})")), "\"old\" is missing");
    says(refusal(with_operation(R"({"operation":"delete","entity":"tag","key":"a"})")), "version");
    says(refusal(with_operation(R"({"operation":"delete","entity":"tag","key":"a","previous":1,"version":"0"})")), "both");
    const std::string pull = head("pull").substr(0, head("pull").size() - 2);
    says(refusal(pull + ",\"first\":[\"nothing\"]}", Kind::kPullRequest), "\"nothing\"");
    says(refusal(pull + ",\"token\":\"*\"}", Kind::kPullRequest), "base64");
    says(refusal(pull + ",\"live\":1}", Kind::kPullRequest), "true nor false");
    says(refusal(pull + ",\"chosen\":[]}", Kind::kPullRequest), "chosen");
    says(refusal(pull + ",\"resume\":{}}", Kind::kPullRequest), "\"resume\"");
    says(refusal(head("pull") + head("pull"), Kind::kPullRequest), "line 2");
    says(refusal(pull + ",\"model_hash\":\"0000000000000000\"}", Kind::kPullRequest, Code::kModelMismatch), "model");
}

TEST(Lines, nested_too_deep_are_refused) {
    for (const std::size_t depth : {101u, 100'000u}) {
        const std::string deep = std::string(depth, '[') + std::string(depth, ']');
        EXPECT_NE(refusal("{\"frame\":" + deep + "}").find("too deep"), std::string::npos);
    }
}

TEST(Lines, beyond_a_limit_are_refused) {
    const Code limit = Code::kLimitExceeded;
    std::string many = head("push");
    for (std::size_t i = 0; i <= kPushTxnsMax; ++i) many += "{\"frame\":\"transaction\",\"number\":1,\"id\":\"" + std::string(kDevice) + "\"}\n";
    refusal(many, Kind::kPushRequest, limit);
    std::string rows = R"({"operation":"insert","entity":"tag","key":"a","values":{}})";
    std::string operations = rows;
    for (std::size_t i = 0; i < kTxnRowsMax; ++i) operations += "," + rows;
    refusal(with_operation(operations), Kind::kPushRequest, limit);
    const std::string pull = head("pull").substr(0, head("pull").size() - 2);
    refusal(pull + ",\"token\":\"" + base64(Bytes(kTokenBytesMax + 1, 'x')) + "\"}", Kind::kPullRequest, limit);
    std::string names;
    for (std::size_t i = 0; i <= model::kPrincipalValuesMax; ++i) names += (i > 0 ? "," : "") + model::json_string("n" + std::to_string(i)) + ":[]";
    refusal(pull + ",\"chosen\":{" + names + "}}", Kind::kPullRequest, limit);
    refusal(head("enroll").substr(0, head("enroll").size() - 2) + ",\"name\":\"" + std::string(kDeviceNameMax + 1, 'n') + "\"}", Kind::kEnrollRequest, limit);
}

// A few bytes must not become gigabytes because the model's defaults are long.
TEST(Lines, whose_defaults_make_them_long_are_refused_by_what_they_stand_for) {
    model::Model model = every_type();
    model.entities[1].attributes.push_back({"text", model::Type::kText, model::Merge::kLast, false, Value{std::string(1u << 20, 'd')}});
    std::string operations;
    for (int i = 0; i < 20; ++i) operations += std::string(i > 0 ? "," : "") + R"({"operation":"insert","entity":"tag","key":")" + std::to_string(i) + R"(","values":{}})";
    EXPECT_EQ(read(with_operation(operations), Kind::kPushRequest, model).error().code, Code::kLimitExceeded);
    const std::string one = with_operation(R"({"operation":"insert","entity":"tag","key":"a","values":{}})");
    EXPECT_TRUE(read(one, Kind::kPushRequest, model));
    EXPECT_EQ(read(one, Kind::kPushRequest, model, 100'000).error().code, Code::kLimitExceeded);
}

TEST(Lines, of_answers_read_as_the_page_shows_them) {
    Bytes frames;
    put_verdict(frames, {{3}, Verdict::kRejected, Code::kKeyTaken, {2}, "taken", 0x0102030405060708});
    put_number(frames, FrameType::kExpect, 4);
    put(frames, Failure{Code::kServerBusy, "the server is busy", 1000});
    EXPECT_EQ(lines_of(Kind::kPushResponse, frames),
              R"({"frame":"verdict","number":3,"id8":"0807060504030201","verdict":"rejected","code":"key_taken","message":"taken","root":2})" "\n"
              R"({"frame":"expect","number":4})" "\n"
              R"({"frame":"error","code":"server_busy","message":"the server is busy","retry_after_ms":1000})" "\n");
    frames.clear();
    put(frames, Spooled{"0123456789abcdef", 0});
    put(frames, Checkpoint{"token", true});
    put_empty(frames, FrameType::kEnd);
    EXPECT_EQ(lines_of(Kind::kPullResponse, frames),
              "{\"frame\":\"checkpoint\",\"token\":\"dG9rZW4=\",\"next\":\"" + number_hex(continues({}, "token")) + "\",\"more\":true}\n{\"frame\":\"end\"}\n");
    frames.clear();
    put(frames, Differs{3, {{"a", hash128("a")}}, {}});
    put(frames, Differs{4, {}, {{"m", {2, 3, 4}}, {std::nullopt, {1, 1, 1}}}});
    put_empty(frames, FrameType::kMoved);
    EXPECT_EQ(lines_of(Kind::kCheckResponse, frames),
              "{\"frame\":\"differs\",\"index\":3,\"rows\":[{\"key\":\"a\",\"hash\":\"" + hex(view_of(hash128("a"))) + "\"}],\"parts\":[]}\n"
              R"({"frame":"differs","index":4,"rows":[],"parts":[{"upto":"m","count":2,"sum":"03000000000000000400000000000000"},)"
              R"({"upto":null,"count":1,"sum":"01000000000000000100000000000000"}]})" "\n"
              R"({"frame":"moved"})" "\n");
}

TEST(Lines, of_an_enrolment_describe_the_model_and_name_what_the_first_pull_continues) {
    const DeviceId device = DeviceId::from("0123456789abcdef");
    Bytes frames;
    put(frames, Enrolled{lines_model().compile(), "anna"});
    const std::string line = lines_of(Kind::kEnrollResponse, frames, device);
    ASSERT_TRUE(model::canonical_json(line)) << line;
    const auto has = [&](const std::string& part) { EXPECT_NE(line.find(part), std::string::npos) << part << "\n" << line; };
    has("\"model_hash\":\"" + number_hex(lines_model().hash()) + "\"");
    has("\"from\":\"" + number_hex(continues(device, {})) + "\"");
    has(R"({"name":"thing","key":{"name":"id","type":"text"},"conflict":"merge","strict":false,"attributes":[)");
    has(R"({"name":"count","type":"int","merge":"last","required":false,"default":7})");
    has(R"({"name":"price","type":"decimal","merge":"last","required":false,"precision":18,"scale":2})");
    has(R"({"name":"thing_id","type":"text","merge":"last","required":false,"references":"thing","on_delete":"restrict"})");
    has(R"("values":["new","old"])");
}

TEST(Lines, are_json_even_of_a_key_that_is_no_text) {
    Bytes frames;
    put(frames, Leaves{{0}, {4}, {"a\xff\x80z", std::string("n\0", 2), "\x7f" "é"}, Left::kDeleted});
    const std::string line = lines_of(Kind::kPullResponse, frames);
    EXPECT_EQ(line, "{\"frame\":\"leaves\",\"entity\":\"thing\",\"scope\":4,\"keys\":[\"a\uFFFD\uFFFDz\",\"n\uFFFD\",\"\x7f" "é\"],\"why\":\"deleted\"}\n");
    EXPECT_TRUE(model::json_members(line));
}

TEST(Lines, keep_numbers_that_no_double_holds_as_strings) {
    Bytes frames;
    put_number(frames, FrameType::kExpect, (std::uint64_t{1} << 53) - 1);
    put_number(frames, FrameType::kExpect, std::uint64_t{1} << 53);
    EXPECT_EQ(lines_of(Kind::kPushResponse, frames), "{\"frame\":\"expect\",\"number\":9007199254740991}\n{\"frame\":\"expect\",\"number\":\"9007199254740992\"}\n");
}

TEST(Lines, end_where_the_answer_is_damaged) {
    Bytes body;
    put_header(body, Kind::kPullResponse);
    put_number(body, FrameType::kComplete, 7);
    put(body, Rows{{9}, {}});
    Bytes out;
    AnswerLines lines(Kind::kPullResponse, lines_model(), {});
    EXPECT_EQ(lines.feed(body, out).error().code, Code::kDamagedFrame);
    EXPECT_EQ(out, "{\"frame\":\"complete\",\"scope\":7}\n");
}

}  // namespace
}  // namespace skerry::wire::json
