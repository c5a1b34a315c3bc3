// Files for an import: CSV, a JSON array, NDJSON. The first byte says which, and what stands between the fields of CSV.
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.hpp"
#include "cli/rows.hpp"
#include "fuzz.hpp"
#include "model/value.hpp"

namespace {

using namespace skerry;

// A file that lives in memory.
class MemoryFile {
  public:
    MemoryFile() : fd_(::memfd_create("rows", MFD_CLOEXEC)) { SKERRY_ASSERT(fd_ >= 0); }
    std::string with(BytesView bytes) {
        SKERRY_ASSERT(::ftruncate(fd_, 0) == 0);
        SKERRY_ASSERT(::pwrite(fd_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
        return "/proc/self/fd/" + std::to_string(fd_);
    }

  private:
    const int fd_;
};

void check_row(const cli::FileRow& row, cli::FileFormat format) {
    const model::Entity& entity = fuzz::small_model().entities[1];
    std::vector<cli::Cell> cells;
    for (const cli::Field& field : row.fields) {
        cells.push_back(field.cell);
        for (const model::Attribute& attribute : entity.attributes) {
            const auto value = cli::to_value(field.cell, entity, attribute, format);
            if (!value) continue;
            const auto canonical = model::canonical(entity, attribute, *value);
            if (canonical) SKERRY_ASSERT(model::check_value(entity, attribute, *canonical));
        }
        if (const auto key = cli::to_value(field.cell, entity, entity.key, format); key && !is_null(*key))
            static_cast<void>(model::check_key(entity, std::get<std::string>(*key)));
    }
    SKERRY_ASSERT(is_canonical_uuid(cli::derived_uuid(entity.name, cells)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    static MemoryFile file;
    const std::string name = file.with(fuzz::view(data + 1, size - 1));
    constexpr cli::FileFormat kFormats[] = {cli::FileFormat::kCsv, cli::FileFormat::kJson, cli::FileFormat::kNdjson};
    const cli::FileFormat format = kFormats[data[0] % 3];
    auto rows = cli::open_rows(name, format, ",;\t|"[data[0] / 4 % 4]);
    if (!rows) return 0;
    std::uint64_t line = 0;
    for (cli::FileRow row;;) {
        const auto any = (*rows)->next(row);
        if (!any || !*any) break;
        SKERRY_ASSERT(row.line > line && row.fields.size() <= cli::kFieldsMax);
        SKERRY_ASSERT((*rows)->bytes_read() <= size - 1);
        line = row.line;
        check_row(row, format);
    }
    return 0;
}
