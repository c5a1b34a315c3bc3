#include "wire/json/object.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "model/json.hpp"

namespace skerry::wire::json {

namespace {

std::optional<std::uint64_t> whole_number(std::string_view json) {
    if (json.empty() || json.size() > 16) return std::nullopt;
    std::uint64_t n = 0;
    for (const char c : json) {
        if (c < '0' || c > '9') return std::nullopt;
        n = n * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return n <= kNumberMax ? std::optional(n) : std::nullopt;
}

std::optional<std::string> content(std::string_view json) {
    if (!json.starts_with('"')) return std::nullopt;
    auto text = model::json_string_content(json);
    return text ? std::optional(std::move(*text)) : std::nullopt;
}

}  // namespace

std::string number_hex(std::uint64_t number) {
    Bytes bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
    return hex(bytes);
}

Result<Object> Object::read(std::string_view json, std::string place) {
    auto members = model::json_members(json);
    if (!members) return fail(Code::kInvalidArgument, place + ": " + members.error().message);
    return Object(std::move(*members), std::move(place));
}

tl::unexpected<Error> Object::refuse(std::string_view what) const {
    return fail(Code::kInvalidArgument, place_ + ": " + std::string(what));
}

tl::unexpected<Error> Object::refuse_member(std::string_view name, std::string_view what) const {
    return refuse(quote_name(name) + " " + std::string(what));
}

bool Object::has(std::string_view name) const {
    return std::any_of(members_.begin(), members_.end(), [&](const auto& member) { return member.first == name; });
}

std::optional<std::string> Object::take(std::string_view name) {
    const auto at = std::find_if(members_.begin(), members_.end(), [&](const auto& member) { return member.first == name; });
    if (at == members_.end()) return std::nullopt;
    std::string json = std::move(at->second);
    members_.erase(at);
    return json;
}

Result<std::string> Object::raw(std::string_view name) {
    auto json = take(name);
    if (!json) return refuse_member(name, "is missing");
    return std::move(*json);
}

Result<std::string> Object::text(std::string_view name) {
    SKERRY_ASSIGN(const std::string json, raw(name));
    auto text = content(json);
    if (!text) return refuse_member(name, "is not text");
    return std::move(*text);
}

Result<std::uint64_t> Object::number(std::string_view name) {
    SKERRY_ASSIGN(const std::string json, raw(name));
    const auto n = whole_number(json);
    if (!n) return refuse_member(name, "is not a whole number from 0 to 2^53 - 1");
    return *n;
}

Result<Bytes> Object::hex(std::string_view name, std::size_t bytes) {
    SKERRY_ASSIGN(const std::string digits, text(name));
    auto found = unhex(digits);
    if (!found || found->size() != bytes) return refuse_member(name, "is not " + std::to_string(2 * bytes) + " hexadecimal digits");
    return std::move(*found);
}

Result<Bytes> Object::base64(std::string_view name) {
    SKERRY_ASSIGN(const std::string digits, text(name));
    auto found = unbase64(digits);
    if (!found) return refuse_member(name, "is not base64");
    return std::move(*found);
}

Result<DeviceId> Object::device(std::string_view name) {
    SKERRY_ASSIGN(const Bytes bytes, hex(name, 16));
    return DeviceId::from(bytes);
}

Result<std::optional<std::string>> Object::text_if(std::string_view name) {
    const auto json = take(name);
    if (!json || is_null(*json)) return std::nullopt;
    auto text = content(*json);
    if (!text) return refuse_member(name, "is not text");
    return text;
}

Result<std::uint64_t> Object::number_if(std::string_view name) {
    const auto json = take(name);
    if (!json || is_null(*json)) return 0;
    const auto n = whole_number(*json);
    if (!n) return refuse_member(name, "is not a whole number from 0 to 2^53 - 1");
    return *n;
}

Result<bool> Object::flag_if(std::string_view name) {
    const auto json = take(name);
    if (!json || is_null(*json) || *json == "false") return false;
    if (*json != "true") return refuse_member(name, "is neither true nor false");
    return true;
}

Result<std::vector<std::string>> Object::list_if(std::string_view name) {
    const auto json = take(name);
    if (!json || is_null(*json)) return std::vector<std::string>{};
    auto elements = model::json_elements(*json);
    if (!elements) return refuse_member(name, "is not a list");
    return std::move(*elements);
}

Result<std::vector<std::string>> Object::texts_if(std::string_view name) {
    SKERRY_ASSIGN(std::vector<std::string> list, list_if(name));
    for (std::string& element : list) {
        auto text = content(element);
        if (!text) return refuse_member(name, "is not a list of text");
        element = std::move(*text);
    }
    return list;
}

Result<std::vector<std::uint64_t>> Object::numbers_if(std::string_view name) {
    SKERRY_ASSIGN(const std::vector<std::string> list, list_if(name));
    std::vector<std::uint64_t> numbers;
    for (const std::string& element : list) {
        const auto n = whole_number(element);
        if (!n) return refuse_member(name, "is not a list of whole numbers from 0 to 2^53 - 1");
        numbers.push_back(*n);
    }
    return numbers;
}

Result<void> Object::end() const {
    if (members_.empty()) return {};
    return refuse("there is no member " + quote_name(members_.front().first) + " here");
}

}  // namespace skerry::wire::json
