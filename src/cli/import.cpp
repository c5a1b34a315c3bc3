// skerry import: rows of a file into one entity of a server's database.
//
// A file is read twice: once to check every row, then to write. A fault in the last line is thus found before the
// first row is written, and an import without keys of its own is not half done when it is run again. Standard
// input can be read only once; there the rows before a fault stay.
#include <algorithm>
#include <cstdio>
#include <set>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/print.hpp"
#include "cli/rows.hpp"
#include "cli/server_folder.hpp"
#include "model/value.hpp"

namespace skerry::cli {

namespace {

struct Options {
    std::string dir;
    std::string entity;
    std::string file;
    std::string format;
    std::string delimiter = ",";
    std::vector<std::string> key_from;
    std::vector<std::string> ignore;
};

constexpr std::size_t kRowsLookedAt = 1000;   // of a JSON file, to know its columns
constexpr std::size_t kFaultsShown = 10;

bool contains(const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

// What becomes of the columns of a file.
struct Plan {
    const model::Entity* entity = nullptr;
    std::vector<std::string> columns;                    // attributes to write, the key first
    std::vector<const model::Attribute*> attributes;     // of `columns`
    bool makes_keys = false;                             // the file has none
};

class FileImport {
  public:
    FileImport(const Options& options, const model::Entity& entity) : options_(options) { plan_.entity = &entity; }

    Result<void> run() {
        if (options_.file != "-") {
            SKERRY_TRY(open());
            SKERRY_TRY(check_all());
        }
        SKERRY_TRY(open());
        return write_all();
    }

  private:
    // Opens the file and decides about its columns from its first rows.
    Result<void> open() {
        ahead_.clear();
        format_ = FileFormat::kCsv;
        if (options_.format == "json") format_ = FileFormat::kJson;
        else if (options_.format == "ndjson") format_ = FileFormat::kNdjson;
        else if (options_.format.empty()) {
            SKERRY_ASSIGN(format_, format_of_name(options_.file));
        }
        SKERRY_ASSIGN(reader_, open_rows(options_.file, format_, options_.delimiter[0]));
        std::vector<std::string> names;
        std::set<std::string> seen;
        while (ahead_.size() < (format_ == FileFormat::kCsv ? 1 : kRowsLookedAt)) {
            FileRow row;
            SKERRY_ASSIGN(const bool any, reader_->next(row));
            if (!any) break;
            for (const Field& field : row.fields)
                if (seen.insert(field.name).second) names.push_back(field.name);
            ahead_.push_back(std::move(row));
        }
        std::reverse(ahead_.begin(), ahead_.end());
        return make_plan(names);
    }

    Result<void> make_plan(const std::vector<std::string>& names) {
        const model::Entity& entity = *plan_.entity;
        plan_.columns = {entity.key.name};
        plan_.attributes = {&entity.key};
        const bool has_key = contains(names, entity.key.name);
        plan_.makes_keys = !has_key && !names.empty();
        for (const std::string& name : names) {
            if (contains(options_.ignore, name) || name == entity.key.name) continue;
            const auto at = std::find_if(entity.attributes.begin(), entity.attributes.end(),
                                         [&](const model::Attribute& a) { return a.name == name; });
            if (at != entity.attributes.end()) {
                plan_.columns.push_back(name);
                plan_.attributes.push_back(&*at);
            } else if (!contains(options_.key_from, name)) {
                return fail(Code::kInvalidArgument, "the file's column '" + name + "' is no attribute of " + entity.name +
                                                        " (" + attribute_names() + "); leave it out with --ignore " + name);
            }
        }
        for (const std::string& name : options_.key_from)
            if (!names.empty() && !contains(names, name))
                return fail(Code::kInvalidArgument, "--key-from names '" + name + "', which is no column of the file");
        if (has_key && !options_.key_from.empty())
            return fail(Code::kInvalidArgument, "the file has the key '" + entity.key.name + "' itself; leave --key-from out");
        if (plan_.makes_keys && entity.key.type != model::Type::kUuid)
            return fail(Code::kKeyMissing, "the file has no column '" + entity.key.name + "', which is the key of " + entity.name);
        return {};
    }

    std::string attribute_names() const {
        std::string out = plan_.entity->key.name;
        for (const model::Attribute& attribute : plan_.entity->attributes) out += ", " + attribute.name;
        return out;
    }

    Result<bool> next(FileRow& row) {
        if (ahead_.empty()) return reader_->next(row);
        row = std::move(ahead_.back());
        ahead_.pop_back();
        return true;
    }

    // The values of a row in the order of plan_.columns; the key is left to the caller when the file has none.
    Result<void> convert(const FileRow& row, std::vector<Value>& values) {
        values.assign(plan_.columns.size(), Value{Null{}});
        const auto at_line = [&](const std::string& what) { return "line " + std::to_string(row.line) + ": " + what; };
        for (const Field& field : row.fields) {
            const auto at = std::find(plan_.columns.begin(), plan_.columns.end(), field.name);
            if (at == plan_.columns.end() || contains(options_.ignore, field.name)) {
                if (contains(options_.ignore, field.name) || contains(options_.key_from, field.name)) continue;
                return fail(Code::kInvalidArgument, at_line("'" + field.name + "' comes up that no row before had; leave it out with --ignore, or give it to the first row"));
            }
            const std::size_t i = static_cast<std::size_t>(at - plan_.columns.begin());
            auto value = to_value(field.cell, *plan_.entity, *plan_.attributes[i], format_);
            if (!value) return fail(value.error().code, at_line(value.error().message));
            values[i] = std::move(*value);
        }
        if (plan_.makes_keys) {
            SKERRY_ASSIGN(values[0], make_key(row));
        }
        return check(row, values);
    }

    Result<Value> make_key(const FileRow& row) {
        if (options_.key_from.empty()) return Value{uuid_v7(clock_.wall(), random_)};
        std::vector<Cell> cells;
        for (const std::string& name : options_.key_from) {
            const auto at = std::find_if(row.fields.begin(), row.fields.end(), [&](const Field& f) { return f.name == name; });
            if (at == row.fields.end() || at->cell.kind == CellKind::kNull)
                return fail(Code::kKeyMissing, "line " + std::to_string(row.line) + ": '" + name + "' is empty, and the key is made from it");
            cells.push_back(at->cell);
        }
        return Value{derived_uuid(plan_.entity->name, cells)};
    }

    Result<void> check(const FileRow& row, const std::vector<Value>& values) {
        const auto* key = std::get_if<std::string>(&values[0]);
        const std::string place = "reading line " + std::to_string(row.line);
        if (key == nullptr) return fail(Code::kKeyMissing, "line " + std::to_string(row.line) + ": the key '" + plan_.entity->key.name + "' is empty");
        if (auto good = model::check_key(*plan_.entity, *key); !good) return fail(std::move(good.error()), place);
        for (std::size_t i = 1; i < values.size(); ++i)
            if (auto good = model::check_value(*plan_.entity, *plan_.attributes[i], values[i]); !good)
                return fail(std::move(good.error()), place);
        return {};
    }

    void show(Progress& progress, std::uint64_t rows) {
        std::optional<double> fraction;
        if (reader_->bytes_total() > 0)
            fraction = static_cast<double>(reader_->bytes_read()) / static_cast<double>(reader_->bytes_total());
        progress.show({rows, std::nullopt, fraction, std::nullopt});
    }

    Result<void> check_all() {
        Progress progress("checking " + plan_.entity->name);
        std::uint64_t rows = 0;
        std::vector<Error> faults;
        std::uint64_t faulty = 0;
        FileRow row;
        std::vector<Value> values;
        while (true) {
            SKERRY_ASSIGN(const bool any, next(row));
            if (!any) break;
            if (auto good = convert(row, values); !good) {
                if (faults.size() < kFaultsShown) faults.push_back(std::move(good.error()));
                ++faulty;
            }
            if (++rows % 500 == 0) show(progress, rows);
        }
        if (faulty == 0) return {};
        Error error{faults[0].code, {}, {}};
        for (const Error& fault : faults) {
            if (!error.message.empty()) error.message += "\n";
            error.message += fault.message;
            for (const std::string& context : fault.context) error.message += " (" + context + ")";
        }
        if (faulty > faults.size()) error.message += "\nand " + grouped(faulty - faults.size()) + " more rows";
        error.message += "\nnothing was imported";
        return tl::unexpected<Error>(std::move(error));
    }

    Result<void> write_all() {
        std::uint64_t written = 0;
        double seconds = 0;
        {
            Progress progress("import " + plan_.entity->name);
            server::ImportOptions import_options{{options_.dir, ""}, plan_.entity->name, plan_.columns, {}};
            import_options.progress = [&](std::uint64_t rows) { show(progress, rows); };
            SKERRY_ASSIGN(server::Importer importer, server::Importer::open(std::move(import_options)));
            FileRow row;
            std::vector<Value> values;
            std::uint64_t rows = 0;
            while (true) {
                SKERRY_ASSIGN(const bool any, next(row));
                if (!any) break;
                SKERRY_TRY(convert(row, values));
                if (auto added = importer.add(values); !added)
                    return fail(std::move(added.error()), "importing line " + std::to_string(row.line));
                if (++rows % 500 == 0) show(progress, rows);
            }
            SKERRY_ASSIGN(written, importer.finish());
            seconds = progress.seconds();
        }
        char took[32];
        std::snprintf(took, sizeof took, "%.2f s", seconds);
        const double rate = seconds > 0 ? static_cast<double>(written) / seconds : 0;
        const std::string speed = written < 1000 ? "" : " (" + grouped(static_cast<std::uint64_t>(rate)) + " rows/s)";
        print_out(grouped(written) + (written == 1 ? " row" : " rows") + " imported into " + plan_.entity->name + " in " + took + speed + "\n");
        if (plan_.makes_keys && options_.key_from.empty() && written > 0)
            std::fprintf(stderr, "note: the file has no keys, so new ones were made; importing it again would double the rows (see --key-from)\n");
        return {};
    }

    const Options& options_;
    FileFormat format_ = FileFormat::kCsv;
    Plan plan_;
    std::unique_ptr<RowReader> reader_;
    std::vector<FileRow> ahead_;  // rows looked at already, last first
    const SystemClock clock_;
    SystemRandom random_;
};

Result<void> run(const Options& options) {
    SKERRY_TRY(need_folder(options.dir));
    SKERRY_ASSIGN(const model::Model model, server::read_model({options.dir, ""}));
    const model::Entity* entity = model.find(options.entity);
    if (entity == nullptr) {
        std::string names;
        for (const model::Entity& known : model.entities)
            if (!known.builtin()) names += (names.empty() ? "" : ", ") + known.name;
        return fail(Code::kNotFound, "the model has no entity '" + options.entity + "'; it has " + names);
    }
    return FileImport(options, *entity).run();
}

}  // namespace

void add_import(Program& program) {
    auto options = std::make_shared<Options>();
    CLI::App* command = program.app.add_subcommand("import", "Write a file's rows into an entity on the server");
    command->add_option("DIR", options->dir, "the server's folder")->required();
    command->add_option("ENTITY", options->entity, "the entity")->required();
    command->add_option("FILE", options->file, "the file; - is standard input")->required();
    command->add_option("--format", options->format, "csv, json or ndjson; by the file's name if not given")
        ->check(CLI::IsMember({"csv", "json", "ndjson"}));
    command->add_option("--delimiter", options->delimiter, "what stands between CSV fields")
        ->capture_default_str()
        ->check([](const std::string& text) { return text.size() == 1 && text != "\"" ? "" : "one character, please"; });
    command->add_option("--key-from", options->key_from, "make each uuid key from these columns, the same every time")
        ->delimiter(',')->expected(1)->take_all();
    command->add_option("--ignore", options->ignore, "columns of the file to leave out")->delimiter(',')->expected(1)->take_all();
    teach(command,
          "A row whose key exists is updated, others are created; attributes that the file does not have stay as\n"
          "they are. A file without keys gets new ones, so that a second import doubles the rows; with --key-from\n"
          "it updates them instead. CSV needs a header; a json or set attribute holds its JSON text there. The file\n"
          "is checked as a whole before anything is written. Works while the server runs.",
          "skerry import data place places.ndjson --key-from geonameid");
    program.on_run(command, [options] { return run(*options); });
}

}  // namespace skerry::cli
