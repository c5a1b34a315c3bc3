// skerry types: a model as a C++ header.
#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/cpp_header.hpp"
#include "cli/print.hpp"
#include "cli/server_folder.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string file;
    std::string name_space;
};

Result<void> run(const Options& options) {
    SKERRY_ASSIGN(const model::Model model, read_model_file(options.file));
    const std::string name_space = options.name_space.empty() ? cpp_member(model.app) : options.name_space;
    if (!is_cpp_namespace(name_space))
        return fail(Code::kInvalidArgument, "'" + name_space + "' is no C++ namespace; give one with --namespace");
    print_out(cpp_header(model, options.file.substr(options.file.rfind('/') + 1), name_space));
    return {};
}

}  // namespace

void add_types(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        program.app.add_subcommand("types", "Print a C++ header with a struct for each entity of a model");
    command->add_option("FILE", options->file, "the model file")->required();
    command->add_option("--namespace", options->name_space, "the C++ namespace; the app's name if not given");
    teach(command,
          "The header needs skerry/device.hpp only. It has a struct with typed members for each entity, an enum class\n"
          "for each enum, and select, find, insert, update and remove on a skerry::Device.",
          "skerry types shop.yaml > shop.hpp");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
