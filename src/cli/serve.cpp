// skerry serve: the server, in the foreground, until a signal.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"
#include "model/evolve.hpp"
#include "model/yaml/reader.hpp"
#include "server/listener/listener.hpp"
#include "server/ops/line_log.hpp"
#include "server/ops/settings.hpp"

namespace skerry::cli {

namespace {

namespace ops = server::ops;

struct Options {
    std::string dir;
    std::string model;
    std::string config;
    bool print_config = false;
    std::vector<std::string> values = std::vector<std::string>(ops::setting_infos().size());  // of the command line
    std::vector<CLI::Option*> given;  // beside them: whether the option was used
};

bool is_loopback(const std::string& host) {
    return host.starts_with("127.") || host == "::1" || host == "localhost";
}

// Checks a newer model against the one in use, and puts it in the folder: the server takes it from there. A crash
// in between leaves what the next start takes up.
Result<void> take_model(const Options& options, Log& log) {
    SKERRY_ASSIGN(const std::string text, read_whole(options.model, model::kModelFileBytesMax + 1));
    SKERRY_ASSIGN(const model::Model wanted, model::read_model(text, options.model));
    SKERRY_ASSIGN(const model::Model in_use, server::read_model({options.dir, ""}));
    SKERRY_ASSIGN(const model::Model next, model::evolve(in_use, wanted));
    for (const std::string& line : model::differences(in_use, next)) log.line(LogLevel::kInfo, "model: " + line);
    return write_whole(model_path(options.dir), text, Mode::kUsual);
}

// From all places, the strongest last.
Result<ops::Resolved> settings_of(const Options& options) {
    const std::string beside = options.dir + "/skerry.conf";
    const std::string file = !options.config.empty() ? options.config : is_file(beside) ? beside : "";
    std::vector<ops::Given> all;
    if (!file.empty()) {
        SKERRY_ASSIGN(const std::string text, read_whole(file, ops::kSettingsFileBytesMax));
        SKERRY_ASSIGN(all, ops::parse_settings(text, file));
    }
    SKERRY_ASSIGN(const auto environment, ops::settings_of_environment([](const char* name) { return std::getenv(name); }));
    all.insert(all.end(), environment.begin(), environment.end());
    for (std::size_t i = 0; i < options.values.size(); ++i) {
        if (options.given[i]->empty()) continue;
        const std::string name(ops::setting_infos()[i].name);
        all.push_back({name, options.values[i], ops::option_name(name)});
    }
    return ops::resolve(all);
}

Result<void> run(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    SKERRY_ASSIGN(const ops::Resolved resolved, settings_of(options));
    if (options.print_config) {
        print_out(ops::settings_text(resolved.values));
        return {};
    }
    const ops::Settings& settings = resolved.settings;
    const SystemClock clock;
    SystemRandom random;
    ops::LineLog log(clock, {.least = settings.log_level, .format = settings.log_format},
                     [](std::string_view line) { std::fwrite(line.data(), 1, line.size(), stderr); });
    server::ServerOptions server_options;
    server_options.place = {options.dir, ""};
    server_options.retention = std::chrono::hours(24) * settings.retention_days;
    server_options.metrics = settings.metrics ? ops::Metrics::kOn : ops::Metrics::kOff;
    if (!options.model.empty()) SKERRY_TRY(take_model(options, log));
    if (is_file(model_path(options.dir))) {
        SKERRY_ASSIGN(server_options.model, read_model_file(model_path(options.dir)));
    }
    SKERRY_ASSIGN(const auto server, server::Server::open(server_options, clock, random, log));
    server::ListenOptions listen;
    listen.host = settings.listen;
    listen.port = settings.port;
    listen.clock = &clock;
    listen.watched = server->log_path();
    listen.limits.connections = static_cast<std::size_t>(settings.connections_max);
    listen.limits.address_connections = static_cast<std::size_t>(settings.address_connections_max);
    if (::geteuid() == 0) log.line(LogLevel::kWarn, "running as root: a user of its own would be enough (docs/operating.md)");
    SKERRY_TRY(server::serve_until_signal(server->handler(), listen, log, [&](std::uint16_t port) {
        const bool six = settings.listen.find(':') != std::string::npos;
        if (!is_loopback(settings.listen))
            log.line(LogLevel::kWarn, "reachable from other machines without TLS: put a proxy with TLS in front");
        print_out("serving " + visible(options.dir) + " on http://" + (six ? "[" + settings.listen + "]" : settings.listen) + ":" +
                  std::to_string(port) + " (stop with Ctrl-C)\n");
    }));
    // Whoever reads meanwhile loses nothing: the next start takes the log up.
    if (const auto tidied = server->tidy(); !tidied) log.line(LogLevel::kWarn, "stopping: " + tidied.error().message);
    print_out("stopped\n");
    return {};
}

}  // namespace

void add_serve(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("serve", "Run the server");
    command->add_option("DIR", options->dir, "the folder that `skerry init` made")->required();
    command->add_option("--model", options->model, "a newer model file, taken in place; copied to DIR/model.yaml");
    command->add_option("--config", options->config, "settings file instead of DIR/skerry.conf");
    command->add_flag("--print-config", options->print_config, "show every setting and where it comes from, and end");
    for (std::size_t i = 0; i < ops::setting_infos().size(); ++i) {
        const ops::SettingInfo& info = ops::setting_infos()[i];
        const std::string name(info.name);
        CLI::Option* option = command->add_option(ops::option_name(name), options->values[i], std::string(info.about));
        option->default_str(std::string(info.default_value));
        option->check([name](const std::string& value) { return ops::fault_of(name, value); });
        options->given.push_back(option);
    }
    teach(command,
          "Runs in the foreground until Ctrl-C or SIGTERM. It speaks HTTP without TLS: beyond one machine, put\n"
          "a proxy with TLS in front. Other programs may write into the database meanwhile; devices receive that too.\n"
          "A newer model may add to the one in use (`skerry model diff DIR FILE` says what); devices get it with their next\n"
          "sync. Anything else is refused with `model_change` and nothing is changed.\n"
          "Settings may also stand in the environment (SKERRY_LOG_LEVEL for --log-level) or in a file (log_level = info);\n"
          "the command line wins over the environment, the environment over the file. docs/operating.md has more.",
          "skerry serve shop --port 9000");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
