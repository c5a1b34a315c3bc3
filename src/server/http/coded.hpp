// A response in the content coding zstd, piece by piece as it is asked for.
#pragma once

#include "coding/zstd.hpp"
#include "server/http/handler.hpp"

namespace skerry::server::http {

// A short body that is complete with its first piece stays as it is. `packer` outlives the response; it keeps nothing of it, so
// that thousands of answers that wait for something to say cost no memory for the coding.
Response coded(Response response, coding::Packer& packer);

}  // namespace skerry::server::http
