#include "model/yaml/reader.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/text.hpp"
#include "model/yaml/entities.hpp"
#include "model/yaml/principal.hpp"
#include "model/yaml/profiles.hpp"
#include "model/yaml/words.hpp"

namespace skerry::model {

namespace {

using namespace yaml;

class ModelReader {
  public:
    explicit ModelReader(Faults& faults) : faults_(faults) {}

    Model read(const Node& root) {
        Model model;
        if (root.kind != Kind::kMap) {
            faults_.invalid(root.mark, "a model is a map; begin with `app: name`");
            return model;
        }
        const auto word = [&](std::string_view wanted) {
            const auto at = std::find_if(root.entries.begin(), root.entries.end(), [&](const Entry& entry) { return entry.key.text == wanted; });
            return at == root.entries.end() ? nullptr : &at->value;
        };
        // Entities first: what they need of each other, and profiles of them, is read only while nothing is wrong. The
        // faults are told in the file's order anyway.
        read_entities(root, word("entities"), model);
        read_profiles(word("principal"), word("profiles"), model);
        read_app(root, word("app"), model);
        read_version(root, word("version"), model);
        read_access(root, word("access"));
        for (const auto& [key, value] : root.entries)
            if (!contains(kTopWords, key.text)) faults_.unknown_word(key, "", kTopWords, {});
        return model;
    }

  private:
    void read_app(const Node& root, const Node* app, Model& model) {
        if (app == nullptr) return faults_.invalid(root.mark, "`app:` is missing; give the app a name, such as `app: places`");
        if (app->kind != Kind::kScalar) return faults_.invalid(app->mark, "`app:` must be a name");
        if (faults_.name_is_good(*app, "app")) model.app = app->text;
    }

    void read_version(const Node& root, const Node* version, Model& model) {
        if (version == nullptr) return faults_.invalid(root.mark, "`version:` is missing; begin with `version: 1`");
        std::uint32_t number = 0;
        const std::string& text = version->text;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (version->kind != Kind::kScalar || error != std::errc{} || end != text.data() + text.size() || number == 0)
            return faults_.invalid(version->mark, "`version:` must be a whole number from 1 to 4294967295");
        model.version = number;
    }

    void read_access(const Node& root, const Node* access) {
        if (access == nullptr)
            return faults_.invalid(root.mark,
                                   "`access:` is missing, so nobody could read or write; `access: open` lets every "
                                   "signed-in user read and write");
        if (access->kind == Kind::kMap) {
            const Mark mark = access->entries.empty() ? access->mark : access->entries.front().key.mark;
            return faults_.not_yet(mark, "rules in `access:` are not supported; write `access: open` if every signed-in user "
                                         "may read and write everything");
        }
        if (access->kind != Kind::kScalar || access->text != "open")
            return faults_.invalid(access->mark, "`access:` must be `open`");
    }

    void read_entities(const Node& root, const Node* entities, Model& model) {
        if (entities == nullptr) return faults_.invalid(root.mark, "`entities:` is missing; a model has at least one entity");
        if (entities->kind != Kind::kMap || entities->entries.empty())
            return faults_.invalid(entities->mark, "`entities:` must list at least one entity, such as `task: { attributes: { id: uuid } }`");
        model.entities = EntityReader(faults_).read(*entities);
    }

    void read_profiles(const Node* principal, const Node* profiles, Model& model) {
        const bool entities_are_whole = faults_.list.empty();
        if (principal != nullptr) read_principal(faults_, *principal, model);
        if (profiles != nullptr && entities_are_whole) ProfileReader(faults_, model).read(*profiles);
    }

    Faults& faults_;
};

std::vector<ModelFault> in_file_order(std::vector<Fault> faults) {
    // Of one place in the order in which they were found, which a multimap keeps.
    std::multimap<Mark, Fault> sorted;
    for (Fault& fault : faults) sorted.emplace(fault.mark, std::move(fault));
    std::vector<ModelFault> out;
    for (auto& [mark, fault] : sorted) out.push_back({mark.line, mark.column, fault.code, std::move(fault.text)});
    return out;
}

}  // namespace

ModelReading read_model_faults(std::string_view text) {
    const auto whole_file = [&](std::string why) {
        return ModelReading{std::nullopt, {{1, 1, Code::kModelInvalid, std::move(why)}}};
    };
    if (text.size() > kModelFileBytesMax)
        return whole_file("the file has " + with_commas(text.size()) + " bytes; the limit is " + with_commas(kModelFileBytesMax));
    if (!is_clean_text(text)) return whole_file("the file is not UTF-8 text; save it as UTF-8");
    Faults faults;
    const Node root = parse(text, kModelFileDepthMax, faults.list);
    if (!faults.list.empty()) return {std::nullopt, in_file_order(std::move(faults.list))};
    Model model = ModelReader(faults).read(root);
    if (!faults.list.empty()) return {std::nullopt, in_file_order(std::move(faults.list))};
    complete(model);
    if (auto good = check(model); !good) return {std::nullopt, {{1, 1, good.error().code, good.error().message}}};
    return {std::move(model), {}};
}

Result<Model> read_model(std::string_view text, std::string_view file_name) {
    ModelReading reading = read_model_faults(text);
    if (reading.model) return std::move(*reading.model);
    Error error{Code::kNotSupported, {}, {}};
    for (std::size_t i = 0; i < reading.faults.size(); ++i) {
        const ModelFault& fault = reading.faults[i];
        if (fault.code != Code::kNotSupported) error.code = fault.code;
        if (i >= kModelFaultsShown) continue;
        if (i > 0) error.message += '\n';
        error.message += std::string(file_name) + ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column) + ": " + fault.text;
    }
    if (reading.faults.size() > kModelFaultsShown)
        error.message += "\nand " + std::to_string(reading.faults.size() - kModelFaultsShown) + " more faults";
    return tl::unexpected<Error>(std::move(error));
}

}  // namespace skerry::model
