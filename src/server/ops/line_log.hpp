// The server's log: one line for each event, for people and for programs that collect lines.
//
//   time=2026-01-31T12:00:00.000000Z level=info message="http: listening on 127.0.0.1:8737"
//   {"time":"2026-01-31T12:00:00.000000Z","level":"info","message":"http: listening on 127.0.0.1:8737"}
//
// Nothing that arrives in a text can end a line, forge another one or redraw a terminal, and no token leaves:
// whatever begins like one is hidden, should a text ever hold it. Thread rule: one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace skerry::server::ops {

enum class LogFormat { kText, kJson };

// "error", "warning", "info", "debug": by who must act (base/log.hpp).
std::string_view level_name(LogLevel level);
std::optional<LogLevel> level_named(std::string_view name);

// The text in double quotes, as JSON has it; control characters, marks that turn the reading direction and what is not UTF-8
// become escapes.
std::string quoted(std::string_view text);

// The text with every token in it replaced by "skt_[hidden]".
std::string without_tokens(std::string_view text);

class LineLog final : public Log {
  public:
    struct Options {
        LogLevel least = LogLevel::kInfo;
        LogFormat format = LogFormat::kText;
    };
    // `write` gets each line whole, with its newline.
    LineLog(const Clock& clock, Options options, std::function<void(std::string_view)> write)
        : clock_(clock), options_(options), write_(std::move(write)) {}
    void line(LogLevel level, std::string_view text) override;

  private:
    const Clock& clock_;
    const Options options_;
    const std::function<void(std::string_view)> write_;
};

}  // namespace skerry::server::ops
