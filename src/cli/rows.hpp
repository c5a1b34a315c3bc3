// Rows of a file for an import: CSV, a JSON array of objects, or NDJSON. One row at a time, so that the file may
// be larger than the memory. Values stay as they are written: what a text becomes is decided by the attribute
// it goes into, so that no number passes through floating point.
#pragma once

#include <skerry/error.hpp>
#include <skerry/value.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.hpp"

namespace skerry::cli {

enum class FileFormat { kCsv, kJson, kNdjson };

// By the name's ending: .csv, .json, .ndjson, .jsonl. not_supported if it has none of them.
Result<FileFormat> format_of_name(std::string_view file_name);

enum class CellKind { kNull, kText, kNumber, kTrue, kFalse, kJson };

struct Cell {
    CellKind kind = CellKind::kNull;
    std::string text;  // of kText; of kNumber as written; of kJson a list or an object, as JSON
};

struct Field {
    std::string name;
    Cell cell;
};

struct FileRow {
    std::uint64_t line = 0;  // of the file for CSV and NDJSON, of the array for JSON; both from 1
    std::vector<Field> fields;
};

inline constexpr std::size_t kRowTextMax = 16u << 20;  // one row of a file: twice what a row may hold
inline constexpr std::size_t kFieldsMax = 2000;        // SQLite's columns

class RowReader {
  public:
    virtual ~RowReader() = default;
    // False at the end. After an error the file cannot be read further. The error names the line.
    virtual Result<bool> next(FileRow& row) = 0;
    // Bytes read, of bytes_total(); 0 when the total is not known.
    virtual std::uint64_t bytes_read() const = 0;
    virtual std::uint64_t bytes_total() const = 0;
};

// "-" is standard input. Errors: not_found, io.
Result<std::unique_ptr<RowReader>> open_rows(const std::string& file_name, FileFormat format, char delimiter);

// What a cell becomes in an attribute; a reason when it cannot, which names the attribute.
//   uuid      in lower case; 32 hexadecimal digits with hyphens
//   text      text; a number as it is written
//   int       a whole number of 64 bits, also as text; true 1 and false 0
//   bool      true and false in any case, 1 and 0
//   json      in a JSON file the value itself; in CSV the JSON text
//   set       a list of texts; in CSV the JSON text of one
//   the rest  as model::value_from_json takes them, also as text
Result<Value> to_value(const Cell& cell, const model::Entity& entity, const model::Attribute& attribute, FileFormat format);

// A key from the values of some columns, the same each time (UUID version 8): so that a second import of the same
// file finds the rows of the first. A single whole number takes the first 48 bits, so that the keys are in the
// order of the numbers; else all bits are a hash. `entity` keeps equal values of two entities apart.
std::string derived_uuid(std::string_view entity, const std::vector<Cell>& cells);

}  // namespace skerry::cli
