// One JSON object of a request, member by member. Every get takes a member away: what is left at the end was not meant for anybody,
// and is refused, so that a misspelt name is told and not passed over. For this room's .cpp files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"

namespace skerry::wire::json {

// Beyond it a double, and with it many a JSON library, would change the number.
inline constexpr std::uint64_t kNumberMax = (std::uint64_t{1} << 53) - 1;

class Object {
  public:
    // `place` tells where it stands: "line 3". invalid_argument when it is no JSON object or names something twice.
    static Result<Object> read(std::string_view json, std::string place);

    bool has(std::string_view name) const;
    // The canonical JSON text of a member.
    Result<std::string> raw(std::string_view name);
    Result<std::string> text(std::string_view name);
    Result<std::uint64_t> number(std::string_view name);  // a whole number from 0 to kNumberMax
    Result<Bytes> hex(std::string_view name, std::size_t bytes);
    Result<Bytes> base64(std::string_view name);
    // Absent, or null: none, false, 0, empty.
    Result<std::optional<std::string>> text_if(std::string_view name);
    Result<std::uint64_t> number_if(std::string_view name);
    Result<bool> flag_if(std::string_view name);
    Result<std::vector<std::string>> list_if(std::string_view name);   // elements, as canonical JSON
    Result<std::vector<std::string>> texts_if(std::string_view name);  // of strings
    Result<std::vector<std::uint64_t>> numbers_if(std::string_view name);
    Result<DeviceId> device(std::string_view name);
    // All members that are left: where names are the app's own.
    std::vector<std::pair<std::string, std::string>> rest() { return std::exchange(members_, {}); }

    // invalid_argument if a member is left.
    Result<void> end() const;

    tl::unexpected<Error> refuse(std::string_view what) const;
    const std::string& place() const { return place_; }

  private:
    Object(std::vector<std::pair<std::string, std::string>> members, std::string place)
        : members_(std::move(members)), place_(std::move(place)) {}
    std::optional<std::string> take(std::string_view name);
    tl::unexpected<Error> refuse_member(std::string_view name, std::string_view what) const;

    std::vector<std::pair<std::string, std::string>> members_;  // canonical text by name
    std::string place_;
};

// A hash as 16 hexadecimal digits, the most significant first.
std::string number_hex(std::uint64_t number);

// "null" is written where a value is to be absent.
inline bool is_null(std::string_view json) { return json == "null"; }

}  // namespace skerry::wire::json
