// The model that `skerry init` writes when it is given none.
#pragma once

#include <string_view>

namespace skerry::cli {

inline constexpr std::string_view kExampleModel = R"(# The model: what this app is. docs/model.md explains every word.
app: tasks
version: 1
access: open            # every signed-in user may read and write everything

entities:
  list:
    attributes:
      id: uuid          # the key, made on the device (UUID version 7)
      name: text
  task:
    attributes:
      id: uuid
      list_id: uuid     # a list's id
      title: text
      done: int         # 0 or 1
      position: { type: int, merge: last }   # the full form; `last`: the later arrival wins
)";

}  // namespace skerry::cli
