// Text helpers: hex, UTF-8, uuids, numbers as text. No locale, no iostream, no std::format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"

namespace skerry {

std::string hex(BytesView bytes);
std::optional<Bytes> unhex(std::string_view text);

// RFC 4648 base64url without padding.
std::string base64url(BytesView bytes);
// RFC 4648 base64 with padding; unbase64 takes nothing else.
std::string base64(BytesView bytes);
std::optional<Bytes> unbase64(std::string_view text);

// A number as JSON writes it, rounded to the nearest double; too large gives infinity. The caller has checked its
// form; empty if no number begins there or something follows. No locale.
std::optional<double> parse_double(std::string_view text);

// Well-formed UTF-8 (no surrogates, nothing overlong, nothing above U+10FFFF) without NUL.
bool is_clean_text(std::string_view text);

// 8-4-4-4-12 lower-case hexadecimal digits.
bool is_canonical_uuid(std::string_view text);

// RFC 9562 version 7: 48 bits of Unix milliseconds, then random. Time order keeps inserts at a table's end.
std::string uuid_v7(Micros wall, Random& random);

// ISO 8601, UTC, six decimals, Z.
std::string timestamp_text(Micros wall);

// "name" with its quotes doubled: the only way a name gets into SQL.
std::string quote_name(std::string_view name);
// 'text' with its quotes doubled, for the few places that cannot bind (triggers, pragmas). Precondition: no NUL in it.
std::string quote_text(std::string_view text);

// "1,234,567": for messages.
std::string with_commas(std::uint64_t n);

}  // namespace skerry
