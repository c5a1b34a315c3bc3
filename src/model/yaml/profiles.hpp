// `profiles:` of the file: what devices take offline.
#pragma once

#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/yaml/faults.hpp"

namespace skerry::model::yaml {

// Into model.profiles. Preconditions: the model's entities are whole and in their places; its principal has been
// read.
class ProfileReader {
  public:
    ProfileReader(Faults& faults, Model& model);
    void read(const Node& profiles);

  private:
    // What a profile says of one entity, with the nodes that faults found later belong to.
    struct Raw {
        EntityProfile said;
        const Node* with = nullptr;
    };
    struct LongForm {
        const Node* download = nullptr;
        const Node* with = nullptr;
        const Node* where = nullptr;
        const Node* upload = nullptr;
        const Node* priority = nullptr;
    };

    void read_profile(const Node& name, const Node& body);
    void read_entity(const std::string& profile, const Node& name, const Node& value, std::vector<Raw>& raws);
    void read_long(const std::string& profile, const Node& value, Raw& raw);
    void read_download(const std::string& place, const Node& value, EntityProfile& said);
    void read_rule(const std::string& place, const Node& value, EntityProfile& said);
    void read_with(const std::string& place, const LongForm& words, Raw& raw);
    void read_upload(const std::string& place, const Node& value, EntityProfile& said);
    void read_priority(const std::string& place, const Node& value, EntityProfile& said);
    void find_missing(const Node& name, const std::vector<Raw>& raws);
    void check_withs(const std::string& profile, const std::vector<Raw>& raws);
    void check_principal(const std::string& place, Mark mark, std::size_t at, const std::string& wanted);

    Faults& faults_;
    Model& model_;
    std::vector<std::string_view> entity_names_;     // of the app's
    std::vector<std::string_view> principal_names_;  // that rules may use
};

}  // namespace skerry::model::yaml
