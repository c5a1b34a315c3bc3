// Reading membership: which rows are in which scopes, and since when. Sets of scopes are bound as JSON or go through one
// statement scope by scope, never through SQL text.
//
//   what is asked                 how it is found
//   changed since, in scopes      skerry_member_by_seq, once per scope
//   live in a scope, by key       the table itself
//   live in many scopes, by key   skerry_member_by_key, as long as it holds more of them than of others
//   scopes of a row               skerry_member_by_key, which holds keyed scopes only; whole ones by the table
#pragma once

#include "server/storage/sqlite/reading.hpp"

namespace skerry::server::storage {

Result<std::unique_ptr<MemberCursor>> read_changed(sqlite::Database& db, EntityIx entity, Scopes scopes, Seq after, Seq upto, Live live);
Result<Changed> read_changed_in(sqlite::Database& db, Scopes scopes, Seq after, Seq upto, std::uint64_t limit);
Result<std::uint64_t> count_members(sqlite::Database& db, EntityIx entity, Scopes scopes);
Result<std::vector<Member>> read_memberships(sqlite::Database& db, EntityIx entity, Scopes scopes, std::span<const std::string> keys);
Result<std::vector<Member>> read_kept_by(sqlite::Database& db, EntityIx entity, Scopes in, wire::ScopeId lost, Seq after);
Result<std::vector<std::optional<EntityIx>>> read_entities_of(sqlite::Database& db, Scopes scopes);
Result<Seq> read_floor(sqlite::Database& db, Scopes scopes);

struct KeyBounds {
    const std::string& after;
    const std::optional<std::string>& upto;
};
Result<std::vector<Member>> read_members(sqlite::Database& db, EntityIx entity, Scopes scopes, const KeyBounds& keys, std::size_t limit);

// A set of scopes as it is stored: how many, then the steps from one to the next.
Bytes packed(Scopes scopes);
Result<std::vector<wire::ScopeId>> unpacked(BytesView bytes);

}  // namespace skerry::server::storage
