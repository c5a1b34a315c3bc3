#include "model/yaml/reader.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <span>

#include "base/text.hpp"
#include "model/yaml/tree.hpp"

namespace skerry::model {

namespace {

using yaml::Fault;
using yaml::Kind;
using yaml::Mark;
using yaml::Node;
using yaml::quoted;

// A word of the syntax that this version refuses, with what to do about it. Written out so that a model that
// asks for something is told "not yet", never "unknown" and never ignored.
struct NotYet {
    std::string_view word;
    std::string_view instead;
};

constexpr NotYet kTopNotYet[] = {
    {"principal", "leave it out: with `access: open` every signed-in user may read and write"},
    {"profiles", "leave it out: every device takes every row offline"},
};
constexpr NotYet kEntityNotYet[] = {
    {"conflict", "leave it out: per attribute, the later arrival wins"},
    {"on_delete", "leave it out: there are no associations yet"},
    {"indexes", "leave it out; an index can be made with `create index` on a device"},
    {"unique", "leave it out and check in the app"},
    {"strict", "leave it out"},
    {"checks", "leave it out and check in the app"},
    {"check", "leave it out and check in the app"},
};
constexpr NotYet kAttributeNotYet[] = {
    {"check", "leave it out and check in the app"},
    {"default", "leave it out and write the value when the row is made"},
    {"required", "leave it out and check in the app"},
    {"unique", "leave it out and check in the app"},
    {"precision", "leave it out"},
    {"scale", "leave it out"},
    {"values", "leave it out; use text"},
    {"references", "leave it out; hold the other row's id in a uuid attribute"},
};
constexpr NotYet kTypesNotYet[] = {
    {"real", "use text, or int in a smaller unit"},
    {"decimal", "use int in the smallest unit (cents, grams)"},
    {"bool", "use int with 0 and 1"},
    {"date", "use text in ISO 8601, such as 2026-11-21"},
    {"timestamp", "use text in ISO 8601 and UTC"},
    {"json", "use text"},
    {"blob", "use text in base64"},
    {"set", "use an entity with one row per member"},
    {"order", "use int"},
    {"enum", "use text"},
    {"file", "keep the file elsewhere and its name in text"},
};
constexpr NotYet kMergeNotYet[] = {
    {"latest", ""}, {"first", ""}, {"max", ""}, {"min", ""},  {"counter", ""},
    {"set", ""},    {"text", ""},  {"ask", ""}, {"rule", ""},
};
constexpr std::string_view kTopWords[] = {"app", "version", "access", "entities"};
constexpr std::string_view kEntityWords[] = {"attributes", "key"};
constexpr std::string_view kAttributeWords[] = {"type", "merge"};
constexpr std::string_view kTypes[] = {"uuid", "text", "int"};
constexpr std::string_view kMerges[] = {"last"};

const NotYet* find(std::span<const NotYet> list, std::string_view word) {
    const auto at = std::find_if(list.begin(), list.end(), [&](const NotYet& n) { return n.word == word; });
    return at == list.end() ? nullptr : &*at;
}

bool contains(std::span<const std::string_view> list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

// Levenshtein distance, for "did you mean".
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
            diagonal = above;
        }
    }
    return row[b.size()];
}

class ModelReader {
  public:
    std::vector<Fault> faults;

    Model read(const Node& root) {
        Model model;
        if (root.kind != Kind::kMap) {
            invalid(root.mark, "a model is a map; begin with `app: name`");
            return model;
        }
        const Node* app = nullptr;
        const Node* version = nullptr;
        const Node* access = nullptr;
        const Node* entities = nullptr;
        for (const auto& [key, value] : root.entries) {
            if (key.text == "app") app = &value;
            else if (key.text == "version") version = &value;
            else if (key.text == "access") access = &value;
            else if (key.text == "entities") entities = &value;
            else unknown_word(key, "", kTopWords, kTopNotYet);
        }
        read_app(root, app, model);
        read_version(root, version, model);
        read_access(root, access);
        read_entities(root, entities, model);
        complete(model);
        return model;
    }

  private:
    void invalid(Mark mark, std::string text) { faults.push_back({mark, Code::kModelInvalid, std::move(text)}); }
    void not_yet(Mark mark, std::string text) { faults.push_back({mark, Code::kNotSupported, std::move(text)}); }

    void unknown_word(const Node& key, std::string_view where, std::span<const std::string_view> words,
                      std::span<const NotYet> later) {
        if (const NotYet* n = find(later, key.text)) {
            not_yet(key.mark, "`" + std::string(n->word) + ":`" + std::string(where) +
                                  " is not supported yet; " + std::string(n->instead));
            return;
        }
        invalid(key.mark, "unknown word " + quoted(key.text) + std::string(where) +
                              suggestion(key.text, words, later));
    }

    static std::string suggestion(std::string_view word, std::span<const std::string_view> words,
                                  std::span<const NotYet> later) {
        std::string_view best;
        std::size_t least = word.size() <= 4 ? 2 : 3;  // more letters may be wrong in a longer word
        const auto try_word = [&](std::string_view candidate) {
            const std::size_t d = word.size() > 64 ? 64 : distance(word, candidate);
            if (d < least) {
                least = d;
                best = candidate;
            }
        };
        for (const std::string_view candidate : words) try_word(candidate);
        for (const NotYet& candidate : later) try_word(candidate.word);
        if (!best.empty()) return "; did you mean '" + std::string(best) + "'?";
        std::string list;
        for (const std::string_view candidate : words) {
            if (!list.empty()) list += ", ";
            list += candidate;
        }
        return "; known here: " + list;
    }

    void read_app(const Node& root, const Node* app, Model& model) {
        if (app == nullptr) return invalid(root.mark, "`app:` is missing; give the app a name, such as `app: places`");
        if (app->kind != Kind::kScalar) return invalid(app->mark, "`app:` must be a name");
        if (!name_is_good(*app, "app")) return;
        model.app = app->text;
    }

    void read_version(const Node& root, const Node* version, Model& model) {
        if (version == nullptr) return invalid(root.mark, "`version:` is missing; begin with `version: 1`");
        std::uint32_t number = 0;
        const std::string& text = version->text;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (version->kind != Kind::kScalar || error != std::errc{} || end != text.data() + text.size() || number == 0)
            return invalid(version->mark, "`version:` must be a whole number from 1 to 4294967295");
        model.version = number;
    }

    void read_access(const Node& root, const Node* access) {
        if (access == nullptr)
            return invalid(root.mark,
                           "`access:` is missing, so nobody could read or write; `access: open` lets every "
                           "signed-in user read and write");
        if (access->kind == Kind::kMap) {
            const Mark mark = access->entries.empty() ? access->mark : access->entries.front().key.mark;
            return not_yet(mark, "rules in `access:` are not supported yet; write `access: open` if every signed-in user "
                                 "may read and write everything");
        }
        if (access->kind != Kind::kScalar || access->text != "open")
            return invalid(access->mark, "`access:` must be `open`");
    }

    void read_entities(const Node& root, const Node* entities, Model& model) {
        if (entities == nullptr)
            return invalid(root.mark, "`entities:` is missing; a model has at least one entity");
        if (entities->kind != Kind::kMap || entities->entries.empty())
            return invalid(entities->mark, "`entities:` must list at least one entity, such as `task: { attributes: { id: uuid } }`");
        for (const auto& [key, value] : entities->entries) entity_names_.push_back(key.text);
        if (entity_names_.size() > kEntitiesMax)
            return invalid(entities->mark, std::to_string(entity_names_.size()) + " entities; at most " +
                                               std::to_string(kEntitiesMax) + " are allowed");
        for (const auto& [key, value] : entities->entries) read_entity(key, value, model);
    }

    void read_entity(const Node& name, const Node& body, Model& model) {
        name_is_good(name, "entity");
        if (body.kind != Kind::kMap)
            return invalid(body.mark, "entity " + quoted(name.text) + " needs `attributes:`");
        const Node* attributes = nullptr;
        const Node* key = nullptr;
        const std::string where = " of entity " + quoted(name.text);
        for (const auto& [word, value] : body.entries) {
            if (word.text == "attributes") attributes = &value;
            else if (word.text == "key") key = &value;
            else unknown_word(word, where, kEntityWords, kEntityNotYet);
        }
        if (attributes == nullptr || attributes->kind != Kind::kMap || attributes->entries.empty())
            return invalid(attributes == nullptr ? name.mark : attributes->mark,
                           "entity " + quoted(name.text) + " needs `attributes:`, such as `attributes: { id: uuid, name: text }`");
        if (attributes->entries.size() > kAttributesMax + 1)
            return invalid(attributes->mark, std::to_string(attributes->entries.size()) + " attributes; at most " +
                                                 std::to_string(kAttributesMax) + " beside the key are allowed");
        const Node* key_node = find_key(name, *attributes, key);
        Entity entity;
        entity.name = name.text;
        for (const auto& [attribute_name, value] : attributes->entries) {
            const bool is_key = &attribute_name == key_node;
            Attribute attribute = read_attribute(name, attribute_name, value, is_key);
            if (is_key) entity.key = std::move(attribute);
            else entity.attributes.push_back(std::move(attribute));
        }
        model.entities.push_back(std::move(entity));
    }

    // The attribute that `key:` names, else the one called id.
    const Node* find_key(const Node& entity, const Node& attributes, const Node* key) {
        if (key != nullptr && key->kind != Kind::kScalar) {
            if (key->kind == Kind::kList)
                not_yet(key->mark, "a key of several attributes is not supported yet; name one attribute");
            else
                invalid(key->mark, "`key:` must name an attribute");
            return nullptr;
        }
        const std::string_view wanted = key == nullptr ? std::string_view("id") : key->text;
        for (const auto& [name, value] : attributes.entries)
            if (name.text == wanted) return &name;
        if (key == nullptr) {
            invalid(entity.mark, "entity " + quoted(entity.text) +
                                     " has no key; give it `id: uuid`, or say `key: attribute`");
            return nullptr;
        }
        std::vector<std::string_view> names;
        for (const auto& [name, value] : attributes.entries) names.push_back(name.text);
        invalid(key->mark, "`key:` names " + quoted(wanted) + ", which is no attribute of entity " +
                               quoted(entity.text) + suggestion(wanted, names, {}));
        return nullptr;
    }

    Attribute read_attribute(const Node& entity, const Node& name, const Node& value, bool is_key) {
        Attribute attribute;
        attribute.name = name.text;
        const std::string place = entity.text + "." + name.text;
        name_is_good(name, "attribute");
        const Node* type = &value;
        if (value.kind == Kind::kMap) {
            type = nullptr;
            for (const auto& [word, item] : value.entries) {
                if (word.text == "type") type = &item;
                else if (word.text == "merge") read_merge(place, word, item, is_key);
                else unknown_word(word, " of attribute " + quoted(place), kAttributeWords, kAttributeNotYet);
            }
            if (type == nullptr) {
                invalid(value.mark, "attribute " + quoted(place) + " has no `type:`; give it uuid, text or int");
                return attribute;
            }
        }
        attribute.type = read_type(place, *type, is_key);
        return attribute;
    }

    Type read_type(const std::string& place, const Node& node, bool is_key) {
        if (node.kind == Kind::kList) {
            not_yet(node.mark, "attribute " + quoted(place) + ": a list of values (enum) is not supported yet; use text");
            return Type::kText;
        }
        if (node.kind != Kind::kScalar || node.text.empty()) {
            invalid(node.mark, "attribute " + quoted(place) + " has no type; give it uuid, text or int");
            return Type::kText;
        }
        std::string_view text = node.text;
        if (const std::size_t equals = text.find('='); equals != std::string_view::npos) {
            not_yet(node.mark, "attribute " + quoted(place) +
                                   ": a default (= value) is not supported yet; write the value when the row is made");
            text = trimmed(text.substr(0, equals));
        }
        if (text.ends_with('!')) {
            not_yet(node.mark, "attribute " + quoted(place) + ": required (!) is not supported yet; " +
                                   (is_key ? "a key always is, leave the ! out" : "leave the ! out and check in the app"));
            text = trimmed(text.substr(0, text.size() - 1));
        }
        if (text == "uuid") return Type::kUuid;
        if (text == "text") return Type::kText;
        if (text == "int") {
            if (is_key)
                not_yet(node.mark, "attribute " + quoted(place) +
                                       ": an integer key is not supported yet; use a uuid key and keep the number beside it");
            return Type::kInt;
        }
        const std::string_view word = trimmed(text.substr(0, text.find('(')));
        if (const NotYet* n = find(kTypesNotYet, word)) {
            not_yet(node.mark, "attribute " + quoted(place) + ": the type " + quoted(word) + " is not supported yet; " +
                                   std::string(n->instead));
            return Type::kText;
        }
        if (std::find(entity_names_.begin(), entity_names_.end(), text) != entity_names_.end()) {
            not_yet(node.mark, "attribute " + quoted(place) + ": an association to " + quoted(text) +
                                   " is not supported yet; use uuid and hold the row's id in it");
            return Type::kUuid;
        }
        invalid(node.mark, "attribute " + quoted(place) + ": unknown type " + quoted(text) +
                               suggestion(text, kTypes, kTypesNotYet));
        return Type::kText;
    }

    void read_merge(const std::string& place, const Node& word, const Node& value, bool is_key) {
        if (is_key)
            return invalid(word.mark, "attribute " + quoted(place) + " is the key, which never changes; leave `merge:` out");
        const bool is_map = value.kind == Kind::kMap && !value.entries.empty();
        const std::string_view text = is_map ? value.entries.front().key.text : value.text;
        if (value.kind == Kind::kScalar && contains(kMerges, text)) return;
        const std::string_view policy = trimmed(text.substr(0, text.find(':')));
        if (find(kMergeNotYet, policy) != nullptr)
            return not_yet(value.mark, "attribute " + quoted(place) + ": `merge: " + std::string(policy) +
                                           "` is not supported yet; `last` is (the later arrival wins)");
        invalid(value.mark, "attribute " + quoted(place) + ": unknown merge policy " + quoted(text) +
                                suggestion(text, kMerges, kMergeNotYet));
    }

    bool name_is_good(const Node& node, std::string_view what) {
        if (is_valid_name(node.text)) return true;
        invalid(node.mark, "the " + std::string(what) + " name " + quoted(node.text) +
                               " is not allowed; use lower-case letters, digits and underscores, at most " +
                               std::to_string(kNameLengthMax) +
                               ", beginning with a letter and not with 'skerry' or 'sqlite'");
        return false;
    }

    static std::string_view trimmed(std::string_view text) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
        return text;
    }

    std::vector<std::string> entity_names_;
};

Error to_error(std::vector<Fault> faults, std::string_view file_name) {
    // By place; of one place in the order in which they were found, which a multimap keeps.
    std::multimap<Mark, Fault> sorted;
    for (Fault& fault : faults) sorted.emplace(fault.mark, std::move(fault));
    Error error{Code::kNotSupported, {}, {}};
    std::size_t shown = 0;
    for (const auto& [mark, fault] : sorted) {
        if (fault.code != Code::kNotSupported) error.code = fault.code;
        if (++shown > kModelFaultsShown) continue;
        if (shown > 1) error.message += '\n';
        error.message += std::string(file_name) + ":" + std::to_string(mark.line) + ":" +
                         std::to_string(mark.column) + ": " + fault.text;
    }
    if (shown > kModelFaultsShown)
        error.message += "\nand " + std::to_string(shown - kModelFaultsShown) + " more faults";
    return error;
}

}  // namespace

Result<Model> read_model(std::string_view text, std::string_view file_name) {
    const auto whole_file = [&](std::string why) {
        return tl::unexpected<Error>(to_error({{{1, 1}, Code::kModelInvalid, std::move(why)}}, file_name));
    };
    if (text.size() > kModelFileBytesMax)
        return whole_file("the file has " + with_commas(text.size()) + " bytes; the limit is " +
                          with_commas(kModelFileBytesMax));
    if (!is_clean_text(text)) return whole_file("the file is not UTF-8 text; save it as UTF-8");
    ModelReader reader;
    const Node root = yaml::parse(text, kModelFileDepthMax, reader.faults);
    if (!reader.faults.empty()) return tl::unexpected<Error>(to_error(std::move(reader.faults), file_name));
    Model model = reader.read(root);
    if (!reader.faults.empty()) return tl::unexpected<Error>(to_error(std::move(reader.faults), file_name));
    if (auto good = check(model); !good) return fail(std::move(good.error()), "reading " + std::string(file_name));
    return model;
}

}  // namespace skerry::model
