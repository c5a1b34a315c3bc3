// What checkpoints of one state of the database have in common. Of a thousand devices that wait for the same change the first
// one's checkpoint reads and encodes it, the others are given the same bytes. All of it is forgotten as soon as anything at all
// was written: no checkpoint is made of an older right or an older row. What belongs to one device (that it may still come, its
// outcomes, its token) is never in here.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "server/scopes/grants.hpp"
#include "server/scopes/token.hpp"

namespace skerry::server::outflow {

class Shared {
  public:
    // The last batch, where this is the state that everything here is of. Nothing waited to be sequenced in it.
    std::optional<storage::Mark> last(const storage::ViewOf& of) const;
    // From now on this is the state.
    void begin(const storage::ViewOf& of, const storage::Mark& last);

    // Of the principal with what he has chosen; null: not read yet, or too long ago, for his queries may ask for the time.
    std::shared_ptr<const scopes::Grants> grants(const scopes::Who& who, Micros mono) const;
    void keep(const scopes::Who& who, Micros mono, std::shared_ptr<const scopes::Grants> grants);

    // Of cursors that stand for what is granted now. Whether the cursor can be continued; empty: nobody has looked yet.
    std::optional<bool> continues(const scopes::Cursor& cursor) const;
    void keep(const scopes::Cursor& cursor, bool continues);

    // From the cursor to the last batch.
    struct Delta {
        std::uint64_t rows = 0;
        Bytes frames;  // none: nothing that is to be told
    };
    // Null: nobody has encoded it yet, or it is too large. Stays valid until the next call that is not const.
    const Delta* delta(const scopes::Cursor& cursor) const;
    void keep(const scopes::Cursor& cursor, Delta delta);

  private:
    struct From {
        std::uint64_t grants = 0;
        Seq seq;
        std::uint64_t mark = 0;
        friend auto operator<=>(const From&, const From&) = default;
    };
    struct Read {
        Micros at{0};
        std::shared_ptr<const scopes::Grants> grants;
    };
    static From from(const scopes::Cursor& cursor) { return {cursor.grants, cursor.at->seq, cursor.at->mark}; }
    static std::string name_of(const scopes::Who& who);

    std::optional<storage::ViewOf> of_;
    storage::Mark last_;
    std::map<std::string, Read> grants_;
    std::map<From, bool> continues_;
    std::map<From, Delta> deltas_;
    std::size_t bytes_ = 0;  // of deltas_
};

}  // namespace skerry::server::outflow
