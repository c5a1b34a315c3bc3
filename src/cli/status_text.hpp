// A device's status for people and programs.
#pragma once

#include <skerry/device.hpp>
#include <string>

namespace skerry::cli {

std::string status_json(const DeviceStatus& status);
std::string status_text(const DeviceStatus& status);

}  // namespace skerry::cli
