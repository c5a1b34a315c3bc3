#include "store/modes.hpp"

namespace skerry::store {

Result<Modes> Modes::load(Meta& meta, const model::Model& model) {
    Modes modes;
    if (model.profiles.empty()) return modes;
    SKERRY_ASSIGN(const auto name, meta.bytes(key::kProfile));
    const model::Profile* profile = model.profile(name.value_or(""));
    if (profile == nullptr) profile = model.profile("");
    modes.downloads_.assign(model.entities.size(), model::Download::kAll);
    for (const model::EntityProfile& said : profile->entities)
        if (model.has(said.entity)) modes.downloads_[said.entity.value] = said.download;
    return modes;
}

}  // namespace skerry::store
