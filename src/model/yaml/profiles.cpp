#include "model/yaml/profiles.hpp"

#include <algorithm>
#include <charconv>

#include "model/yaml/expressions.hpp"
#include "model/yaml/words.hpp"
#include "rules/download.hpp"
#include "rules/rules.hpp"

namespace skerry::model::yaml {

namespace {

// `none, clear`, `none-clear` and `none clear` are none_clear.
std::string as_word(std::string_view text) {
    std::string out;
    for (const char c : trimmed(text)) {
        const bool joint = c == ' ' || c == ',' || c == '-' || c == '_';
        if (!joint)
            out += c;
        else if (!out.ends_with('_'))
            out += '_';
    }
    return out;
}

bool has_rows(Download download) { return download <= Download::kWith; }

}  // namespace

ProfileReader::ProfileReader(Faults& faults, Model& model) : faults_(faults), model_(model) {
    for (const Entity& entity : model.entities) entity_names_.push_back(entity.name);
    principal_names_.push_back(kUserValue);
    for (const PrincipalValue& value : model.principal) principal_names_.push_back(value.name);
}

void ProfileReader::read(const Node& profiles) {
    if (profiles.kind != Kind::kMap || profiles.entries.empty())
        return faults_.invalid(profiles.mark,
                               "`profiles:` is a map by name, such as { field: { site: all } }; without it every "
                               "device takes every row");
    if (profiles.entries.size() > kProfilesMax)
        return faults_.invalid(profiles.mark, std::to_string(profiles.entries.size()) + " profiles; at most " +
                                                  std::to_string(kProfilesMax) + " are allowed");
    for (const auto& [name, body] : profiles.entries) read_profile(name, body);
}

void ProfileReader::read_profile(const Node& name, const Node& body) {
    const std::string profile = "profile " + quoted(name.text);
    faults_.name_is_good(name, "profile");
    if (body.kind != Kind::kMap)
        return faults_.invalid(body.mark, profile + " is a map by entity, such as { site: all }");
    const std::size_t faults_before = faults_.list.size();
    std::vector<Raw> raws;
    for (const auto& [entity, value] : body.entries) read_entity(profile, entity, value, raws);
    std::sort(raws.begin(), raws.end(), [](const Raw& a, const Raw& b) { return a.said.entity < b.said.entity; });
    if (raws.size() == body.entries.size())
        find_missing(name, raws);  // else a name is wrong, probably of what is missing
    if (faults_.list.size() != faults_before) return;
    check_withs(profile, raws);
    Profile& out = model_.profiles.emplace_back(Profile{name.text, {}});
    for (Raw& raw : raws) out.entities.push_back(std::move(raw.said));
}

void ProfileReader::read_entity(const std::string& profile, const Node& name, const Node& value,
                                std::vector<Raw>& raws) {
    if (name.text == kConflictEntity)
        return faults_.invalid(name.mark,
                               profile + ": conflicts are always downloaded; leave " + quoted(name.text) + " out");
    Raw raw;
    if (model_.find(name.text, &raw.said.entity) == nullptr)
        return faults_.wrong_word(name.mark, profile + " names " + quoted(name.text) + ", which is no entity",
                                  name.text, entity_names_);
    const std::string place = profile + ", entity " + quoted(name.text);
    if (value.kind == Kind::kMap)
        read_long(place, value, raw);
    else
        read_download(place, value, raw.said);
    raws.push_back(std::move(raw));
}

void ProfileReader::read_long(const std::string& place, const Node& value, Raw& raw) {
    LongForm words;
    const std::size_t faults_before = faults_.list.size();
    for (const auto& [word, said] : value.entries) {
        if (word.text == "download")
            words.download = &said;
        else if (word.text == "with")
            words.with = &said;
        else if (word.text == "where")
            words.where = &said;
        else if (word.text == "upload")
            words.upload = &said;
        else if (word.text == "priority")
            words.priority = &said;
        else
            faults_.unknown_word(word, " of " + place, kProfileWords, kProfileNotYet);
    }
    const bool all_known = faults_.list.size() == faults_before;
    if (words.upload != nullptr) read_upload(place, *words.upload, raw.said);
    if (words.priority != nullptr) read_priority(place, *words.priority, raw.said);
    if (words.with != nullptr && words.download != nullptr)
        return faults_.invalid(words.download->mark,
                               place + ": `with:` says what is downloaded; leave `download:` out");
    if (words.with != nullptr) return read_with(place, words, raw);
    if (words.where != nullptr)
        return faults_.invalid(
            words.where->mark,
            place + ": `where:` stands beside `with:`; elsewhere the condition is `download:` itself");
    if (words.download != nullptr) return read_download(place, *words.download, raw.said);
    if (all_known)
        faults_.invalid(value.mark, place + " does not say what is downloaded; add `download:` or `with:`");
}

void ProfileReader::read_download(const std::string& place, const Node& value, EntityProfile& said) {
    if (value.kind != Kind::kScalar || trimmed(value.text).empty())
        return faults_.invalid(
            value.mark, place +
                            ": what is downloaded is `all`, a rule such as `owner = :sub`, { with: association }, "
                            "none_clear, none_preserve or never");
    const std::string word = as_word(value.text);
    for (std::size_t i = 0; i < std::size(kDownloads); ++i)
        if (kDownloads[i].word == word) {
            said.download = kDownloads[i].download;
            return;
        }
    if (word == "none")
        return faults_.invalid(
            value.mark, place +
                            ": `none` does not say what becomes of the rows that are made on a device; write "
                            "none_clear (sent, then cleared) or none_preserve (they stay as they are)");
    if (const NotYet* later = find(kDownloadNotYet, word))
        return faults_.not_yet(value.mark,
                               place + ": `" + word + "` is not supported; " + std::string(later->instead));
    const Entity& entity = model_.entity(said.entity);
    if (is_one_word(value.text) && !entity.attribute_named(value.text)) {
        std::vector<std::string_view> words;
        for (const DownloadWord& known : kDownloads) words.push_back(known.word);
        return faults_.wrong_word(value.mark, place + " cannot be " + quoted(value.text), word, words,
                                  kDownloadNotYet);
    }
    read_rule(place, value, said);
}

void ProfileReader::read_rule(const std::string& place, const Node& value, EntityProfile& said) {
    const Entity& entity = model_.entity(said.entity);
    auto rule = rules::parse_download(value.text, entity);
    if (!rule)
        return expression_fault(faults_, place, value.mark, rule.error(), entity,
                                "a rule sees its own row and one value of the user; rows follow a parent by { "
                                "with: association }, and "
                                "what a query finds is written `" +
                                    entity.key.name + " in :name`");
    if (rule->link) check_principal(place, value.mark, rule->value_at, rule->link->value);
    said.download = Download::kRule;
    said.link = std::move(rule->link);
    said.where = std::move(rule->where);
}

void ProfileReader::check_principal(const std::string& place, Mark mark, std::size_t at,
                                    const std::string& wanted) {
    if (contains(principal_names_, wanted)) return;
    faults_.wrong_word(
        mark, place + ": at byte " + std::to_string(at) + ": `:" + wanted + "` is not declared under `principal:`",
        wanted, principal_names_);
}

void ProfileReader::read_with(const std::string& place, const LongForm& words, Raw& raw) {
    const Entity& entity = model_.entity(raw.said.entity);
    const auto attribute = entity.attribute_named(words.with->text);
    if (words.with->kind != Kind::kScalar) {
        faults_.invalid(words.with->mark, place + ": `with:` is the name of one association");
    } else if (!attribute || !entity.attributes[*attribute].references) {
        std::vector<std::string_view> associations;
        for (const Attribute& candidate : entity.attributes)
            if (candidate.references) associations.push_back(candidate.name);
        std::string what =
            place + ": `with:` names " + quoted(words.with->text) + ", which is no association of it";
        if (associations.empty())
            faults_.invalid(words.with->mark, what + "; it has none, so it cannot follow a parent");
        else
            faults_.wrong_word(words.with->mark, std::move(what), words.with->text, associations);
    } else {
        raw.said.download = Download::kWith;
        raw.said.with = *attribute;
        raw.with = words.with;
    }
    if (words.where == nullptr) return;
    if (words.where->kind != Kind::kScalar || trimmed(words.where->text).empty())
        return faults_.invalid(words.where->mark,
                               place + ": `where:` is a condition in quotes, such as \"on >= '2026-01-01'\"");
    if (auto good = rules::parse(words.where->text, entity); !good)
        return expression_fault(faults_, place + ": `where:`", words.where->mark, good.error(), entity,
                                "`where:` sees its own row; the link to the user is the parent's");
    raw.said.where = trimmed(words.where->text);
}

void ProfileReader::read_upload(const std::string& place, const Node& value, EntityProfile& said) {
    const std::string word = as_word(value.text);
    if (const NotYet* later = find(kUploadNotYet, word))
        return faults_.not_yet(
            value.mark, place + ": `upload: " + word + "` is not supported; " + std::string(later->instead));
    const auto at = std::find(std::begin(kUploads), std::end(kUploads), word);
    if (value.kind != Kind::kScalar || at == std::end(kUploads))
        return faults_.wrong_word(value.mark, place + ": `upload:` cannot be " + quoted(value.text), word,
                                  kUploads, kUploadNotYet);
    said.upload = static_cast<Upload>(at - std::begin(kUploads) + 1);
}

void ProfileReader::read_priority(const std::string& place, const Node& value, EntityProfile& said) {
    const std::string& text = value.text;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), said.priority);
    if (value.kind == Kind::kScalar && error == std::errc{} && end == text.data() + text.size() &&
        said.priority <= kPriorityMax)
        return;
    faults_.invalid(value.mark, place + ": `priority:` is a whole number from 0 to " +
                                    std::to_string(kPriorityMax) + "; higher ones are downloaded earlier");
}

// Nothing is taken, or left out, because somebody forgot a line.
void ProfileReader::find_missing(const Node& name, const std::vector<Raw>& raws) {
    constexpr std::size_t kShown = 5;
    std::vector<bool> said(model_.entities.size(), false);
    for (const Raw& raw : raws) said[raw.said.entity.value] = true;
    std::string missing;
    std::size_t count = 0;
    for (std::size_t i = 0; i < said.size(); ++i) {
        if (said[i]) continue;
        if (++count <= kShown) missing += (missing.empty() ? "" : ", ") + quoted(model_.entities[i].name);
    }
    if (count == 0) return;
    if (count > kShown) missing += " and " + std::to_string(count - kShown) + " more";
    faults_.invalid(
        name.mark,
        "profile " + quoted(name.text) + " does not say what becomes of " + missing +
            "; name every entity: `all`, a rule, { with: association }, none_clear, none_preserve or never");
}

// Precondition: every entity is in `raws`, at its position.
void ProfileReader::check_withs(const std::string& profile, const std::vector<Raw>& raws) {
    const auto parent_of = [&](const Raw& raw) {
        return model_.entity(raw.said.entity).attributes[raw.said.with].references->value;
    };
    for (const Raw& raw : raws) {
        if (raw.with == nullptr) continue;
        const std::string place = profile + ", entity " + quoted(model_.entity(raw.said.entity).name) +
                                  ": `with: " + raw.with->text + "`";
        const Raw* at = &raw;
        std::size_t steps = 0;
        while (at->with != nullptr && steps <= raws.size()) {
            at = &raws[parent_of(*at)];
            ++steps;
        }
        if (at->with != nullptr)
            faults_.invalid(
                raw.with->mark,
                place + " goes round in a ring, so no row would be the first; give one entity of the ring a rule");
        else if (const Raw& parent = raws[parent_of(raw)]; !has_rows(parent.said.download))
            faults_.invalid(raw.with->mark, place + " follows entity " +
                                                quoted(model_.entity(parent.said.entity).name) +
                                                ", of which the profile downloads nothing; give that one `all` or "
                                                "a rule, or this one a rule of its own");
    }
}

}  // namespace skerry::model::yaml
