// skerry serve: the server, in the foreground, until a signal.
#include <cstdio>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"
#include "server/listener/listener.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string host = "127.0.0.1";
    std::uint16_t port = 8737;
    bool verbose = false;
};

// A line each on standard error, with the time in UTC.
class ErrorLog final : public Log {
  public:
    ErrorLog(const Clock& clock, LogLevel least) : clock_(clock), least_(least) {}
    void line(LogLevel level, std::string_view text) override {
        if (level < least_) return;
        constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
        const std::string out = timestamp_text(clock_.wall()) + " " + kNames[static_cast<int>(level)] + " " + visible(text) + "\n";
        std::fwrite(out.data(), 1, out.size(), stderr);
    }

  private:
    const Clock& clock_;
    const LogLevel least_;
};

bool is_loopback(const std::string& host) {
    return host.starts_with("127.") || host == "::1" || host == "localhost";
}

Result<void> run(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    const SystemClock clock;
    SystemRandom random;
    ErrorLog log(clock, options.verbose ? LogLevel::kDebug : LogLevel::kInfo);
    server::ServerOptions server_options{{options.dir, ""}, std::nullopt};
    if (is_file(model_path(options.dir))) {
        SKERRY_ASSIGN(server_options.model, read_model_file(model_path(options.dir)));
    }
    SKERRY_ASSIGN(const auto server, server::Server::open(server_options, clock, random, log));
    server::ListenOptions listen;
    listen.host = options.host;
    listen.port = options.port;
    listen.clock = &clock;
    SKERRY_TRY(server::serve_until_signal(server->handler(), listen, log, [&](std::uint16_t port) {
        const bool six = options.host.find(':') != std::string::npos;
        if (!is_loopback(options.host))
            log.line(LogLevel::kWarn, "reachable from other machines without TLS: put a proxy with TLS in front");
        print_out("serving " + visible(options.dir) + " on http://" + (six ? "[" + options.host + "]" : options.host) + ":" +
                  std::to_string(port) + " (stop with Ctrl-C)\n");
    }));
    print_out("stopped\n");
    return {};
}

}  // namespace

void add_serve(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("serve", "Run the server");
    command->add_option("DIR", options->dir, "the folder that `skerry init` made")->required();
    command->add_option("--host", options->host, "address to listen on; 0.0.0.0 for every interface")->capture_default_str();
    command->add_option("--port", options->port, "port to listen on; 0 for any free one")->capture_default_str();
    command->add_flag("--verbose", options->verbose, "log every request's fate");
    teach(command,
          "Runs in the foreground until Ctrl-C or SIGTERM. It speaks HTTP without TLS: beyond one machine, put\n"
          "a proxy with TLS in front. Other programs may write into the database meanwhile; devices receive that too.",
          "skerry serve shop --port 9000");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
