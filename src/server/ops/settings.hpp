// The settings of a server that runs: what they are called, what they may be, and where each value came from.
//
// A value can stand on the command line (--log-level), in the environment (SKERRY_LOG_LEVEL) or in a file
// (log_level = info); the first of these wins, and the default is last. Values that lose are checked too: a fault waits
// nowhere for the day on which it would count. There are no secrets among the settings.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "server/ops/line_log.hpp"

namespace skerry::server::ops {

struct Settings {
    std::string listen;
    std::uint16_t port = 0;
    int connections_max = 0;
    int address_connections_max = 0;
    int retention_days = 0;
    LogLevel log_level = LogLevel::kInfo;
    LogFormat log_format = LogFormat::kText;
    bool metrics = false;
};

struct SettingInfo {
    std::string_view name;           // log_level
    std::string_view default_value;
    std::string_view about;          // one line for a person
};
std::span<const SettingInfo> setting_infos();

std::string option_name(std::string_view name);       // --log-level
std::string environment_name(std::string_view name);  // SKERRY_LOG_LEVEL

// What is wrong with the value; empty when nothing is. The name must be one of setting_infos().
std::string fault_of(std::string_view name, std::string_view value);

// A value that somebody gave. The origin is for people: "skerry.conf:3", "SKERRY_PORT", "--port".
struct Given {
    std::string name;
    std::string value;
    std::string origin;
};

inline constexpr std::size_t kSettingsFileBytesMax = 64u << 10;

// Lines of `name = value`; `#` begins a comment at a line's start and after a blank. invalid_argument, with file and line,
// for an unknown name, a bad value, a name that comes twice, and whatever else a line may be.
Result<std::vector<Given>> parse_settings(std::string_view text, const std::string& shown_as);

// The settings for which `get` gives a value that is not empty. invalid_argument names the variable.
Result<std::vector<Given>> settings_of_environment(const std::function<const char*(const char* variable)>& get);

struct Resolved {
    Settings settings;
    std::vector<Given> values;  // every setting, in the order of setting_infos()
};
// Later values win over earlier ones. invalid_argument names the origin.
Result<Resolved> resolve(std::span<const Given> given);

// The values as a settings file, each with where it came from as a comment.
std::string settings_text(std::span<const Given> values);

}  // namespace skerry::server::ops
