// What the user's profile says of each entity, for a device: which rows come, which stay as they are, which are not sent. The
// profile is the one that the last checkpoint named; before the first, and where the model does not know it, the model's first.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "model/model.hpp"
#include "store/meta.hpp"

namespace skerry::store {

class Modes {
  public:
    static Result<Modes> load(Meta& meta, const model::Model& model);

    // Of the whole entity; kAll where there are no profiles.
    model::Download of(EntityIx ix) const { return ix.value < downloads_.size() ? downloads_[ix.value] : model::Download::kAll; }
    // Writes are captured and never numbered, unless the app asks for it.
    bool kept(EntityIx ix) const { return of(ix) == model::Download::kNever; }
    // Rows stay as they are when they settle, and when a scope is lost.
    bool stays(EntityIx ix) const { return kept(ix) || of(ix) == model::Download::kNonePreserve; }
    // Nothing comes from the server: what settles is not followed by a row.
    bool nothing_comes(EntityIx ix) const { return stays(ix) || of(ix) == model::Download::kNoneClear; }

  private:
    std::vector<model::Download> downloads_;  // by entity; empty without profiles
};

}  // namespace skerry::store
