#include "model/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "base/text.hpp"

namespace skerry::model {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Moves `at` behind the number that begins there; says what is wrong if none does. `whole`: neither point nor exponent.
const char* number_end(std::string_view text, std::size_t& at, bool& whole) {
    const auto peek = [&] { return at < text.size() ? text[at] : '\0'; };
    const auto digits = [&] {
        const std::size_t start = at;
        while (is_digit(peek())) ++at;
        return at > start;
    };
    if (peek() == '-') ++at;
    if (peek() == '0') ++at;
    else if (!digits()) return "no value begins like this";
    whole = true;
    if (peek() == '.') {
        ++at;
        whole = false;
        if (!digits()) return "digits are missing behind the point";
    }
    if (peek() == 'e' || peek() == 'E') {
        ++at;
        whole = false;
        if (peek() == '+' || peek() == '-') ++at;
        if (!digits()) return "digits are missing in the exponent";
    }
    return nullptr;
}

// A JSON value, kept only as its canonical text; objects are put in order as they close.
class Canonicalizer {
  public:
    explicit Canonicalizer(std::string_view text) : text_(text) {}

    Result<std::string> run() {
        std::string out;
        if (!is_clean_text(text_)) return refuse("it is not UTF-8 text without NUL");
        space();
        if (!value(out, 0)) return refuse(why_);
        space();
        if (at_ != text_.size()) return refuse("something follows the value");
        return out;
    }

    // The parts of an array or object; what a caller asked for is the top level only.
    std::vector<std::pair<std::string, std::string>> members;
    std::vector<std::string> elements;
    char kind = 0;  // the first character of the value

  private:
    tl::unexpected<Error> refuse(std::string_view why) {
        return fail(Code::kValueInvalid, "JSON, at byte " + std::to_string(at_) + ": " + std::string(why));
    }
    bool bad(const char* why) {
        why_ = why;
        return false;
    }
    bool at_end() const { return at_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[at_]; }
    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }
    void space() {
        while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
    }
    bool word(std::string_view w, std::string& out) {
        if (text_.substr(at_, w.size()) != w) return bad("no value begins like this");
        at_ += w.size();
        out += w;
        return true;
    }

    bool value(std::string& out, int depth) {
        if (depth > kJsonDepthMax) return bad("it is nested too deep");
        if (depth == 0) kind = peek();
        switch (peek()) {
            case '{': return object(out, depth);
            case '[': return array(out, depth);
            case '"': {
                std::string content;
                if (!string(content)) return false;
                append_json_string(out, content);
                return true;
            }
            case 't': return word("true", out);
            case 'f': return word("false", out);
            case 'n': return word("null", out);
            default: return number(out);
        }
    }

    // RFC 8785 sorts by UTF-16 code units. That is the order of UTF-8 bytes except above U+FFFF, whose surrogates
    // (from D800) come before E000 to FFFF.
    static bool utf16_less(std::string_view a, std::string_view b) {
        const auto weigh = [](unsigned char c) { return c >= 0xf0 ? 0xed80 : static_cast<unsigned>(c) << 8; };
        const auto [x, y] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
        if (x == a.end() || y == b.end()) return x == a.end() && y != b.end();
        const auto cx = static_cast<unsigned char>(*x);
        const auto cy = static_cast<unsigned char>(*y);
        const unsigned wx = weigh(cx);
        const unsigned wy = weigh(cy);
        return wx != wy ? wx < wy : cx < cy;
    }

    bool object(std::string& out, int depth) {
        ++at_;
        std::vector<std::pair<std::string, std::string>> found;
        space();
        if (!take('}')) {
            for (;;) {
                space();
                auto& [name, text] = found.emplace_back();
                if (!string(name)) return false;
                space();
                if (!take(':')) return bad("a colon is missing");
                space();
                if (!value(text, depth + 1)) return false;
                space();
                if (take('}')) break;
                if (!take(',')) return bad("a comma or a closing brace is missing");
            }
        }
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return utf16_less(a.first, b.first); });
        for (std::size_t i = 1; i < found.size(); ++i)
            if (found[i].first == found[i - 1].first) return bad("a name is there twice in one object");
        out += '{';
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (i > 0) out += ',';
            append_json_string(out, found[i].first);
            out += ':';
            out += found[i].second;
        }
        out += '}';
        if (depth == 0) members = std::move(found);
        return true;
    }

    bool array(std::string& out, int depth) {
        ++at_;
        out += '[';
        space();
        if (!take(']')) {
            for (bool first = true;; first = false) {
                space();
                if (!first) out += ',';
                const std::size_t start = out.size();
                if (!value(out, depth + 1)) return false;
                if (depth == 0) elements.push_back(out.substr(start));
                space();
                if (take(']')) break;
                if (!take(',')) return bad("a comma or a closing bracket is missing");
            }
        }
        out += ']';
        return true;
    }

    bool four_hex(unsigned& unit) {
        if (text_.size() - at_ < 4) return bad("an escape is cut off");
        unit = 0;
        for (int i = 0; i < 4; ++i) {
            const char c = text_[at_++];
            unit <<= 4;
            if (c >= '0' && c <= '9') unit |= static_cast<unsigned>(c - '0');
            else if (c >= 'a' && c <= 'f') unit |= static_cast<unsigned>(c - 'a' + 10);
            else if (c >= 'A' && c <= 'F') unit |= static_cast<unsigned>(c - 'A' + 10);
            else return bad("an escape has a character that is no hexadecimal digit");
        }
        return true;
    }

    static void append_utf8(std::string& out, unsigned code) {
        const auto put = [&out](unsigned byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xc0 | (code >> 6));
            put(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            put(0xe0 | (code >> 12));
            put(0x80 | ((code >> 6) & 0x3f));
            put(0x80 | (code & 0x3f));
        } else {
            put(0xf0 | (code >> 18));
            put(0x80 | ((code >> 12) & 0x3f));
            put(0x80 | ((code >> 6) & 0x3f));
            put(0x80 | (code & 0x3f));
        }
    }

    bool escape(std::string& out) {
        switch (const char c = peek(); c) {
            case '"':
            case '\\':
            case '/': out += c; break;
            case 'b': out += '\b'; break;
            case 'f': out += '\f'; break;
            case 'n': out += '\n'; break;
            case 'r': out += '\r'; break;
            case 't': out += '\t'; break;
            case 'u': {
                ++at_;
                unsigned unit = 0;
                if (!four_hex(unit)) return false;
                if (unit == 0) return bad("a NUL character is not allowed");
                if (unit >= 0xdc00 && unit <= 0xdfff) return bad("a lone surrogate is no character");
                if (unit >= 0xd800 && unit <= 0xdbff) {
                    unsigned low = 0;
                    if (!take('\\') || !take('u') || !four_hex(low) || low < 0xdc00 || low > 0xdfff)
                        return bad("a lone surrogate is no character");
                    unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                }
                append_utf8(out, unit);
                return true;
            }
            default: return bad("an escape is unknown");
        }
        ++at_;
        return true;
    }

    bool string(std::string& out) {
        if (!take('"')) return bad("a string is missing");
        for (;;) {
            if (at_end()) return bad("a string does not end");
            const char c = text_[at_];
            if (static_cast<unsigned char>(c) < 0x20) return bad("a control character stands unescaped in a string");
            ++at_;
            if (c == '"') return true;
            if (c != '\\') {
                out += c;
                continue;
            }
            if (!escape(out)) return false;
        }
    }

    bool number(std::string& out) {
        bool whole = true;
        std::size_t end = at_;
        if (const char* why = number_end(text_, end, whole); why != nullptr) return bad(why);
        const std::string_view text = text_.substr(at_, end - at_);
        at_ = end;
        const double v = parse_double(text).value_or(HUGE_VAL);
        if (!std::isfinite(v)) return bad("a number is larger than a double holds");
        const std::size_t start = out.size();
        append_json_number(out, v);
        if (whole && std::abs(v) > 9007199254740991.0 && std::string_view(out).substr(start) != text)
            return bad("an integer beyond 2^53 would change; write it as a string");
        return true;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    const char* why_ = "";
};

}  // namespace

Result<std::string> canonical_json(std::string_view text) { return Canonicalizer(text).run(); }

bool is_json_number(std::string_view text) {
    std::size_t end = 0;
    bool whole = true;
    return number_end(text, end, whole) == nullptr && end == text.size();
}

// Number::toString of ECMAScript, which RFC 8785 asks for.
void append_json_number(std::string& out, double v) {
    if (v == 0) {
        out += '0';
        return;
    }
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v, std::chars_format::scientific).ptr;
    std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
    if (text.front() == '-') {
        out += '-';
        text.remove_prefix(1);
    }
    const std::size_t e = text.find('e');
    int exponent = 0;
    const std::size_t number_at = e + (text[e + 1] == '+' ? 2 : 1);
    std::from_chars(text.data() + number_at, text.data() + text.size(), exponent);
    std::string digits(1, text.front());
    if (e > 2) digits += text.substr(2, e - 2);
    const int k = static_cast<int>(digits.size());
    const int n = exponent + 1;
    if (k <= n && n <= 21) {
        out += digits + std::string(static_cast<std::size_t>(n - k), '0');
    } else if (0 < n && n <= 21) {
        out += digits.substr(0, static_cast<std::size_t>(n)) + "." + digits.substr(static_cast<std::size_t>(n));
    } else if (-6 < n && n <= 0) {
        out += "0." + std::string(static_cast<std::size_t>(-n), '0') + digits;
    } else {
        out += digits.substr(0, 1);
        if (k > 1) out += "." + digits.substr(1);
        out += n - 1 < 0 ? "e-" : "e+";
        out += std::to_string(std::abs(n - 1));
    }
}

void append_json_string(std::string& out, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    out += '"';
    for (const char c : text) {
        switch (c) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            default:
                if (static_cast<unsigned char>(c) >= 0x20) {
                    out += c;
                } else {
                    out += "\\u00";
                    out += kHex[static_cast<unsigned char>(c) >> 4];
                    out += kHex[static_cast<unsigned char>(c) & 15];
                }
        }
    }
    out += '"';
}

std::string json_string(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

Result<std::string> json_string_content(std::string_view json) {
    // A member name goes through the same reader as any string.
    SKERRY_ASSIGN(auto members, json_members("{" + std::string(json) + ":0}"));
    return std::move(members.front().first);
}

Result<std::vector<std::string>> json_elements(std::string_view json) {
    Canonicalizer reader(json);
    SKERRY_TRY(reader.run());
    if (reader.kind != '[') return fail(Code::kValueInvalid, "the JSON is no array");
    return std::move(reader.elements);
}

Result<std::vector<std::pair<std::string, std::string>>> json_members(std::string_view json) {
    Canonicalizer reader(json);
    SKERRY_TRY(reader.run());
    if (reader.kind != '{') return fail(Code::kValueInvalid, "the JSON is no object");
    return std::move(reader.members);
}

}  // namespace skerry::model
