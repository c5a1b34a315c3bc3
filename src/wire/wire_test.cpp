#include <gtest/gtest.h>

#include "base/random.hpp"
#include "wire/frame.hpp"
#include "wire/messages.hpp"
#include "wire/transaction.hpp"

namespace skerry::wire {
namespace {

model::Model outreach() {
    model::Model model{"outreach", 1, {}};
    model.entities.push_back({"place", {"id", model::Type::kText}, {{"name", model::Type::kText}, {"people", model::Type::kInt}}});
    model.entities.push_back({"tag", {"code", model::Type::kText}, {}});
    return model;
}

Transaction sample() {
    Transaction txn;
    txn.no = TxnNo{3};
    txn.id = SeededRandom(1).id<TxnId>();
    txn.made_at_us = -5;
    txn.needs = {TxnNo{1}, TxnNo{2}};
    Op insert{.kind = OpKind::kInsert, .entity = {0}, .key = "a", .row = {Value{std::string("x")}, Value{std::int64_t{5}}}, .changes = {}, .prev_row = TxnNo{2}};
    Op update{.kind = OpKind::kUpdate, .entity = {0}, .key = "b", .row = {}, .changes = {{1, Value{std::int64_t{1}}, Value{std::int64_t{2}}, TxnNo{1}}}, .prev_row = {}};
    Op gone{.kind = OpKind::kDelete, .entity = {1}, .key = "c", .row = {}, .changes = {}, .prev_row = {}, .base_hash = hash128("c")};
    txn.ops = {insert, update, gone};
    return txn;
}

Bytes payload_of(const Transaction& txn) {
    Bytes payload;
    Writer w(payload);
    put_transaction(w, txn);
    return payload;
}

TEST(Transaction, kept_as_it_is_names_attributes_of_its_model_only) {
    model::Model model{"m", 1, {}};
    model.entities.push_back({"e", {"id", model::Type::kText}, {{"a", model::Type::kText}}});
    Transaction txn{.no = TxnNo{1}, .id = TxnId::from(Bytes(16, 'i'))};
    txn.ops.push_back({.kind = OpKind::kUpdate, .entity = EntityIx{0}, .key = "k", .row = {}, .changes = {{0, Null{}, Value{std::int64_t{5}}, {}}}, .prev_row = {}});
    const auto kept = [&] {
        Bytes bytes;
        Writer out(bytes);
        put_transaction(out, txn);
        return get_kept_transaction(bytes, model);
    };
    EXPECT_TRUE(kept()) << "a value of another type is kept, to be shown";
    txn.ops[0].changes[0].attribute = 1;
    EXPECT_EQ(kept().error().code, Code::kDamagedFrame);
}

TEST(Frames, come_out_whole_however_they_are_cut) {
    Bytes body;
    put_header(body, Kind::kPullResponse);
    put_number(body, FrameType::kComplete, 7);
    put_empty(body, FrameType::kEnd);
    for (std::size_t chunk = 1; chunk <= body.size(); ++chunk) {
        FrameReader reader(Kind::kPullResponse);
        std::vector<FrameType> seen;
        for (std::size_t at = 0; at < body.size(); at += chunk) {
            reader.feed(BytesView(body).substr(at, chunk));
            for (;;) {
                auto frame = reader.next();
                ASSERT_TRUE(frame);
                if (!*frame) break;
                seen.push_back((*frame)->type);
            }
        }
        EXPECT_EQ(seen, (std::vector{FrameType::kComplete, FrameType::kEnd}));
        EXPECT_TRUE(reader.at_boundary());
    }
}

TEST(Frames, a_body_that_stops_anywhere_is_truncated_never_empty) {
    Bytes body;
    put_header(body, Kind::kPushResponse);
    put_number(body, FrameType::kExpect, 7);
    put_empty(body, FrameType::kEnd);
    ASSERT_TRUE(read_body(body, Kind::kPushResponse));
    EXPECT_EQ(read_body(body, Kind::kPushResponse)->size(), 2u);
    for (std::size_t n = 0; n < body.size(); ++n) {
        const auto cut = read_body(BytesView(body).substr(0, n), Kind::kPushResponse);
        ASSERT_FALSE(cut) << n;
        EXPECT_TRUE(cut.error().code == Code::kTruncated || cut.error().code == Code::kForeignAnswer);
    }
}

TEST(Frames, foreign_newer_and_damaged_bytes_are_refused_by_name) {
    EXPECT_EQ(read_body("<html>Sign in</html>", Kind::kPullResponse).error().code, Code::kForeignAnswer);
    Bytes body;
    put_header(body, Kind::kPullResponse);
    put_number(body, FrameType::kComplete, 7);
    put_empty(body, FrameType::kEnd);
    Bytes newer = body;
    newer[4] = 2;
    EXPECT_EQ(read_body(newer, Kind::kPullResponse).error().code, Code::kProtocolTooNew);
    EXPECT_EQ(read_body(body, Kind::kPushResponse).error().code, Code::kForeignAnswer);
    for (std::size_t at = kHeaderBytes; at < body.size(); ++at) {
        Bytes damaged = body;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
        EXPECT_FALSE(read_body(damaged, Kind::kPullResponse)) << at;
    }
    Bytes huge;
    put_header(huge, Kind::kPullResponse);
    Writer(huge).u8(38);
    Writer(huge).u32(UINT32_MAX);
    EXPECT_EQ(read_body(huge, Kind::kPullResponse).error().code, Code::kLimitExceeded);
}

TEST(Transactions, come_back_as_they_went) {
    const auto back = get_transaction(payload_of(sample()), outreach(), nullptr);
    ASSERT_TRUE(back) << describe(back.error());
    EXPECT_EQ(*back, sample());
}

TEST(Transactions, every_cut_and_every_flipped_byte_is_refused_or_well_formed) {
    const Bytes payload = payload_of(sample());
    for (std::size_t n = 0; n < payload.size(); ++n)
        EXPECT_FALSE(get_transaction(BytesView(payload).substr(0, n), outreach(), nullptr)) << n;
    for (std::size_t at = 0; at < payload.size(); ++at) {
        Bytes flipped = payload;
        flipped[at] = static_cast<char>(flipped[at] ^ 0xff);
        static_cast<void>(get_transaction(flipped, outreach(), nullptr));  // must not crash
    }
}

TEST(Transactions, what_contradicts_itself_is_refused_but_keeps_its_number) {
    Transaction twice = sample();
    twice.ops[2].entity = {0};
    twice.ops[2].key = "a";
    TxnHeader header;
    EXPECT_EQ(get_transaction(payload_of(twice), outreach(), &header).error().code, Code::kMalformedTxn);
    EXPECT_EQ(header.no, TxnNo{3});
    Transaction disordered = sample();
    std::swap(disordered.ops[0], disordered.ops[1]);
    EXPECT_EQ(get_transaction(payload_of(disordered), outreach(), nullptr).error().code, Code::kMalformedTxn);
    Transaction unknown = sample();
    unknown.ops[2].entity = {7};
    EXPECT_EQ(get_transaction(payload_of(unknown), outreach(), nullptr).error().code, Code::kUnknownEntity);
    Transaction needs_itself = sample();
    needs_itself.needs = {TxnNo{3}};
    EXPECT_EQ(get_transaction(payload_of(needs_itself), outreach(), nullptr).error().code, Code::kMalformedTxn);
    Transaction bad_value = sample();
    bad_value.ops[0].row[0] = std::string("a\0b", 3);
    EXPECT_EQ(get_transaction(payload_of(bad_value), outreach(), nullptr).error().code, Code::kValueInvalid);
}

TEST(Messages, come_back_as_they_went) {
    const auto one = [](const Bytes& framed) {
        Bytes body;
        put_header(body, Kind::kPullResponse);
        body += framed;
        FrameReader reader(Kind::kPullResponse);
        reader.feed(body);
        return Bytes((*reader.next())->payload);
    };
    Bytes bytes;
    put(bytes, Begin{.from = 9, .verify = true, .caught_up = true, .seen = {4}, .rows_left = 5, .scopes = {{{1}, "place", {0}, true}}});
    const auto begin = get_begin(one(bytes));
    ASSERT_TRUE(begin);
    EXPECT_EQ(begin->scopes.at(0).name, "place");
    EXPECT_TRUE(begin->verify && begin->caught_up && begin->seen == TxnNo{4});

    bytes.clear();
    put(bytes, Slice{{0}, {{1}}, "a", std::nullopt, {{"b", {{1}}, {Value{std::string("x")}, Value{Null{}}}}}});
    const auto slice = get_slice(one(bytes), outreach());
    ASSERT_TRUE(slice);
    EXPECT_EQ(slice->rows.at(0).key, "b");

    bytes.clear();
    put(bytes, Slice{{0}, {{1}}, "b", std::nullopt, {{"b", {}, {Value{Null{}}, Value{Null{}}}}}});
    EXPECT_FALSE(get_slice(one(bytes), outreach())) << "a row outside the slice's range";

    bytes.clear();
    put_outcomes(bytes, {{{1}, Verdict::kRejected, Code::kKeyTaken, {1}, "taken"}, {{2}, Verdict::kApplied, Code::kInternal, {}, ""}});
    const auto outcomes = get_outcomes(one(bytes));
    ASSERT_TRUE(outcomes);
    EXPECT_EQ(outcomes->at(0).code, Code::kKeyTaken);
    EXPECT_EQ(outcomes->at(1).verdict, Verdict::kApplied);

    bytes.clear();
    put(bytes, Pull{.device = DeviceId::from("0123456789abcdef"), .slice_rows = 50, .slice_rows_max = 500,
                    .resume = Spooled{"fedcba9876543210", 70'000}});
    const auto pull = get_pull(one(bytes));
    ASSERT_TRUE(pull);
    EXPECT_EQ(pull->slice_rows_max, 500u);
    EXPECT_EQ(pull->resume, (Spooled{"fedcba9876543210", 70'000}));

    bytes.clear();
    put(bytes, Have{{7}, 8, 9});
    const auto have = get_have(one(bytes));
    ASSERT_TRUE(have);
    EXPECT_TRUE(have->no == TxnNo{7} && have->content == 8 && have->bytes == 9);
}

TEST(Messages, a_part_lies_within_its_transaction_or_is_refused) {
    const auto back = [](const Part& part) {
        Bytes body;
        put_header(body, Kind::kPushRequest);
        put(body, part);
        FrameReader reader(Kind::kPushRequest);
        reader.feed(body);
        return get_part((*reader.next())->payload);
    };
    const auto good = back({{3}, 1, 2, 10, 4, "456789"});
    ASSERT_TRUE(good);
    EXPECT_TRUE(good->no == TxnNo{3} && good->id8 == 1 && good->content == 2 && good->total == 10 && good->offset == 4);
    EXPECT_EQ(good->bytes, "456789");
    EXPECT_TRUE(back({{3}, 1, 2, 10, 10, ""}));
    EXPECT_FALSE(back({{3}, 1, 2, 10, 5, "456789"})) << "beyond the end";
    EXPECT_FALSE(back({{3}, 1, 2, 10, UINT64_MAX, "4"})) << "an offset that overflows";
    EXPECT_FALSE(back({{0}, 1, 2, 10, 0, "0"})) << "no number";
    EXPECT_FALSE(back({{3}, 1, 2, 0, 0, ""})) << "of nothing";
    EXPECT_FALSE(back({{3}, 1, 2, kFrameBytesMax + 1, 0, "0"})) << "larger than a transaction may be";
    EXPECT_FALSE(back({{3}, 1, 2, kFrameBytesMax, 0, Bytes(kPartBytesMax + 1, 'x')})) << "larger than a part may be";
}

}  // namespace
}  // namespace skerry::wire
