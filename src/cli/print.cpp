#include "cli/print.hpp"

#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "base/bytes.hpp"
#include "base/text.hpp"

namespace skerry::cli {

namespace {

// The next character of UTF-8; 0 length means that the byte starts none.
struct Character {
    char32_t code = 0;
    std::size_t length = 0;
};

Character next_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return {first, 1};
    std::size_t length = 0;
    if (first >= 0xc2 && first < 0xe0) length = 2;
    else if (first >= 0xe0 && first < 0xf0) length = 3;
    else if (first >= 0xf0 && first < 0xf5) length = 4;
    if (length == 0 || length > text.size() || !is_clean_text(text.substr(0, length))) return {0, 0};
    char32_t code = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (byte(i) & 0x3fu);
    return {code, length};
}

// C0, DEL, C1, and the marks that turn the reading direction or break lines.
bool is_control(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::size_t width_of(char32_t c) {
    if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200d) || (c >= 0x20d0 && c <= 0x20ff) ||
        (c >= 0xfe00 && c <= 0xfe0f))
        return 0;
    const bool wide = (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                      (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                      (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd);
    return wide ? 2 : 1;
}

std::string hex_escape(std::string_view prefix, unsigned value, int digits) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "%0*x", digits, value);
    return std::string(prefix) + buffer;
}

std::string shown(const Value& value) {
    switch (value.index()) {
        case 0: return "NULL";
        case 1: return std::to_string(std::get<std::int64_t>(value));
        case 2: return real_text(std::get<double>(value));
        case 3: return visible(std::get<std::string>(value));
        default: return "x'" + hex(view_of(std::get<Blob>(value))) + "'";
    }
}

std::string csv_field(const Value& value) {
    if (is_null(value)) return {};
    if (const auto* text = std::get_if<std::string>(&value)) {
        if (!text->empty() && text->find_first_of(",\"\r\n") == std::string::npos) return *text;
        std::string out = "\"";
        for (const char c : *text) {
            if (c == '"') out += '"';
            out += c;
        }
        return out + "\"";
    }
    return shown(value);
}

std::vector<std::string> distinct_names(const std::vector<std::string>& columns) {
    std::vector<std::string> names;
    std::set<std::string> used(columns.begin(), columns.end());
    std::set<std::string> given;
    for (const std::string& column : columns) {
        std::string name = column;
        for (int n = 2; given.count(name) != 0; ++n) {
            name = column + "_" + std::to_string(n);
            if (used.count(name) != 0 && given.count(name) == 0) name = column;  // that one is another column's
        }
        given.insert(name);
        names.push_back(std::move(name));
    }
    return names;
}

std::string json_object(const std::vector<std::string>& names, const std::vector<Value>& row) {
    std::string out = "{";
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) out += ", ";
        out += json_text(names[i]) + ": " + json_value(row[i]);
    }
    return out + "}";
}

std::string as_table(const Table& table) {
    if (table.columns.empty()) return {};
    std::vector<std::size_t> widths;
    std::vector<bool> numeric;
    for (const std::string& column : table.columns) widths.push_back(screen_width(visible(column)));
    numeric.assign(table.columns.size(), !table.rows.empty());
    for (const auto& row : table.rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], screen_width(shown(row[i])));
            if (row[i].index() > 2) numeric[i] = false;
        }
    std::string out;
    const auto line = [&](const auto& cell_at) {
        std::string text;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            const std::string cell = cell_at(i);
            const std::string pad(widths[i] - screen_width(cell), ' ');
            if (i > 0) text += "  ";
            text += numeric[i] ? pad + cell : cell + pad;
        }
        while (!text.empty() && text.back() == ' ') text.pop_back();
        out += text + "\n";
    };
    line([&](std::size_t i) { return visible(table.columns[i]); });
    std::string rule;
    for (std::size_t i = 0; i < widths.size(); ++i) rule += (i > 0 ? "  " : "") + std::string(widths[i], '-');
    out += rule + "\n";
    for (const auto& row : table.rows) line([&](std::size_t i) { return shown(row[i]); });
    return out + "(" + grouped(table.rows.size()) + (table.rows.size() == 1 ? " row)\n" : " rows)\n");
}

std::string as_csv(const Table& table) {
    std::string out;
    const auto line = [&](std::size_t n, const auto& field_at) {
        for (std::size_t i = 0; i < n; ++i) out += (i > 0 ? "," : "") + field_at(i);
        out += "\n";
    };
    if (table.columns.empty()) return out;
    line(table.columns.size(), [&](std::size_t i) { return csv_field(table.columns[i]); });
    for (const auto& row : table.rows) line(row.size(), [&](std::size_t i) { return csv_field(row[i]); });
    return out;
}

}  // namespace

std::size_t screen_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Character c = next_character(text);
        width += c.length == 0 ? 1 : width_of(c.code);
        text.remove_prefix(c.length == 0 ? 1 : c.length);
    }
    return width;
}

std::string visible(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const Character c = next_character(text);
        if (c.length == 0) {
            out += hex_escape("\\x", static_cast<unsigned char>(text[0]), 2);
            text.remove_prefix(1);
            continue;
        }
        if (c.code == '\n') out += "\\n";
        else if (c.code == '\r') out += "\\r";
        else if (c.code == '\t') out += "\\t";
        else if (is_control(c.code) && c.code < 0x100) out += hex_escape("\\x", c.code, 2);
        else if (is_control(c.code)) out += hex_escape("\\u", c.code, 4);
        else out += text.substr(0, c.length);
        text.remove_prefix(c.length);
    }
    return out;
}

std::string json_text(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const Character c = next_character(text);
        if (c.length == 0) {
            out += "\\ufffd";  // not UTF-8, which JSON must be
            text.remove_prefix(1);
            continue;
        }
        if (c.code == '"') out += "\\\"";
        else if (c.code == '\\') out += "\\\\";
        else if (c.code == '\n') out += "\\n";
        else if (c.code == '\r') out += "\\r";
        else if (c.code == '\t') out += "\\t";
        else if (is_control(c.code)) out += hex_escape("\\u", c.code, 4);
        else out += text.substr(0, c.length);
        text.remove_prefix(c.length);
    }
    return out + "\"";
}

std::string real_text(double value) {
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    if (std::isnan(value)) return "NaN";
    char buffer[64];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    std::string text(buffer, result.ptr);
    if (text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
}

std::string json_value(const Value& value) {
    switch (value.index()) {
        case 0: return "null";
        case 1: return std::to_string(std::get<std::int64_t>(value));
        case 2: {
            const double real = std::get<double>(value);
            return std::isfinite(real) ? real_text(real) : json_text(real_text(real));
        }
        case 3: return json_text(std::get<std::string>(value));
        default: return "{\"hex\": \"" + hex(view_of(std::get<Blob>(value))) + "\"}";
    }
}

std::string format_table(const Table& table, Format format) {
    if (format == Format::kTable) return as_table(table);
    if (format == Format::kCsv) return as_csv(table);
    const std::vector<std::string> names = distinct_names(table.columns);
    std::string out = "[";
    for (std::size_t i = 0; i < table.rows.size(); ++i)
        out += (i > 0 ? ",\n " : "") + json_object(names, table.rows[i]);
    return out + "]\n";
}

std::string json_rows_on_one_line(const Table& table) {
    const std::vector<std::string> names = distinct_names(table.columns);
    std::string out = "[";
    for (std::size_t i = 0; i < table.rows.size(); ++i) out += (i > 0 ? ", " : "") + json_object(names, table.rows[i]);
    return out + "]\n";
}

std::string grouped(std::uint64_t n) { return with_commas(n); }

std::string bytes_text(std::uint64_t n) {
    if (n < 1000) return std::to_string(n) + " B";
    constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
    double value = static_cast<double>(n);
    int unit = -1;
    while (value >= 999.95 && unit < 3) {
        value /= 1000;
        ++unit;
    }
    char buffer[48];
    std::snprintf(buffer, sizeof buffer, "%.1f %s", value, kUnits[unit]);
    return buffer;
}

std::string duration_text(double seconds) {
    const auto whole = static_cast<long long>(seconds < 0 ? 0 : seconds + 0.5);
    char buffer[64];
    if (whole < 60) std::snprintf(buffer, sizeof buffer, "%lld s", whole);
    else if (whole < 3600) std::snprintf(buffer, sizeof buffer, "%lld min %02lld s", whole / 60, whole % 60);
    else std::snprintf(buffer, sizeof buffer, "%lld h %02lld min", whole / 3600, whole % 3600 / 60);
    return buffer;
}

void print_out(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_error(const Error& error) {
    // Line by line: the lines are ours, what stands in them may come from anywhere.
    std::string out = "skerry: ";
    const std::string text = describe(error);
    for (std::size_t at = 0; at <= text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += visible(std::string_view(text).substr(at, end - at)) + "\n";
        at = end + 1;
    }
    std::fflush(stdout);
    std::fwrite(out.data(), 1, out.size(), stderr);
}

std::string progress_text(const Progress::State& state, double seconds) {
    const double rate = seconds > 0.05 ? static_cast<double>(state.rows) / seconds : 0;
    std::string out = grouped(state.rows) + " rows";
    if (state.bytes) out += ", " + bytes_text(*state.bytes);
    if (rate >= 1) out += ", " + grouped(static_cast<std::uint64_t>(rate)) + " rows/s";
    std::optional<double> left;
    if (state.rows_left && rate >= 1) left = static_cast<double>(*state.rows_left) / rate;
    else if (state.fraction && *state.fraction > 0.001) left = seconds * (1 - *state.fraction) / *state.fraction;
    if (left) out += ", " + duration_text(*left) + " left";
    return out;
}

Progress::Progress(std::string label)
    : label_(std::move(label)),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begun_(std::chrono::steady_clock::now()),
      next_(begun_ + std::chrono::milliseconds(terminal_ ? 250 : 1000)) {}

Progress::~Progress() {
    if (drawn_ && terminal_) std::fputs("\r\x1b[K", stderr);
}

double Progress::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

void Progress::show(const State& state) {
    const auto now = std::chrono::steady_clock::now();
    if (now < next_) return;
    next_ = now + std::chrono::milliseconds(terminal_ ? 250 : 1000);
    const std::string line = label_ + ": " + progress_text(state, seconds());
    std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
    std::fflush(stderr);
    drawn_ = true;
}

}  // namespace skerry::cli
