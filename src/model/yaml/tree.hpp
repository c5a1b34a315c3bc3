// A YAML document as a tree of marked nodes: the only part that knows yaml-cpp. Its exceptions stop here.
//
// The tree is built from parser events, not from YAML::Node: events show duplicate keys, aliases and tags
// before anything is merged or expanded, so an alias bomb costs nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace skerry::model::yaml {

struct Mark {
    int line = 1;  // both counted from 1, as editors do
    int column = 1;
    friend auto operator<=>(const Mark&, const Mark&) = default;
};

enum class Kind { kNull, kScalar, kList, kMap };

struct Entry;

struct Node {
    Kind kind = Kind::kNull;
    Mark mark;
    std::string text;                            // kScalar
    bool plain = false;                          // kScalar: written without quotes
    std::vector<Node> items;                     // kList
    std::vector<Entry> entries;                  // kMap, in the file's order
};

struct Entry {
    Node key;  // a scalar
    Node value;
};

struct Fault {
    Mark mark;
    Code code = Code::kModelInvalid;
    std::string text;  // what is wrong; how to mend it
};

// One document. Faults of the syntax are appended; a tree that has some is not to be read further.
Node parse(std::string_view yaml, int depth_max, std::vector<Fault>& faults);

// A word of the file for a message: quoted, cut, without control characters.
std::string quoted(std::string_view word);

}  // namespace skerry::model::yaml
