// The answer in frames becomes lines, frame by frame, as the bytes come: what is kept is one frame that is not whole yet.
// docs/protocol.md, "The same in JSON", has every member.
//
//   kRows      {"frame":"rows","entity":"note","rows":[{"key":"…","scopes":[7],"version":"…","values":{"body":"…"}}]}
//   kEnd       {"frame":"end"}
//
// Beside what the frames hold, lines carry what a reader would need XXH3 and the binary encoding for: a row its `version`, a checkpoint
// the `next` that the following `begin` has as its `from`, an enrolment the `from` of the first one. kSpool has no line: its offset counts
// bytes that a reader of lines does not see.
#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "model/model.hpp"
#include "wire/frame.hpp"

namespace skerry::wire::json {

class AnswerLines {
  public:
    // `model` outlives it. `device` is the one that asked; none where the request was refused unread.
    AnswerLines(Kind kind, const model::Model& model, const DeviceId& device) : reader_(kind), model_(model), device_(device) {}

    // Takes the next bytes of the answer and appends the lines of the frames that they complete. An error is a bug of whoever wrote the
    // answer; there is nothing more to be had then.
    Result<void> feed(BytesView bytes, Bytes& out);

  private:
    FrameReader reader_;
    const model::Model& model_;
    DeviceId device_;
};

// What a client has to know of a model, as one JSON object: entities, their attributes, what may be chosen, what profiles take.
void append_model(Bytes& out, const model::Model& model);

}  // namespace skerry::wire::json
