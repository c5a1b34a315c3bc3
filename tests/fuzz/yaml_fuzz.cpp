// A model file. Its faults lie in the file; a model that is read is whole, and the same after it was compiled.
#include "fuzz.hpp"
#include "model/evolve.hpp"
#include "model/yaml/reader.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    const std::string_view text = fuzz::view(data, size);
    const model::ModelReading reading = model::read_model_faults(text);
    SKERRY_ASSERT(reading.model.has_value() == reading.faults.empty());
    const auto lines = static_cast<int>(std::count(text.begin(), text.end(), '\n') + std::count(text.begin(), text.end(), '\r'));
    for (const model::ModelFault& fault : reading.faults) SKERRY_ASSERT(fault.line >= 1 && fault.line <= lines + 2 && fault.column >= 1);
    SKERRY_ASSERT(model::read_model(text, "fuzz.yaml").has_value() == reading.model.has_value());
    if (!reading.model) return 0;
    SKERRY_ASSERT(model::check(*reading.model));
    const auto whole = model::Model::load(reading.model->compile_whole());
    SKERRY_ASSERT(whole && *whole == *reading.model);
    const auto sent = model::Model::load(reading.model->compile());
    SKERRY_ASSERT(sent && sent->hash() == reading.model->hash());
    const auto same = model::evolve(*reading.model, *whole);
    SKERRY_ASSERT(same && *same == *reading.model);
    return 0;
}
