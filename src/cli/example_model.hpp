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
      id: uuid            # the key, made on the device (UUID version 7)
      name: text!         # ! = required
  task:
    attributes:
      id: uuid
      list_id: list!      # an association: holds a list's id
      title: text!
      notes: { type: text, merge: text }   # two people's changes are merged, word by word
      done: bool! = false
      due: date
      tags: { type: set, merge: set }
    on_delete: { list_id: cascade }        # a list takes its tasks with it
    indexes: [[list_id, done]]
)";

}  // namespace skerry::cli
