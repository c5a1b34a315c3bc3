// What people and programs see of the commands: tables, JSON, CSV, progress, errors.
//
// Rules: results go to standard output, progress and errors to standard error. Numbers are never rounded or
// grouped in data. Text of data never reaches a terminal with its control characters: they could redraw the
// screen or hide what follows.
#pragma once

#include <skerry/error.hpp>
#include <skerry/value.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace skerry::cli {

enum class Format { kTable, kJson, kCsv };

// Columns on a screen that UTF-8 text takes: combining marks none, East Asian wide characters two.
std::size_t screen_width(std::string_view text);

// Control characters and bytes that are not UTF-8 as \n, \t, \xNN; the rest as it is.
std::string visible(std::string_view text);

// A JSON string with its quotes.
std::string json_text(std::string_view text);
// NULL is null, text a string, a number itself with all its digits, a blob {"hex": "00ff"}; infinity a string.
std::string json_value(const Value& value);

// Shortest decimal that reads back as the same number; with ".0" if it would look like an integer.
std::string real_text(double value);

// kTable: aligned columns and the number of rows. kJson: an array of objects, one row a line; a column name that
// comes twice gets "_2". kCsv: RFC 4180 with a header; NULL is empty, empty text is "".
std::string format_table(const Table& table, Format format);
// One row as a JSON object, on one line.
std::string json_rows_on_one_line(const Table& table);

// "1,234,567"
std::string grouped(std::uint64_t n);
// "812 B", "64.0 kB", "1.2 MB"
std::string bytes_text(std::uint64_t n);
// "1 s", "2 min 05 s", "1 h 12 min"
std::string duration_text(double seconds);

void print_out(std::string_view text);
// "skerry: code: what happened …" on standard error.
void print_error(const Error& error);

// One line that is redrawn four times a second on a terminal, or a line a second where there is none.
class Progress {
  public:
    explicit Progress(std::string label);
    ~Progress();  // clears the line
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    struct State {
        std::uint64_t rows = 0;
        std::optional<std::uint64_t> rows_left;   // an estimate
        std::optional<double> fraction;           // of the work done, where rows are not known; 0 to 1
        std::optional<std::uint64_t> bytes;
    };
    // Cheap when called too often: draws only when it is time.
    void show(const State& state);
    double seconds() const;

  private:
    std::string label_;
    bool terminal_;
    std::chrono::steady_clock::time_point begun_;
    std::chrono::steady_clock::time_point next_;
    bool drawn_ = false;
};

// The text of a progress line.
std::string progress_text(const Progress::State& state, double seconds);

}  // namespace skerry::cli
