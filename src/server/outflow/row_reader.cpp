#include "server/outflow/row_reader.hpp"

#include <algorithm>

#include "server/outflow/limits.hpp"

namespace skerry::server::outflow {

namespace {
constexpr std::size_t kGroupMax = 256;
constexpr std::size_t kValueOverhead = 11;  // a tag, and an integer or a length
}  // namespace

std::size_t payload_bytes(const wire::RowEntry& entry) {
    std::size_t bytes = entry.key.size() + (2 + entry.lines.size()) * kValueOverhead;
    for (const Value& value : entry.row) {
        bytes += kValueOverhead;
        if (const auto* text = std::get_if<std::string>(&value)) bytes += text->size();
    }
    return bytes;
}

wire::RowEntry RowReader::Found::entry() && { return {std::move(at.key), lines_of(at.scopes), std::move(*row)}; }

Result<std::vector<RowReader::Found>> RowReader::next(std::vector<KeyLines>& keys, std::size_t& at, const model::Model& model) {
    const std::size_t n = std::min(group_, keys.size() - at);
    std::vector<std::string> group;
    for (std::size_t i = 0; i < n; ++i) group.push_back(keys[at + i].key);
    SKERRY_ASSIGN(auto rows, view_.rows(entity_, group));
    std::vector<Found> found;
    found.reserve(n);
    std::size_t bytes = 1;
    for (std::size_t i = 0; i < n; ++i) {
        Found& one = found.emplace_back(Found{std::move(keys[at + i]), std::nullopt});
        if (!rows[i]) continue;
        const auto good = model::check_row(model.entity(entity_), group[i], *rows[i]);
        if (!good) {
            log_.line(LogLevel::kError, "a row is not sent: " + good.error().message);
            continue;
        }
        bytes += payload_bytes({group[i], {}, *rows[i]});
        one.row = std::move(*rows[i]);
    }
    at += n;
    group_ = std::clamp<std::size_t>(kFramePayloadTarget / (bytes / n + 1), 1, kGroupMax);
    return found;
}

}  // namespace skerry::server::outflow
