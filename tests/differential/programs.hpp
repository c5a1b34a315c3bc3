// Random SQL programs over a small model, as text: what any program may say to SQLite.
#pragma once

#include <string>
#include <vector>

#include "base/random.hpp"
#include "model/model.hpp"

namespace skerry::differential {

const model::Model& program_model();
// What an app adds of its own on a device: tables that are not synced, triggers that normalise, nest and log, views with
// INSTEAD OF triggers.
std::vector<std::string> app_schema();
// The tables of the model without anything of Skerry, and its refusals and cascades as ordinary triggers.
std::vector<std::string> plain_schema();
// All tables whose rows are compared.
std::vector<std::string> tables();

enum class By { kLibrary, kOtherProgram, kOtherProgramRecursive };

struct Transaction {
    By by = By::kLibrary;
    bool commit = true;
    std::vector<std::string> statements;
};

// Three to eight transactions.
std::vector<Transaction> random_program(Random& random);

}  // namespace skerry::differential
