// Rows in columns, of every entity of the small model. What decodes is encoded and decoded to the same rows.
#include "fuzz.hpp"
#include "wire/columns.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    if (size < 1) return 0;
    const model::Model& model = fuzz::small_model();
    const model::Entity& entity = model.entities[data[0] % model.entities.size()];
    Reader in(fuzz::view(data + 1, size - 1));
    const auto rows = wire::get_row_entries(in, entity);
    if (!rows) return 0;
    Bytes written;
    Writer out(written);
    wire::put_rows(out, *rows);
    Reader back(written);
    const auto again = wire::get_row_entries(back, entity);
    SKERRY_ASSERT(again && back.at_end() && again->size() == rows->size());
    for (std::size_t i = 0; i < rows->size(); ++i) {
        const wire::RowEntry& a = (*rows)[i];
        const wire::RowEntry& b = (*again)[i];
        SKERRY_ASSERT(a.key == b.key && a.lines == b.lines && a.row == b.row);
    }
    return 0;
}
