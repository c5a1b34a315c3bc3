// skerry model: is a model file sound, and can it follow another one in place?
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"
#include "model/evolve.hpp"
#include "model/yaml/reader.hpp"

namespace skerry::cli {

namespace {

struct CheckOptions {
    std::vector<std::string> files;
    bool json = false;
};

struct DiffOptions {
    std::string old_model;
    std::string new_model;
    bool json = false;
};

std::string described(const model::Model& model) {
    std::string out;
    std::size_t n = 0;
    for (const model::Entity& entity : model.entities) {
        if (entity.builtin()) continue;
        ++n;
        out += (out.empty() ? "" : ", ") + entity.name;
    }
    std::string profiles;
    for (const model::Profile& profile : model.profiles) profiles += (profiles.empty() ? "" : ", ") + profile.name;
    if (!profiles.empty()) profiles = (model.profiles.size() == 1 ? "; profile: " : "; profiles: ") + profiles;
    return "app '" + model.app + "', version " + std::to_string(model.version) + ", " + std::to_string(n) +
           (n == 1 ? " entity: " : " entities: ") + out + profiles;
}

std::string faults_json(const std::vector<model::ModelFault>& faults) {
    std::string out = "[";
    for (const model::ModelFault& fault : faults)
        out += std::string(out.size() > 1 ? ", " : "") + "{\"line\": " + std::to_string(fault.line) +
               ", \"column\": " + std::to_string(fault.column) + ", \"code\": " + json_text(code_name(fault.code)) +
               ", \"text\": " + json_text(fault.text) + "}";
    return out + "]";
}

// The faults of all files as JSON; true if there are none.
Result<bool> check_as_json(const CheckOptions& options) {
    std::string out;
    bool sound = true;
    for (const std::string& file : options.files) {
        SKERRY_ASSIGN(const std::string text, read_whole(file, model::kModelFileBytesMax + 1));
        const model::ModelReading reading = model::read_model_faults(text);
        sound = sound && reading.model.has_value();
        out += std::string(out.empty() ? "[" : ",\n ") + "{\"file\": " + json_text(file) +
               ", \"sound\": " + (reading.model ? "true" : "false") + ", \"faults\": " + faults_json(reading.faults) +
               "}";
    }
    print_out(out + "]\n");
    return sound;
}

Result<void> check_for_people(const CheckOptions& options) {
    std::optional<Error> all;
    for (const std::string& file : options.files) {
        auto model = read_model_file(file);
        if (model) {
            print_out(visible(file) + ": sound; " + described(*model) + "\n");
            continue;
        }
        if (!all) {
            all = std::move(model.error());
        } else {
            if (model.error().code != Code::kNotSupported) all->code = model.error().code;
            all->message += "\n" + model.error().message;
        }
    }
    if (all) return tl::unexpected<Error>(std::move(*all));
    return {};
}

// A model file, or the model of a server's folder.
Result<model::Model> model_at(const std::string& place) {
    return is_folder(place) ? server::read_model({place, ""}) : read_model_file(place);
}

Result<void> diff(const DiffOptions& options) {
    SKERRY_ASSIGN(const model::Model old_model, model_at(options.old_model));
    SKERRY_ASSIGN(const model::Model new_model, model_at(options.new_model));
    SKERRY_ASSIGN(const model::Model next, model::evolve(old_model, new_model));
    const std::vector<std::string> lines = model::differences(old_model, next);
    if (options.json) {
        std::string out;
        for (const std::string& line : lines) out += (out.empty() ? "" : ", ") + json_text(line);
        print_out("{\"possible\": true, \"changes\": [" + out + "]}\n");
        return {};
    }
    if (lines.empty()) print_out("no difference\n");
    for (const std::string& line : lines) print_out(visible(line) + "\n");
    if (!lines.empty()) print_out("\nAll of it can be done in place; devices get it with their next sync.\n");
    return {};
}

}  // namespace

void add_model(Program& program) {
    CLI::App* group = program.app.add_subcommand("model", "Check a model file, or compare two");
    group->require_subcommand(1);
    teach(group, "A model is one YAML file that says what an app is: docs/model.md.", "skerry model check shop.yaml");

    auto check_options = std::make_shared<CheckOptions>();
    CLI::App* check =
        group->add_subcommand("check", "Say whether model files are sound, or everything that is wrong with them");
    check->add_option("FILE", check_options->files, "model files")->required();
    check->add_flag("--json", check_options->json, "print the faults as JSON: file, line, column, code, text");
    teach(check,
          "Every fault is told at once, each with file, line and column, what is wrong and how to mend it. The exit\n"
          "code is 1 if there is one, so that a build can stop there. Needs no server.",
          "skerry model check shop.yaml");
    program.on_run(check, [&program, check_options]() -> Result<void> {
        if (!check_options->json) return check_for_people(*check_options);
        SKERRY_ASSIGN(const bool sound, check_as_json(*check_options));
        if (!sound) program.exit_code = kFailed;
        return {};
    });

    auto diff_options = std::make_shared<DiffOptions>();
    CLI::App* diff_command =
        group->add_subcommand("diff", "Say what a newer model changes, and whether that can be done in place");
    diff_command->add_option("OLD", diff_options->old_model, "a model file, or a server's folder for the model in use")
        ->required();
    diff_command->add_option("NEW", diff_options->new_model, "a model file")->required();
    diff_command->add_flag("--json", diff_options->json, "print JSON");
    teach(diff_command,
          "In place means: `skerry serve DIR --model NEW`, while devices and rows exist. New entities, new attributes "
          "that\n"
          "may be NULL or have a default, new enum values, other policies, indexes and profiles can be; with anything\n"
          "else it fails with `model_change` and a line for each change that cannot.",
          "skerry model diff shop shop-2.yaml");
    program.on_run(diff_command, [diff_options] { return diff(*diff_options); });
}

}  // namespace skerry::cli
