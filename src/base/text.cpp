#include "base/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace skerry {

namespace {
constexpr char kHexDigits[] = "0123456789abcdef";

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}
}  // namespace

std::string hex(BytesView bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        out.push_back(kHexDigits[b >> 4]);
        out.push_back(kHexDigits[b & 15]);
    }
    return out;
}

std::optional<Bytes> unhex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    Bytes out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

namespace {

std::string base64_with(BytesView bytes, std::string_view digits) {
    std::string out;
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : bytes) {
        bits = (bits << 8) | static_cast<unsigned char>(c);
        for (have += 8; have >= 6; have -= 6) out.push_back(digits[(bits >> (have - 6)) & 63]);
    }
    if (have > 0) out.push_back(digits[(bits << (6 - have)) & 63]);
    return out;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string base64url(BytesView bytes) {
    return base64_with(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

std::string base64(BytesView bytes) {
    std::string out = base64_with(bytes, kBase64);
    out.append((4 - out.size() % 4) % 4, '=');
    return out;
}

std::optional<Bytes> unbase64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
    Bytes out;
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : text) {
        const std::size_t digit = kBase64.find(c);
        if (digit == std::string_view::npos) return std::nullopt;
        bits = (bits << 6) | static_cast<std::uint32_t>(digit);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> have)));
        }
    }
    // Left-over bits that are not zero would be a second spelling of the same bytes.
    if ((bits & ((1u << have) - 1)) != 0) return std::nullopt;
    return out;
}

std::optional<double> parse_double(std::string_view text) {
    double v = 0;
#ifdef __wasm__
    // Its library has no from_chars for doubles; there is only the C locale.
    const std::string terminated(text);
    char* end = nullptr;
    v = std::strtod(terminated.c_str(), &end);
    if (terminated.empty() || end != terminated.c_str() + terminated.size()) return std::nullopt;
#else
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
        // Neither too large nor too small is told apart: the exponent says, or the digits where there is none.
        const std::size_t e = text.find_first_of("eE");
        const bool small = e == std::string_view::npos ? text.find_first_of("123456789") > text.find('.') : text[e + 1] == '-';
        v = small ? 0.0 : std::numeric_limits<double>::infinity();
        if (text.front() == '-') v = -v;
    }
#endif
    return v;
}

bool is_clean_text(std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* end = p + text.size();
    while (p != end) {
        const unsigned char c = *p++;
        if (c == 0) return false;
        if (c < 0x80) continue;
        int more;
        std::uint32_t point;
        if (c >= 0xc2 && c <= 0xdf) {
            more = 1;
            point = c & 0x1fu;
        } else if (c >= 0xe0 && c <= 0xef) {
            more = 2;
            point = c & 0x0fu;
        } else if (c >= 0xf0 && c <= 0xf4) {
            more = 3;
            point = c & 0x07u;
        } else {
            return false;
        }
        if (end - p < more) return false;
        for (int i = 0; i < more; ++i, ++p) {
            if ((*p & 0xc0) != 0x80) return false;
            point = (point << 6) | (*p & 0x3fu);
        }
        if (more == 2 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return false;
        if (more == 3 && (point < 0x10000 || point > 0x10ffff)) return false;
    }
    return true;
}

// Every row that is sent or received is asked: a table and no branch for each character.
bool is_canonical_uuid(std::string_view text) {
    static constexpr auto kNoDigit = [] {
        std::array<bool, 256> no{};
        for (std::size_t c = 0; c < no.size(); ++c) no[c] = !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
        return no;
    }();
    if (text.size() != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;
    bool bad = false;
    const auto digits = [&](std::size_t from, std::size_t upto) {
        for (std::size_t i = from; i < upto; ++i) bad |= kNoDigit[static_cast<unsigned char>(text[i])];
    };
    digits(0, 8);
    digits(9, 13);
    digits(14, 18);
    digits(19, 23);
    digits(24, 36);
    return !bad;
}

std::string uuid_v7(Micros wall, Random& random) {
    std::uint8_t b[16];
    random.fill(b);
    const auto ms = static_cast<std::uint64_t>(wall.count() / 1000);
    for (int i = 0; i < 6; ++i) b[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    b[6] = static_cast<std::uint8_t>(0x70 | (b[6] & 0x0f));
    b[8] = static_cast<std::uint8_t>(0x80 | (b[8] & 0x3f));
    std::string out = hex(view_of(b));
    for (const std::size_t at : {std::size_t{8}, std::size_t{13}, std::size_t{18}, std::size_t{23}})
        out.insert(at, 1, '-');
    return out;
}

std::string timestamp_text(Micros wall) {
    // Days to civil date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    const std::int64_t us = wall.count();
    std::int64_t days = us / 86'400'000'000;
    std::int64_t rest = us % 86'400'000'000;
    if (rest < 0) {
        rest += 86'400'000'000;
        --days;
    }
    const std::int64_t z = days + 719468;
    const std::int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const std::int64_t doe = z - era * 146097;
    const std::int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const std::int64_t mp = (5 * doy + 2) / 153;
    const int day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    const int year = static_cast<int>(yoe + era * 400 + (month <= 2 ? 1 : 0));
    char out[48];
    std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", year, month, day,
                  static_cast<int>(rest / 3'600'000'000), static_cast<int>(rest / 60'000'000 % 60),
                  static_cast<int>(rest / 1'000'000 % 60), static_cast<int>(rest % 1'000'000));
    return out;
}

std::string quote_name(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
    return out;
}

std::string quote_text(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'') out.push_back('\'');
        out.push_back(c);
    }
    out.push_back('\'');
    return out;
}

std::string with_commas(std::uint64_t n) {
    std::string out = std::to_string(n);
    for (std::size_t at = out.size(); at > 3;) {
        at -= 3;
        out.insert(at, 1, ',');
    }
    return out;
}

}  // namespace skerry
