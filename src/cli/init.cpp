// skerry init: a new server's folder.
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/example_model.hpp"
#include "cli/files.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"
#include "model/yaml/reader.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string model;
};

// The model's text and where it stands: the file that was named, else one that lies in the folder, else the example.
struct ModelText {
    std::string text;
    std::string shown_as;
};

Result<ModelText> choose_model(const Options& options) {
    const std::string beside = model_path(options.dir);
    if (options.model.empty()) {
        if (!is_file(beside)) return ModelText{std::string(kExampleModel), "the example"};
        SKERRY_ASSIGN(std::string text, read_whole(beside, model::kModelFileBytesMax + 1));
        return ModelText{std::move(text), beside};
    }
    SKERRY_ASSIGN(std::string text, read_whole(options.model, model::kModelFileBytesMax + 1));
    if (is_file(beside)) {
        SKERRY_ASSIGN(const std::string there, read_whole(beside, model::kModelFileBytesMax + 1));
        if (there != text)
            return fail(Code::kAlreadyExists, "'" + beside + "' is there already and differs from '" + options.model + "'");
    }
    return ModelText{std::move(text), options.model};
}

Result<void> run(const Options& options) {
    SKERRY_ASSIGN(const ModelText chosen, choose_model(options));
    SKERRY_ASSIGN(const model::Model model, model::read_model(chosen.text, chosen.shown_as));
    const SystemClock clock;
    SystemRandom random;
    SKERRY_TRY(server::init_server({options.dir, ""}, model, clock, random));
    const std::string beside = model_path(options.dir);
    if (!is_file(beside)) SKERRY_TRY(write_whole(beside, chosen.text, Mode::kUsual));
    std::string entities;
    for (const model::Entity& entity : model.entities)
        if (!entity.builtin()) entities += (entities.empty() ? "" : ", ") + entity.name;
    print_out("made " + options.dir + " for the app '" + model.app + "' (" + entities + ")\n" +
              "  " + beside + "  the model, from " + chosen.shown_as + "\n\n" +
              "next:\n" +
              "  skerry token " + options.dir + " --user ann --out ann.token\n" +
              "  skerry serve " + options.dir + "\n" +
              "  skerry device open ann.db --server http://127.0.0.1:8737 --token-file ann.token\n");
    return {};
}

}  // namespace

void add_init(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("init", "Make a server's folder");
    command->add_option("DIR", options->dir, "the folder; made if it is not there")->required();
    command->add_option("--model", options->model, "the model file; copied to DIR/model.yaml");
    teach(command,
          "Without --model, DIR/model.yaml is used if it is there, else a small example is written.\n"
          "Later, `skerry serve DIR --model FILE` takes a model that adds to this one.",
          "skerry init shop --model shop.yaml");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
