// The turn of programs that have one store open: a lock on an empty file beside it. The lock belongs to the open file, not to
// the process (Linux: open file description locks), so two sessions of one process are told apart too, and the system takes it
// back when its holder ends, however it ends. The file stays: removing it would let two hold a lock of the same name.
//
// Thread rule: one thread.
#pragma once

#include <string>

#include "engine/turn_port.hpp"

namespace skerry::host {

class TurnFile final : public engine::TurnPort {
  public:
    explicit TurnFile(std::string path) : path_(std::move(path)) {}
    ~TurnFile() override { give_back(); }
    TurnFile(const TurnFile&) = delete;
    TurnFile& operator=(const TurnFile&) = delete;

    // Errors: io, read_only, disk_full.
    Result<bool> take() override;
    void give_back() override;
    // Somebody else has it now. False too where that cannot be said.
    bool is_elsewhere() const;

  private:
    std::string path_;
    int fd_ = -1;  // open while it is ours
};

}  // namespace skerry::host
