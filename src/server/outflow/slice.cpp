#include "server/outflow/slice.hpp"

#include "server/outflow/row_reader.hpp"

namespace skerry::server::outflow {

Result<NextSlice> next_slice(storage::Snapshot& view, const model::Model& model, const SliceRange& range, SliceSize size, Log& log) {
    // One more than wanted tells whether this is the end.
    SKERRY_ASSIGN(auto members, view.members_after(range.entity, range.scopes, range.after, range.upto, size.rows + 1));
    std::vector<KeyLines> keys = by_key(std::move(members));
    bool complete = keys.size() <= size.rows;
    if (!complete) keys.pop_back();
    NextSlice next;
    next.slice.entity = range.entity;
    next.slice.scopes = range.scopes;
    next.slice.after = range.after;
    RowReader reader(view, range.entity, log);
    std::size_t at = 0;
    std::string last;
    while (at < keys.size() && next.bytes < size.bytes) {
        SKERRY_ASSIGN(auto found, reader.next(keys, at, model));
        for (RowReader::Found& one : found) {
            if (next.bytes >= size.bytes) break;
            ++next.rows;
            last = one.at.key;
            if (!one.row) continue;
            wire::RowEntry entry = std::move(one).entry();
            next.bytes += payload_bytes(entry);
            next.slice.rows.push_back(std::move(entry));
        }
    }
    next.complete = complete && next.rows == keys.size();
    next.slice.upto = next.complete ? range.upto : std::optional(std::move(last));
    return next;
}

}  // namespace skerry::server::outflow
