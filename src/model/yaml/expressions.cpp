#include "model/yaml/expressions.hpp"

namespace skerry::model::yaml {

void expression_fault(Faults& faults, const std::string& place, Mark mark, const Error& error,
                      const Entity& entity, std::string_view remedy) {
    constexpr std::string_view kNotSupported = "not_supported: ";
    constexpr std::string_view kNoAttribute = " has no attribute '";
    std::string what = place + ": ";
    const std::string& why = error.message;
    if (error.code == Code::kNotSupported) return faults.not_yet(mark, what + why);
    if (const std::size_t at = why.find(kNotSupported); at != std::string::npos)
        return faults.not_yet(mark, what + why.substr(0, at) + why.substr(at + kNotSupported.size()) +
                                        " are not supported; " + std::string(remedy));
    what += why;
    const std::size_t at = why.find(kNoAttribute);
    if (at == std::string::npos) return faults.invalid(mark, std::move(what));
    const std::size_t name = at + kNoAttribute.size();
    std::vector<std::string_view> names{entity.key.name};
    for (const Attribute& attribute : entity.attributes) names.push_back(attribute.name);
    faults.wrong_word(mark, std::move(what), std::string_view(why).substr(name, why.rfind('\'') - name), names);
}

}  // namespace skerry::model::yaml
