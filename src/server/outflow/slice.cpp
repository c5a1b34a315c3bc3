#include "server/outflow/slice.hpp"

#include <algorithm>

#include "server/outflow/limits.hpp"
#include "server/outflow/row_reader.hpp"

namespace skerry::server::outflow {

Result<NextSlice> next_slice(storage::Snapshot& view, const model::Model& model, scopes::Download& download,
                             std::uint32_t rows, Log& log) {
    // One more than wanted tells whether this is the end.
    SKERRY_ASSIGN(auto keys, view.members_after(download.scope, download.after, std::size_t{rows} + 1));
    bool complete = keys.size() <= rows;
    if (!complete) keys.pop_back();
    NextSlice next;
    next.slice.entity = download.scope.entity;
    next.slice.scopes = {download.scope.scope};
    next.slice.after = download.after;
    RowReader reader(view, download.scope.entity, log);
    std::size_t bytes = 0;
    std::size_t at = 0;
    std::size_t sent = 0;  // of the keys: a row that is held back counts, its place in the range is told
    while (at < keys.size() && bytes < kSlicePayloadTarget) {
        SKERRY_ASSIGN(auto found, reader.next(keys, at, model));
        for (RowReader::Found& one : found) {
            if (bytes >= kSlicePayloadTarget) break;
            ++sent;
            if (!one.row) continue;
            wire::RowEntry entry{std::move(one.key), {}, std::move(*one.row)};
            bytes += payload_bytes(entry);
            next.slice.rows.push_back(std::move(entry));
        }
    }
    complete = complete && sent == keys.size();
    if (!complete) {
        next.slice.upto = keys[sent - 1];
        download.after = keys[sent - 1];
    }
    download.rows_left -= std::min<std::uint64_t>(download.rows_left, sent);
    next.complete = complete;
    return next;
}

}  // namespace skerry::server::outflow
