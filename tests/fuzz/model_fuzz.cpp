// The compiled model, as a device gets it from a server that it has no reason to trust yet.
#include "base/assert.hpp"
#include "model/model.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace skerry;
    const auto model = model::Model::load({reinterpret_cast<const char*>(data), size});
    if (!model) return 0;
    SKERRY_ASSERT(model::Model::load(model->compile()));
    SKERRY_ASSERT(model::Model::load(model->compile_whole()));
    return 0;
}
