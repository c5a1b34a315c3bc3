// Rows in columns come back as they went, whatever is in them, and a hostile column costs no more than its bytes.
#include "wire/columns.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/text.hpp"
#include "model/value.hpp"

namespace skerry::wire {
namespace {

using model::Type;

model::Entity entity() {
    return {"thing", {"id", Type::kText}, {{"owner", Type::kUuid}, {"name", Type::kText}, {"n", Type::kInt}, {"weight", Type::kReal}, {"picture", Type::kBlob}}};
}

Bytes written(const std::vector<RowEntry>& rows) {
    Bytes bytes;
    Writer out(bytes);
    put_rows(out, rows);
    return bytes;
}

Result<std::vector<RowEntry>> read(BytesView bytes, const model::Entity& shape = entity()) {
    Reader in(bytes);
    auto rows = get_row_entries(in, shape);
    if (rows && !in.at_end()) return fail(Code::kDamagedFrame, "bytes are left");
    return rows;
}

void expect_same(const std::vector<RowEntry>& a, const std::vector<RowEntry>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        EXPECT_EQ(a[i].key, b[i].key);
        EXPECT_EQ(a[i].lines, b[i].lines);
        EXPECT_TRUE(a[i].row == b[i].row) << "row " << i;
    }
}

class Maker {
  public:
    explicit Maker(std::uint64_t seed) : random_(seed) {}

    std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_() % n); }
    std::string uuid() {
        std::string text;
        for (int i = 0; i < 36; ++i) text += i == 8 || i == 13 || i == 18 || i == 23 ? '-' : "0123456789abcdef"[below(16)];
        return text;
    }
    std::string text() {
        std::string text;
        for (std::size_t n = below(20); n > 0; --n) text += static_cast<char>(1 + below(126));
        return text;
    }
    // Columns of one kind, with and without NULLs, and now and then of all kinds.
    std::vector<RowEntry> rows() {
        const bool uuid_keys = below(2) == 0, alike = below(2) == 0;
        const std::size_t nulls = below(3);  // none, some, all
        std::vector<RowEntry> rows(below(40));
        std::vector<ScopeId> lines;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            if (i == 0 || !alike) lines = std::vector<ScopeId>(below(3), ScopeId{static_cast<std::uint32_t>(1 + below(300))});
            rows[i].key = uuid_keys ? uuid() : "k" + std::to_string(i) + (below(4) == 0 ? "\n" : "");
            rows[i].lines = lines;
            const auto or_null = [&](Value value) { return nulls == 2 || (nulls == 1 && below(3) == 0) ? Value{Null{}} : std::move(value); };
            rows[i].row = {or_null(uuid()), or_null(text()), or_null(static_cast<std::int64_t>(random_())), or_null(static_cast<double>(below(9)) / 4),
                           or_null(Blob{std::uint8_t(below(256)), 0})};
        }
        return rows;
    }

  private:
    std::mt19937_64 random_;
};

TEST(Columns, rows_come_back_as_they_went) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const auto rows = Maker(seed).rows();
        const auto back = read(written(rows));
        ASSERT_TRUE(back) << describe(back.error());
        expect_same(rows, *back);
    }
}

TEST(Columns, every_cut_is_refused_and_no_flipped_byte_gives_what_is_not_canonical) {
    Maker maker(7);
    for (int round = 0; round < 20; ++round) {
        const auto rows = maker.rows();
        const Bytes bytes = written(rows);
        for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(read(BytesView(bytes).substr(0, n))) << n;
        for (std::size_t at = 0; at < bytes.size(); ++at) {
            for (const int flip : {0x01, 0x10, 0x80, 0xff}) {
                Bytes flipped = bytes;
                flipped[at] = static_cast<char>(flipped[at] ^ flip);
                const auto got = read(flipped);
                if (!got) continue;
                for (const RowEntry& entry : *got) EXPECT_TRUE(model::check_row(entity(), entry.key, entry.row));
            }
        }
    }
}

TEST(Columns, a_text_with_a_nul_and_an_upper_case_uuid_go_as_they_are) {
    std::vector<RowEntry> rows{{"a", {}, {Value{Null{}}, Value{std::string("b\0c", 3)}, Value{Null{}}, Value{Null{}}, Value{Null{}}}}};
    EXPECT_EQ(read(written(rows)).error().code, Code::kValueInvalid) << "it arrives, and is judged as a value";
    rows[0].row[1] = std::string("ABCDEF00-0000-0000-0000-000000000000");
    const auto back = read(written(rows));
    ASSERT_TRUE(back);
    expect_same(rows, *back);
}

TEST(Columns, no_more_values_than_a_frame_may_have) {
    Bytes bytes;
    Writer out(bytes);
    const std::size_t n = kFrameValuesMax / 2;
    out.varint(n);
    out.u8(1);
    for (std::size_t i = 0; i < n; ++i) out.raw({"k\0", 2});
    EXPECT_EQ(read(bytes).error().message, "a frame has too many values");

    bytes.clear();  // one list of lines for many rows
    out.varint(kFrameValuesMax / 6);
    out.u8(1);
    for (std::size_t i = 0; i < kFrameValuesMax / 6; ++i) out.raw({"k\0", 2});
    out.u8(1);
    out.varint(100);
    for (int i = 0; i < 100; ++i) out.u8(1);
    EXPECT_EQ(read(bytes).error().code, Code::kDamagedFrame);
}

TEST(Columns, forms_that_are_not_there_are_refused) {
    const auto with = [](int keys, int lines, int column) {
        Bytes bytes;
        Writer out(bytes);
        out.varint(1);
        out.u8(static_cast<std::uint8_t>(keys));
        out.raw({"k\0", 2});
        out.u8(static_cast<std::uint8_t>(lines));
        out.varint(0);
        out.u8(static_cast<std::uint8_t>(column));
        out.raw(Bytes(200, '\0'));
        return read(bytes);
    };
    for (const int form : {3, 4, 0x11, 0xff}) EXPECT_FALSE(with(form, 1, 0)) << form;
    for (const int lines : {2, 0xff}) EXPECT_FALSE(with(1, lines, 0)) << lines;
    for (const int form : {4, 0x10, 0x14, 0x20, 0xff}) EXPECT_FALSE(with(1, 1, form)) << form;
}

}  // namespace
}  // namespace skerry::wire
