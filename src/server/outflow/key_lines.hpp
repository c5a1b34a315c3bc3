// Membership as it is sent: a row's key with all its scopes, so that each body travels once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "server/storage/storage.hpp"

namespace skerry::server::outflow {

struct KeyLines {
    std::string key;
    std::vector<wire::ScopeId> scopes;
};

// Precondition: members of one key lie next to each other.
std::vector<KeyLines> by_key(std::vector<storage::Member> members);

// What a row carries: scopes that are whole have no lines.
std::vector<wire::ScopeId> lines_of(const std::vector<wire::ScopeId>& scopes);

class KeyLinesReader {
  public:
    // Null: nothing to read.
    explicit KeyLinesReader(std::unique_ptr<storage::MemberCursor> cursor) : cursor_(std::move(cursor)) {}
    // Some of the next keys, each with all its scopes; empty at the end.
    Result<std::vector<KeyLines>> next();

  private:
    std::unique_ptr<storage::MemberCursor> cursor_;
    std::vector<storage::Member> rest_;  // of the last key, which may have more
};

}  // namespace skerry::server::outflow
