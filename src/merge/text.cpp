// CONFLICT    A text was changed on the server after what the author built on.
// RESOLUTION  Three-way by words: what each changed of the old text is put into the other's. Where both changed the
//             same words, or put different ones at the same place, a person is asked. After a predecessor that was
//             merged, the author's old text is not what the server has, so the same three-way merge applies.
// WHY         Two people who add to one note mean both sentences; which of two corrections of one word is right only
//             people know.
//
// NULL is no text, not an empty one: a change to or from it is never mixed with words.
#include "merge/common.hpp"

namespace skerry::merge {

Output text(const Input& in) {
    if (in.mine == in.current) return {};
    const Prior prior = effective_prior(in);
    if ((prior == Prior::kNone || prior == Prior::kApplied) && as_built_on(in)) return write_as_meant(in.mine);
    const auto* old_text = std::get_if<std::string>(&in.old_value);
    const auto* mine = std::get_if<std::string>(&in.mine);
    const auto* current = std::get_if<std::string>(&in.current);
    if (old_text == nullptr || mine == nullptr || current == nullptr) return {Decision::kAsk, {}, false, false};
    auto mixed = merge_words(*old_text, *mine, *current);
    if (!mixed || mixed->size() > model::kValueBytesMax) return {Decision::kAsk, {}, false, false};
    // What is stored then holds words that the author has not seen. His next change is merged again, never written as
    // it is, so this one must not count as applied.
    const bool merged = *mixed != *mine || !alone(in);
    if (*mixed == *current) return {Decision::kNothing, {}, false, merged};
    return {Decision::kWrite, std::move(*mixed), false, merged};
}

}  // namespace skerry::merge
