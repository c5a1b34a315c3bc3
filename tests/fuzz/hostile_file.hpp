// A SQLite file that somebody else had in his hands: what an input says is changed in a good one, through SQL (cells, rows, what the
// schema says) and as bytes.
#pragma once

#include "fuzz.hpp"
#include "kit/disk/crash_disk.hpp"

namespace skerry::fuzz {

struct Changed {
    bool bytes = false;  // the file itself may be broken
    bool schema = false;
};
// Nobody has the file open.
Changed change_file(kit::CrashDisk& disk, const std::string& file, Choices& in);

}  // namespace skerry::fuzz
