// A log line, levelled by who must act. Rooms get a Log&; hosts bind it (spdlog on the server, silence in tests).
// Values of rows, tokens and keys never go into a line.
#pragma once

#include <string_view>

namespace skerry {

enum class LogLevel : int {
    kDebug = 0,  // nobody; for a developer who looks for something
    kInfo = 1,   // nobody; what happened
    kWarn = 2,   // the operator, some day
    kError = 3,  // the operator, today
};

class Log {
  public:
    virtual ~Log() = default;
    virtual void line(LogLevel level, std::string_view text) = 0;
};

class SilentLog final : public Log {
  public:
    void line(LogLevel, std::string_view) override {}
};

}  // namespace skerry
