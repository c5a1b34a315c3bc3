// Whatever a request says, its lines and its frames are the same: the lines are written here from the messages, with members in any
// order and spaces anywhere, and what is read from them is compared byte by byte with what a device would have sent.
#include <algorithm>

#include "base/random.hpp"
#include "base/text.hpp"
#include "model/json.hpp"
#include "wire/check.hpp"
#include "wire/json/answers.hpp"
#include "wire/json/object.hpp"
#include "wire/json/testing.hpp"
#include "wire/messages.hpp"

namespace skerry::wire::json {
namespace {

using testing::every_type;
using testing::read;

struct Maker {
    explicit Maker(std::uint64_t seed) : random(seed) {}

    SeededRandom random;
    model::Model model = every_type();

    std::uint64_t below(std::uint64_t n) { return random.below(n); }
    bool coin() { return below(2) == 0; }
    Bytes bytes(std::size_t n) {
        Bytes out(n, '\0');
        random.fill({reinterpret_cast<std::uint8_t*>(out.data()), n});
        return out;
    }
    std::string text(std::size_t most = 12) {
        static constexpr std::string_view kPieces[] = {"a", "Z", " ", "\"", "\\", "\n", "\x01", "é", "東", "😀", "\u2028", "/"};
        std::string out;
        for (std::uint64_t n = below(most); n > 0; --n) out += kPieces[below(std::size(kPieces))];
        return out;
    }
    std::int64_t integer() { return static_cast<std::int64_t>(random.u64() >> below(64)) * (coin() ? 1 : -1); }

    Value value(const model::Attribute& attribute) {
        if (below(5) == 0) return Null{};
        switch (attribute.type) {
            case model::Type::kInt: return integer();
            case model::Type::kReal: return static_cast<double>(integer()) / 1024;
            case model::Type::kDecimal: return integer() % 1'000'000'000'000'000'000;
            case model::Type::kBool: return std::int64_t{coin()};
            case model::Type::kDate: return std::string("2026-0") + std::to_string(1 + below(9)) + "-11";
            case model::Type::kJson: return "{\"a\":[1,2.5," + model::json_string(text()) + "]}";
            case model::Type::kSet: return std::string(coin() ? "[]" : "[\"a\",\"b\"]");
            case model::Type::kEnum: return attribute.values[below(attribute.values.size())];
            case model::Type::kBlob: {
                const Bytes b = bytes(below(40));
                return Blob(b.begin(), b.end());
            }
            default: return text();
        }
    }
    model::Row row(const model::Entity& entity) {
        model::Row out;
        for (const model::Attribute& attribute : entity.attributes) out.push_back(value(attribute));
        return out;
    }
    std::vector<TxnNo> numbers(std::uint64_t before) {
        std::vector<TxnNo> out;
        for (std::uint64_t n = 1; n < before; ++n)
            if (below(4) == 0) out.push_back(TxnNo{n});
        return out;
    }

    // ---- as lines ----
    using Members = std::vector<std::pair<std::string, std::string>>;
    std::string space() { return std::string(below(2), ' ') + std::string(below(2), '\t'); }
    std::string object(Members members) {
        for (std::size_t i = members.size(); i > 1; --i) std::swap(members[i - 1], members[below(i)]);
        std::string out = space() + "{";
        for (std::size_t i = 0; i < members.size(); ++i)
            out += (i > 0 ? "," : "") + space() + quoted(members[i].first) + space() + ":" + space() + members[i].second + space();
        return out + "}";
    }
    template <class List, class Write>
    std::string list(const List& elements, Write write) {
        std::string out = "[" + space();
        for (const auto& element : elements) out += (out.find_first_not_of("[ \t") == std::string::npos ? "" : ",") + write(element);
        return out + "]";
    }
    std::string quoted(std::string_view text) { return model::json_string(text); }
    std::string of(const model::Attribute& attribute, const Value& value) {
        std::string out;
        model::append_json(out, attribute, value);
        return out;
    }
    std::string numbers_line(const std::vector<TxnNo>& all) {
        return list(all, [](TxnNo no) { return std::to_string(no.value); });
    }
    std::string chosen_line(const std::vector<Chosen>& all) {
        Members members;
        for (const Chosen& one : all) members.emplace_back(one.name, list(one.values, [&](const std::string& v) { return quoted(v); }));
        return object(members);
    }
    Members range_members(const KeyRange& range) {
        Members members{{"entity", quoted(model.entity(range.entity).name)}, {"after", quoted(range.after)}};
        if (range.upto || coin()) members.emplace_back("upto", range.upto ? quoted(*range.upto) : "null");
        return members;
    }
    std::string op_line(const Op& op) {
        const model::Entity& entity = model.entity(op.entity);
        Members members{{"entity", quoted(entity.name)}, {"key", quoted(op.key)}};
        if (op.prev_row || (op.kind == OpKind::kInsert && coin())) members.emplace_back("previous", std::to_string(op.prev_row.value));
        const bool version = op.kind == OpKind::kDelete || op.row_version;
        if (version && !op.prev_row) members.emplace_back("version", quoted(hex(view_of(op.base_hash))));
        Members inner;
        if (op.kind == OpKind::kInsert) {
            members.emplace_back("operation", "\"insert\"");
            for (std::size_t i = 0; i < op.row.size(); ++i)
                if (op.row[i] != model::default_of(entity.attributes[i]) || coin())
                    inner.emplace_back(entity.attributes[i].name, of(entity.attributes[i], op.row[i]));
            members.emplace_back("values", object(inner));
        } else if (op.kind == OpKind::kUpdate) {
            members.emplace_back("operation", "\"update\"");
            for (const Change& change : op.changes) {
                const model::Attribute& attribute = entity.attributes[change.attribute];
                Members one{{"old", of(attribute, change.old_value)}, {"new", of(attribute, change.new_value)}};
                if (change.prev || coin()) one.emplace_back("previous", std::to_string(change.prev.value));
                inner.emplace_back(attribute.name, object(one));
            }
            members.emplace_back("changes", object(inner));
        } else {
            members.emplace_back("operation", "\"delete\"");
        }
        return object(members);
    }
    std::string line(const Transaction& txn) {
        Members members{{"frame", "\"transaction\""}, {"number", std::to_string(txn.no.value)}, {"id", quoted(hex(txn.id.view()))},
                        {"made_at_us", std::to_string(txn.made_at_us)}};
        if (txn.strict || coin()) members.emplace_back("strict", txn.strict ? "true" : "false");
        if (!txn.needs.empty() || coin()) members.emplace_back("needs", numbers_line(txn.needs));
        if (!txn.redo_of.empty()) members.emplace_back("redo_of", numbers_line(txn.redo_of));
        if (!txn.asserts.empty())
            members.emplace_back("asserts", list(txn.asserts, [&](const Assert& one) {
                return object({{"entity", quoted(model.entity(one.entity).name)}, {"key", quoted(one.key)}, {"expression", quoted(one.expression)}});
            }));
        std::vector<Op> mixed = txn.ops;
        for (std::size_t i = mixed.size(); i > 1; --i) std::swap(mixed[i - 1], mixed[below(i)]);
        members.emplace_back("operations", list(mixed, [&](const Op& op) { return op_line(op); }));
        return object(members) + "\n";
    }

    // ---- messages ----
    Transaction transaction(std::uint64_t no) {
        Transaction txn;
        txn.no = TxnNo{no};
        txn.id = random.id<TxnId>();
        txn.made_at_us = static_cast<std::int64_t>(below(1u << 30));
        txn.strict = coin();
        txn.needs = numbers(no);
        txn.redo_of = numbers(no);
        for (std::uint64_t n = below(3); n > 0; --n) txn.asserts.push_back({{static_cast<std::uint32_t>(below(2))}, text(), text()});
        for (std::uint64_t n = below(6); n > 0; --n) {
            Op op;
            op.kind = static_cast<OpKind>(1 + below(3));
            op.entity.value = static_cast<std::uint32_t>(below(2));
            const model::Entity& entity = model.entity(op.entity);
            op.key = std::to_string(n) + text();
            if (op.kind == OpKind::kInsert) op.row = row(entity);
            if (op.kind == OpKind::kUpdate) op.row_version = coin();
            if (op.kind == OpKind::kUpdate)
                for (std::uint32_t i = 0; i < entity.attributes.size(); ++i)
                    if (coin()) op.changes.push_back({i, value(entity.attributes[i]), value(entity.attributes[i]), TxnNo{below(3)}});
            const bool version = op.kind == OpKind::kDelete || op.row_version;
            if (op.kind == OpKind::kInsert || (version && coin())) op.prev_row = TxnNo{1 + below(3)};
            if (version && !op.prev_row) op.base_hash = hash128(op.key);
            txn.ops.push_back(std::move(op));
        }
        sort_ops(txn.ops);
        return txn;
    }
    std::vector<Chosen> chosen() {
        std::vector<Chosen> all;
        for (const std::string_view name : {"area", "zone"})
            if (coin()) all.push_back({std::string(name), {text(), text()}});
        return all;
    }
    KeyRange range() {
        KeyRange out{{static_cast<std::uint32_t>(below(2))}, text(), std::nullopt};
        if (coin()) out.upto = text();
        return out;
    }
    std::vector<RowEntry> rows(const model::Entity& entity) {
        std::vector<RowEntry> out;
        for (std::uint64_t n = 1; n < 1 + below(5); ++n) out.push_back({std::to_string(n) + "k" + std::string(n, 'x'), {{static_cast<std::uint32_t>(n)}}, row(entity)});
        return out;
    }
};

Bytes finished(Kind kind, const Bytes& frames) {
    Bytes out;
    put_header(out, kind);
    out += frames;
    put_empty(out, FrameType::kEnd);
    return out;
}

constexpr std::uint64_t kWorlds = 300;

TEST(LinesProperty, a_push_in_lines_is_the_push_in_frames) {
    for (std::uint64_t seed = 1; seed <= kWorlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Maker maker(seed);
        const DeviceId device = maker.random.id<DeviceId>();
        PushHello hello{device, maker.model.hash(), TxnNo{maker.below(9)}};
        Bytes frames;
        put(frames, hello);
        std::string lines = maker.object({{"frame", "\"push\""}, {"device", maker.quoted(hex(device.view()))},
                                          {"model_hash", maker.quoted(number_hex(hello.model_hash))}, {"keep_from", std::to_string(hello.keep_from.value)}}) + "\r\n\n";
        for (std::uint64_t no = 1; no <= maker.below(4); ++no) {
            const Transaction txn = maker.transaction(no);
            put(frames, txn);
            lines += maker.line(txn);
        }
        const auto got = read(lines, Kind::kPushRequest, maker.model);
        ASSERT_TRUE(got) << describe(got.error()) << "\n" << lines;
        EXPECT_EQ(got->body, finished(Kind::kPushRequest, frames)) << lines;
        EXPECT_EQ(got->device, device);
    }
}

TEST(LinesProperty, enrolments_pulls_and_checks_in_lines_are_those_in_frames) {
    for (std::uint64_t seed = 1; seed <= kWorlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Maker maker(seed);
        const DeviceId device = maker.random.id<DeviceId>();
        const std::string id = maker.quoted(hex(device.view()));
        const auto expect = [&](const std::string& line, Kind kind, const auto& message) {
            Bytes frames;
            put(frames, message);
            const auto got = read(line, kind, maker.model);
            ASSERT_TRUE(got) << describe(got.error()) << "\n" << line;
            EXPECT_EQ(got->body, finished(kind, frames)) << line;
        };
        const Enroll enroll{device, maker.text(), 0};
        expect(maker.object({{"frame", "\"enroll\""}, {"device", id}, {"name", maker.quoted(enroll.name)}}), Kind::kEnrollRequest, enroll);

        Pull pull{.device = device, .model_hash = maker.model.hash(), .keep_from = {maker.below(5)}, .live = maker.coin(), .verify = maker.coin(),
                  .only_first = maker.coin(), .slice_rows = static_cast<std::uint32_t>(maker.below(100)), .slice_rows_max = 200, .token = maker.bytes(maker.below(50))};
        if (maker.coin()) pull.first = {{1}, {0}};
        pull.chosen = maker.chosen();
        for (std::uint64_t n = maker.below(3); n > 0; --n) pull.repair.push_back(maker.range());
        const auto flag = [](bool v) { return std::string(v ? "true" : "false"); };
        expect(maker.object({{"frame", "\"pull\""}, {"device", id}, {"keep_from", std::to_string(pull.keep_from.value)}, {"live", flag(pull.live)},
                             {"verify", flag(pull.verify)}, {"only_first", flag(pull.only_first)}, {"slice_rows", std::to_string(pull.slice_rows)},
                             {"slice_rows_max", "200"}, {"token", maker.quoted(base64(pull.token))},
                             {"first", maker.list(pull.first, [&](EntityIx ix) { return maker.quoted(maker.model.entity(ix).name); })},
                             {"chosen", maker.chosen_line(pull.chosen)},
                             {"repair", maker.list(pull.repair, [&](const KeyRange& range) { return maker.object(maker.range_members(range)); })}}),
               Kind::kPullRequest, pull);

        Check check{device, maker.model.hash(), maker.bytes(20), maker.chosen(), {}};
        for (std::uint64_t n = maker.below(3); n > 0; --n) check.ranges.push_back({maker.range(), {maker.below(9), maker.random.u64(), maker.random.u64()}});
        expect(maker.object({{"frame", "\"check\""}, {"device", id}, {"token", maker.quoted(base64(check.token))}, {"chosen", maker.chosen_line(check.chosen)},
                             {"ranges", maker.list(check.ranges, [&](const CheckRange& one) {
                                  Bytes sum;
                                  Writer w(sum);
                                  w.u64(one.digest.low);
                                  w.u64(one.digest.high);
                                  auto members = maker.range_members(one.range);
                                  members.emplace_back("count", std::to_string(one.digest.count));
                                  members.emplace_back("sum", maker.quoted(hex(sum)));
                                  return maker.object(members);
                              })}}),
               Kind::kCheckRequest, check);
    }
}

// Whole and in pieces an answer becomes the same lines; each is one JSON object, and its rows say what the frames' rows hold.
TEST(LinesProperty, every_answer_frame_becomes_one_line_that_says_the_same) {
    for (std::uint64_t seed = 1; seed <= kWorlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Maker maker(seed);
        const EntityIx ix{static_cast<std::uint32_t>(maker.below(2))};
        const model::Entity& entity = maker.model.entity(ix);
        const auto rows = maker.rows(entity);
        Bytes body;
        put_header(body, Kind::kPullResponse);
        put(body, Begin{.from = maker.random.u64(), .verify = maker.coin(), .caught_up = maker.coin(), .seen = {3}, .rows_left = 9, .profile = maker.text(),
                        .scopes = {{{1}, maker.text(), ix, true}}});
        put_outcomes(body, {{{1}, Verdict::kRejected, Code::kKeyTaken, {1}, maker.text()}, {{2}, Verdict::kSettledBefore, Code::kInternal, {}, "", 77}});
        put(body, Lines{ix, {4}, {maker.text(), maker.text()}});
        put(body, Rows{ix, rows});
        put(body, Leaves{ix, {4}, {maker.text()}, maker.coin() ? Left::kDeleted : Left::kMoved});
        put_number(body, FrameType::kLostScope, maker.below(1000));
        put(body, Slice{ix, {{1}, {2}}, "", maker.coin() ? std::optional<std::string>("z") : std::nullopt, rows});
        put_number(body, FrameType::kComplete, 8);
        put(body, Checkpoint{maker.bytes(1 + maker.below(50)), maker.coin()});
        put_empty(body, FrameType::kHeartbeat);
        put_empty(body, FrameType::kEnd);

        Bytes whole;
        ASSERT_TRUE(AnswerLines(Kind::kPullResponse, maker.model, {}).feed(body, whole));
        AnswerLines pieces(Kind::kPullResponse, maker.model, {});
        Bytes pieced;
        for (std::size_t at = 0; at < body.size();) {
            const std::size_t n = 1 + maker.below(40);
            ASSERT_TRUE(pieces.feed(BytesView(body).substr(at, n), pieced));
            at += n;
        }
        EXPECT_EQ(whole, pieced);

        std::size_t lines = 0;
        for (std::size_t at = 0; at < whole.size(); ++lines) {
            const std::size_t end = whole.find('\n', at);
            ASSERT_NE(end, Bytes::npos);
            const auto members = model::json_members(BytesView(whole).substr(at, end - at));
            ASSERT_TRUE(members) << whole.substr(at, end - at);
            at = end + 1;
            const auto list = std::find_if(members->begin(), members->end(), [](const auto& m) { return m.first == "rows"; });
            if (list == members->end()) continue;
            const auto said = model::json_elements(list->second);
            ASSERT_EQ(said->size(), rows.size());
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto parts = model::json_members((*said)[i]);
                std::map<std::string, std::string> row(parts->begin(), parts->end());
                EXPECT_EQ(model::json_string_content(row.at("key")).value(), rows[i].key);
                EXPECT_EQ(model::json_string_content(row.at("version")).value(), hex(view_of(model::row_hash(entity, rows[i].row))));
                const auto values = model::json_members(row.at("values"));
                ASSERT_EQ(values->size(), entity.attributes.size());
                for (const auto& [name, json] : *values) {
                    const std::uint32_t attribute = *entity.attribute_named(name);
                    EXPECT_EQ(model::value_from_json(entity, entity.attributes[attribute], json).value(), rows[i].row[attribute]);
                }
            }
        }
        EXPECT_EQ(lines, 11u);
    }
}

// Bytes of a good request with some changed: read or refused, and what is read is a whole body.
TEST(LinesProperty, altered_lines_are_read_or_refused_with_their_line) {
    std::size_t refused = 0;
    for (std::uint64_t seed = 1; seed <= 10 * kWorlds; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Maker maker(seed);
        std::string lines = "{\"frame\":\"push\",\"device\":\"" + std::string(testing::kDevice) + "\"}\n" + maker.line(maker.transaction(2));
        for (std::uint64_t n = 1 + maker.below(3); n > 0; --n) {
            const std::size_t at = maker.below(lines.size());
            switch (maker.below(3)) {
                case 0: lines[at] = "{}[]\",:0e-n\n\\u"[maker.below(14)]; break;
                case 1: lines.erase(at, 1 + maker.below(5)); break;
                default: lines.insert(at, lines.substr(maker.below(lines.size()), maker.below(30)));
            }
        }
        const auto got = read(lines, Kind::kPushRequest, maker.model);
        if (got) {
            EXPECT_TRUE(read_body(got->body, Kind::kPushRequest));
        } else {
            ++refused;
            EXPECT_EQ(got.error().code, Code::kInvalidArgument) << lines;
            EXPECT_TRUE(got.error().message.starts_with("line ") || got.error().message == "the request has no line") << got.error().message;
        }
    }
    EXPECT_GT(refused, 1000u);
}

}  // namespace
}  // namespace skerry::wire::json
