// What a server has done since its process began. Rooms get a Tally& and count; server/ops shows it. A number is counted
// when what it counts is committed or sent, and never goes down. Thread rule: the server's one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include <skerry/error.hpp>

namespace skerry::server {

struct Tally {
    // By wire::Verdict, for transactions that were judged; a verdict that is told again is not counted again.
    std::array<std::uint64_t, 8> transactions{};
    std::uint64_t checkpoints = 0;
    std::uint64_t disk_full = 0;           // requests that failed because nothing more could be written
    std::map<Code, std::uint64_t> errors;  // that a device was answered with
};

}  // namespace skerry::server
