// A response of frames as one of lines (src/wire/json), piece by piece as it is asked for.
#pragma once

#include "base/ids.hpp"
#include "base/log.hpp"
#include "model/model.hpp"
#include "server/http/handler.hpp"
#include "wire/frame.hpp"

namespace skerry::server::http {

// `model` and `log` outlive the response. `device`: who asked, if that was read.
Response in_lines(Response response, wire::Kind kind, const model::Model& model, const DeviceId& device, Log& log);

}  // namespace skerry::server::http
