// Writes one JSON object, member by member. Values that are JSON already are appended by the caller, behind key().
// For this room's .cpp files.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.hpp"
#include "base/text.hpp"
#include "model/json.hpp"
#include "wire/json/object.hpp"

namespace skerry::wire::json {

// A key that an operator's SQL made of other bytes travels in a leave, of a row that no device ever had. A line has to be JSON all the same, or
// its reader could never get past it: what is no UTF-8 loses its bytes.
inline void append_text(Bytes& out, std::string_view text) {
    if (is_clean_text(text)) return model::append_json_string(out, text);
    std::string readable;
    for (const char c : text) readable += static_cast<unsigned char>(c) - 1u < 0x7f ? std::string(1, c) : std::string("\xef\xbf\xbd");
    model::append_json_string(out, readable);
}

class ObjectWriter {
  public:
    explicit ObjectWriter(Bytes& out) : out_(out) {}

    Bytes& key(std::string_view name) {
        out_ += first_ ? '{' : ',';
        first_ = false;
        model::append_json_string(out_, name);
        out_ += ':';
        return out_;
    }
    ObjectWriter& text(std::string_view name, std::string_view value) {
        append_text(key(name), value);
        return *this;
    }
    // A string where a double would change it: a device that speaks in frames may number its transactions as it likes, and another
    // program of its user reads the answers in lines.
    ObjectWriter& number(std::string_view name, std::uint64_t value) {
        const std::string digits = std::to_string(value);
        key(name) += value <= kNumberMax ? digits : '"' + digits + '"';
        return *this;
    }
    ObjectWriter& flag(std::string_view name, bool value) {
        key(name) += value ? "true" : "false";
        return *this;
    }
    // `write(out, element)` appends one element.
    template <class List, class Write>
    ObjectWriter& list(std::string_view name, const List& elements, Write write) {
        key(name) += '[';
        bool first = true;
        for (const auto& element : elements) {
            if (!first) out_ += ',';
            first = false;
            write(out_, element);
        }
        out_ += ']';
        return *this;
    }
    template <class List>
    ObjectWriter& texts(std::string_view name, const List& elements) {
        return list(name, elements, [](Bytes& out, std::string_view text) { append_text(out, text); });
    }
    void end() {
        if (first_) out_ += '{';
        out_ += '}';
    }

  private:
    Bytes& out_;
    bool first_ = true;
};

}  // namespace skerry::wire::json
