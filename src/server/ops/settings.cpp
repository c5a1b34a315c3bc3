#include "server/ops/settings.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace skerry::server::ops {

namespace {

constexpr std::array kInfos{
    SettingInfo{"listen", "127.0.0.1", "address to listen on; 0.0.0.0 for every interface"},
    SettingInfo{"port", "8737", "port to listen on; 0 for any free one"},
    SettingInfo{"connections_max", "10000", "connections at one time; more are asked to come later"},
    SettingInfo{"address_connections_max", "1000", "of these, from one address; loopback, where a proxy is, is not counted"},
    SettingInfo{"retention_days", "90", "how long history, log, last images, closed conflicts and drafts are kept"},
    SettingInfo{"log_level", "info", "the least that is logged: error, warning, info or debug"},
    SettingInfo{"log_format", "text", "how: text (key=value) or json (an object a line)"},
    SettingInfo{"metrics", "off", "on: GET /metrics answers to a token whose label is metrics"},
};

const SettingInfo* find(std::string_view name) {
    for (const SettingInfo& info : kInfos)
        if (info.name == name) return &info;
    return nullptr;
}

std::string shown(std::string_view text) { return without_tokens(quoted(text.substr(0, 100))); }

// Of names, and of IPv4 and IPv6 addresses with a zone. A `#` would begin a comment where the settings are shown as a file.
bool is_address_char(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || std::string_view(".:-_%").find(c) != std::string_view::npos;
}

// A whole number with nothing around it, or what is wrong.
std::string put_number(std::string_view text, int least, int most, int& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error == std::errc() && end == text.data() + text.size() && out >= least && out <= most) return {};
    return shown(text) + " is not a whole number from " + std::to_string(least) + " to " + std::to_string(most);
}

// Puts the value in its place, or says what is wrong.
std::string put(Settings& settings, std::string_view name, std::string_view value) {
    if (name == "listen") {
        if (value.empty() || value.size() > 255) return "an address or a host's name is wanted";
        if (!std::all_of(value.begin(), value.end(), is_address_char))
            return shown(value) + " is neither an address nor a host's name";
        settings.listen = value;
        return {};
    }
    if (name == "port") {
        int port = 0;
        std::string fault = put_number(value, 0, 65'535, port);
        if (fault.empty()) settings.port = static_cast<std::uint16_t>(port);
        return fault;
    }
    if (name == "connections_max") return put_number(value, 1, 1'000'000, settings.connections_max);
    if (name == "address_connections_max") return put_number(value, 1, 1'000'000, settings.address_connections_max);
    if (name == "retention_days") return put_number(value, 1, 36'500, settings.retention_days);
    if (name == "log_level") {
        const auto level = level_named(value);
        if (!level) return shown(value) + " is not error, warning, info or debug";
        settings.log_level = *level;
        return {};
    }
    if (name == "log_format") {
        if (value != "text" && value != "json") return shown(value) + " is neither text nor json";
        settings.log_format = value == "json" ? LogFormat::kJson : LogFormat::kText;
        return {};
    }
    if (value != "on" && value != "off") return shown(value) + " is neither on nor off";
    settings.metrics = value == "on";
    return {};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view without_comment(std::string_view line) {
    for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1))
        if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
    return line;
}

}  // namespace

std::span<const SettingInfo> setting_infos() { return kInfos; }

std::string option_name(std::string_view name) {
    std::string out = "--" + std::string(name);
    std::replace(out.begin(), out.end(), '_', '-');
    return out;
}

std::string environment_name(std::string_view name) {
    std::string out = "SKERRY_" + std::string(name);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return out;
}

std::string fault_of(std::string_view name, std::string_view value) {
    Settings ignored;
    return put(ignored, name, value);
}

Result<std::vector<Given>> parse_settings(std::string_view text, const std::string& shown_as) {
    std::vector<Given> given;
    for (std::size_t number = 1; !text.empty(); ++number) {
        const std::size_t end = text.find('\n');
        const std::string_view line = trimmed(without_comment(text.substr(0, end)));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.empty()) continue;
        const std::string origin = shown_as + ":" + std::to_string(number);
        const auto refuse = [&](const std::string& why) { return fail(Code::kInvalidArgument, origin + ": " + why); };
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) return refuse("a line has to be `name = value`");
        const std::string name(trimmed(line.substr(0, equals)));
        const std::string value(trimmed(line.substr(equals + 1)));
        if (find(name) == nullptr) return refuse("there is no setting " + shown(name));
        const auto same = std::find_if(given.begin(), given.end(), [&](const Given& other) { return other.name == name; });
        if (same != given.end()) return refuse(name + " was given in " + same->origin + " already");
        const std::string fault = fault_of(name, value);
        if (!fault.empty()) return refuse(name + ": " + fault);
        given.push_back({name, value, origin});
    }
    return given;
}

Result<std::vector<Given>> settings_of_environment(const std::function<const char*(const char* variable)>& get) {
    std::vector<Given> given;
    for (const SettingInfo& info : kInfos) {
        const std::string variable = environment_name(info.name);
        const char* value = get(variable.c_str());
        if (value == nullptr || *value == '\0') continue;
        const std::string fault = fault_of(info.name, value);
        if (!fault.empty()) return fail(Code::kInvalidArgument, variable + ": " + fault);
        given.push_back({std::string(info.name), value, variable});
    }
    return given;
}

Result<Resolved> resolve(std::span<const Given> given) {
    Resolved resolved;
    for (const SettingInfo& info : kInfos)
        resolved.values.push_back({std::string(info.name), std::string(info.default_value), "default"});
    for (const Given& one : given) {
        const auto place = std::find_if(resolved.values.begin(), resolved.values.end(),
                                        [&](const Given& value) { return value.name == one.name; });
        if (place == resolved.values.end())
            return fail(Code::kInvalidArgument, one.origin + ": there is no setting " + shown(one.name));
        *place = one;
    }
    for (const Given& value : resolved.values) {
        const std::string fault = put(resolved.settings, value.name, value.value);
        if (!fault.empty()) return fail(Code::kInvalidArgument, value.origin + ": " + fault);
    }
    return resolved;
}

std::string settings_text(std::span<const Given> values) {
    std::size_t width = 0;
    for (const Given& value : values) width = std::max(width, value.name.size() + value.value.size());
    std::string out;
    for (const Given& value : values) {
        const std::size_t used = value.name.size() + value.value.size();
        std::string origin = quoted(value.origin);
        out += value.name + " = " + value.value + std::string(width - used, ' ') + "  # " + origin.substr(1, origin.size() - 2) + "\n";
    }
    return out;
}

}  // namespace skerry::server::ops
