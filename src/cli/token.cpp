// skerry token: a bearer token for a user.
#include <cstdio>
#include <map>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string user;
    std::string label;
    std::string out;
    std::vector<std::string> claims;
    int days = 0;
};

Result<std::map<std::string, std::string>> claims_of(const std::vector<std::string>& said) {
    std::map<std::string, std::string> claims;
    for (const std::string& one : said) {
        const std::size_t equals = one.find('=');
        if (equals == std::string::npos || equals == 0) return fail(Code::kInvalidArgument, "a claim is written name=value: " + one);
        if (!claims.emplace(one.substr(0, equals), one.substr(equals + 1)).second)
            return fail(Code::kInvalidArgument, "the claim '" + one.substr(0, equals) + "' is given twice");
    }
    return claims;
}

Result<void> run(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    const SystemClock clock;
    SystemRandom random;
    server::TokenOptions token_options{options.user, options.label, std::nullopt, {}};
    SKERRY_ASSIGN(token_options.claims, claims_of(options.claims));
    if (options.days > 0) token_options.valid_for = std::chrono::hours(24) * options.days;
    SKERRY_ASSIGN(const std::string token, server::make_token({options.dir, ""}, token_options, clock, random));
    const std::string until =
        token_options.valid_for ? "until " + timestamp_text(clock.wall() + *token_options.valid_for).substr(0, 10) : "without end";
    if (options.out.empty()) {
        print_out(token + "\n");
        std::fprintf(stderr, "a token for %s, valid %s; it is shown only this once\n", visible(options.user).c_str(), until.c_str());
        return {};
    }
    SKERRY_TRY(write_whole(options.out, token + "\n", Mode::kPrivate));
    print_out("a token for " + visible(options.user) + ", valid " + until + ", is in " + visible(options.out) + "\n");
    return {};
}

}  // namespace

void add_token(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("token", "Make a token with which a user's devices sign in");
    command->add_option("DIR", options->dir, "the server's folder")->required();
    command->add_option("--user", options->user, "whom the token stands for")->required();
    command->add_option("--days", options->days, "valid for so many days; without end if not given")->check(CLI::Range(1, 36500));
    command->add_option("--label", options->label, "a note for people; `metrics`: it opens GET /metrics and nothing else");
    command->add_option("--claim", options->claims, "name=value, as often as needed: what the token says of the user, for the model's\n"
                                                   "`principal:`; `profile=NAME` chooses the profile of the user's devices")
        ->allow_extra_args(false);
    command->add_option("--out", options->out, "write it to this file, readable only by you, instead of showing it");
    teach(command,
          "The token is all that a device needs to act for the user: keep it as a password. The server stores only\n"
          "a hash of it. A running server knows it at once.",
          "skerry token shop --user ann --days 365 --out ann.token");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
