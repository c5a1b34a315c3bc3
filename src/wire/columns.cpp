#include "wire/columns.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/text.hpp"
#include "model/value.hpp"
#include "wire/parts.hpp"

namespace skerry::wire {

namespace {

enum class Form : std::uint8_t { kTagged = 0, kTexts = 1, kUuids = 2, kInts = 3 };
constexpr std::uint8_t kSomeNull = 0x10;
constexpr std::size_t kUuidText = 36;
constexpr std::size_t kUuidBytes = 16;
// Where the hexadecimal digits of each byte stand.
constexpr std::array<std::uint8_t, kUuidBytes> kDigitsAt{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

std::uint8_t nibble(char c) { return static_cast<std::uint8_t>(c <= '9' ? c - '0' : c - 'a' + 10); }

// Texts of one column, all of them canonical uuids or all without NUL.
template <class TextOf>
void put_texts(Writer& out, Form form, std::size_t n, const TextOf& text_of) {
    if (form == Form::kTexts) {
        for (std::size_t i = 0; i < n; ++i) {
            if (const std::string* text = text_of(i)) {
                out.raw(*text);
                out.u8(0);
            }
        }
        return;
    }
    std::size_t here = 0;
    for (std::size_t i = 0; i < n; ++i) here += text_of(i) != nullptr ? 1 : 0;
    Bytes& bytes = out.out();
    const std::size_t start = bytes.size();
    bytes.resize(start + here * kUuidBytes);
    char* plane = bytes.data() + start;
    for (std::size_t i = 0; i < n; ++i) {
        const std::string* text = text_of(i);
        if (text == nullptr) continue;
        for (std::size_t byte = 0; byte < kUuidBytes; ++byte) {
            const std::size_t at = kDigitsAt[byte];
            plane[byte * here] = static_cast<char>(nibble((*text)[at]) << 4 | nibble((*text)[at + 1]));
        }
        ++plane;
    }
}

// What texts can be written as; kTagged: they are no such texts.
class TextForm {
  public:
    void see(std::string_view text) {
        uuids_ = uuids_ && text.size() == kUuidText && is_canonical_uuid(text);
        texts_ = texts_ && text.find('\0') == std::string_view::npos;
    }
    Form form() const { return uuids_ ? Form::kUuids : texts_ ? Form::kTexts : Form::kTagged; }

  private:
    bool uuids_ = true;
    bool texts_ = true;
};

void put_keys(Writer& out, const std::vector<RowEntry>& rows) {
    TextForm seen;
    for (const RowEntry& entry : rows) seen.see(entry.key);
    out.u8(static_cast<std::uint8_t>(seen.form()));
    if (seen.form() != Form::kTagged) return put_texts(out, seen.form(), rows.size(), [&](std::size_t i) { return &rows[i].key; });
    for (const RowEntry& entry : rows) out.bytes(entry.key);
}

void put_lines(Writer& out, const std::vector<RowEntry>& rows) {
    const auto put = [&](const std::vector<ScopeId>& lines) {
        out.varint(lines.size());
        for (const ScopeId scope : lines) out.varint(scope.value);
    };
    const bool alike = std::all_of(rows.begin(), rows.end(), [&](const RowEntry& entry) { return entry.lines == rows.front().lines; });
    out.u8(alike ? 1 : 0);
    for (const RowEntry& entry : rows) {
        put(entry.lines);
        if (alike) break;
    }
}

void put_nulls(Writer& out, const std::vector<RowEntry>& rows, std::size_t at) {
    std::uint8_t bits = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (std::holds_alternative<Null>(rows[i].row[at])) bits = static_cast<std::uint8_t>(bits | 1u << (i % 8));
        if (i % 8 != 7 && i + 1 != rows.size()) continue;
        out.u8(bits);
        bits = 0;
    }
}

void put_column(Writer& out, const std::vector<RowEntry>& rows, std::size_t at) {
    bool nulls = false, ints = true, texts = true;
    TextForm seen;
    for (const RowEntry& entry : rows) {
        const Value& value = entry.row[at];
        if (std::holds_alternative<Null>(value)) {
            nulls = true;
            continue;
        }
        const std::string* text = std::get_if<std::string>(&value);
        ints = ints && std::holds_alternative<std::int64_t>(value);
        texts = texts && text != nullptr;
        if (texts) seen.see(*text);
        if (!ints && !texts) break;
    }
    const Form form = ints ? Form::kInts : texts ? seen.form() : Form::kTagged;
    if (form == Form::kTagged) {
        out.u8(static_cast<std::uint8_t>(form));
        for (const RowEntry& entry : rows) model::put_value(out, entry.row[at]);
        return;
    }
    out.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(form) | (nulls ? kSomeNull : 0)));
    if (nulls) put_nulls(out, rows, at);
    if (form != Form::kInts) return put_texts(out, form, rows.size(), [&](std::size_t i) { return std::get_if<std::string>(&rows[i].row[at]); });
    for (const RowEntry& entry : rows)
        if (const auto* number = std::get_if<std::int64_t>(&entry.row[at])) out.zigzag(*number);
}

std::string uuid_text(BytesView planes, std::size_t i, std::size_t n) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text(kUuidText, '-');
    for (std::size_t byte = 0; byte < kUuidBytes; ++byte) {
        const auto value = static_cast<unsigned char>(planes[byte * n + i]);
        text[kDigitsAt[byte]] = kDigits[value >> 4];
        text[kDigitsAt[byte] + 1u] = kDigits[value & 15];
    }
    return text;
}

// `n` values of the column, to `take` one by one; take(Value), or take(std::string) where only texts may come.
template <class Take>
void get_texts(Reader& in, Form form, std::size_t n, const Take& take) {
    if (form == Form::kUuids) {
        const BytesView planes = in.raw(n * kUuidBytes);
        for (std::size_t i = 0; i < n && in.ok(); ++i) take(uuid_text(planes, i, n));
        return;
    }
    for (std::size_t i = 0; i < n && in.ok(); ++i) {
        const BytesView rest = in.rest();
        const auto* end = rest.empty() ? nullptr : static_cast<const char*>(std::memchr(rest.data(), '\0', rest.size()));
        if (end == nullptr) return in.fail();
        const auto length = static_cast<std::size_t>(end - rest.data());
        take(std::string(in.raw(length)));
        in.raw(1);
    }
}

void get_column(Reader& in, std::vector<RowEntry>& rows) {
    const std::uint8_t told = in.u8();
    const auto form = static_cast<Form>(told & ~kSomeNull);
    const bool nulls = (told & kSomeNull) != 0;
    if (form > Form::kInts || (nulls && form == Form::kTagged)) return in.fail();
    if (form == Form::kTagged) {
        for (std::size_t i = 0; i < rows.size() && in.ok(); ++i) rows[i].row.push_back(model::get_value(in));
        return;
    }
    const BytesView bits = nulls ? in.raw((rows.size() + 7) / 8) : BytesView{};
    const auto is_null = [&](std::size_t i) { return nulls && (static_cast<unsigned char>(bits[i / 8]) >> (i % 8) & 1) != 0; };
    if (!in.ok()) return;
    std::size_t values = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) values += is_null(i) ? 0 : 1;
    std::size_t at = 0;
    const auto take = [&](Value value) {
        for (; is_null(at); ++at) rows[at].row.emplace_back(Null{});
        rows[at++].row.push_back(std::move(value));
    };
    if (form == Form::kInts) {
        for (std::size_t i = 0; i < values && in.ok(); ++i) take(in.zigzag());
    } else {
        get_texts(in, form, values, take);
    }
    for (; in.ok() && at < rows.size(); ++at) rows[at].row.emplace_back(Null{});
}

bool get_keys(Reader& in, std::vector<RowEntry>& rows) {
    const auto form = static_cast<Form>(in.u8());
    if (form > Form::kUuids) return false;
    if (form == Form::kTagged) {
        for (RowEntry& entry : rows) entry.key = in.bytes();
    } else {
        auto entry = rows.begin();
        get_texts(in, form, rows.size(), [&](std::string key) { (entry++)->key = std::move(key); });
    }
    return in.ok();
}

std::vector<ScopeId> get_line_list(Reader& in) {
    std::vector<ScopeId> lines(in.count(1));
    for (ScopeId& scope : lines) scope = get_scope(in);
    return lines;
}

bool get_lines(Reader& in, std::vector<RowEntry>& rows) {
    const std::uint8_t alike = in.u8();
    if (alike > 1) return false;
    if (alike == 0) {
        for (std::size_t i = 0; i < rows.size() && in.ok(); ++i) rows[i].lines = get_line_list(in);
    } else if (!rows.empty()) {
        rows.front().lines = get_line_list(in);
        // One list stands for all: together they may be no more than a frame's values.
        if (rows.front().lines.size() > kFrameValuesMax / rows.size()) return false;
        for (RowEntry& entry : rows) entry.lines = rows.front().lines;
    }
    return in.ok();
}

}  // namespace

void put_rows(Writer& out, const std::vector<RowEntry>& rows) {
    out.varint(rows.size());
    put_keys(out, rows);
    put_lines(out, rows);
    const std::size_t attributes = rows.empty() ? 0 : rows.front().row.size();
    for (std::size_t at = 0; at < attributes; ++at) put_column(out, rows, at);
}

Result<std::vector<RowEntry>> get_row_entries(Reader& in, const model::Entity& entity) {
    const std::size_t n = in.count(1);  // a key has one byte at least
    if (n > kFrameValuesMax / (entity.attributes.size() + 1)) return fail(Code::kDamagedFrame, "a frame has too many values");
    std::vector<RowEntry> rows(n);
    for (RowEntry& entry : rows) entry.row.reserve(entity.attributes.size());
    bool good = get_keys(in, rows) && get_lines(in, rows);
    for (std::size_t at = 0; good && n != 0 && at < entity.attributes.size(); ++at) {
        get_column(in, rows);
        good = in.ok();
    }
    if (!good) return fail(Code::kDamagedFrame, "rows are damaged");
    for (const RowEntry& entry : rows) SKERRY_TRY(model::check_row(entity, entry.key, entry.row));
    return rows;
}

}  // namespace skerry::wire
