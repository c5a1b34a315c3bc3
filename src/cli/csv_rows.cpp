// RFC 4180, read strictly: a quote in the middle of a field, a field too many or too few is an error with its line,
// because guessing would put values into wrong attributes.
#include <set>

#include "base/result.hpp"
#include "cli/csv_rows.hpp"
#include "cli/input.hpp"

namespace skerry::cli {

namespace {

class CsvReader final : public RowReader {
  public:
    CsvReader(Input input, char delimiter) : input_(std::move(input)), delimiter_(delimiter) {}

    Result<void> read_header() {
        FileRow header;
        SKERRY_ASSIGN(const bool any, record(header));
        if (!any) return fail(Code::kInvalidArgument, "the CSV file is empty; its first line must name the columns");
        std::set<std::string> seen;
        for (Field& field : header.fields) {
            if (field.cell.text.empty())
                return fail(Code::kInvalidArgument, "line 1: a column has no name");
            if (!seen.insert(field.cell.text).second)
                return fail(Code::kInvalidArgument, "line 1: two columns are named '" + field.cell.text + "'");
            names_.push_back(std::move(field.cell.text));
        }
        return {};
    }

    Result<bool> next(FileRow& row) override {
        while (true) {
            SKERRY_ASSIGN(const bool any, record(row));
            if (!any) return false;
            // A blank line is no row, unless there is only one column: then it is a row with NULL.
            if (row.fields.size() == 1 && names_.size() != 1 && row.fields[0].cell.kind == CellKind::kNull) continue;
            if (row.fields.size() != names_.size())
                return fail(Code::kInvalidArgument, "line " + std::to_string(row.line) + " has " +
                                                        std::to_string(row.fields.size()) + " fields, the header " +
                                                        std::to_string(names_.size()));
            for (std::size_t i = 0; i < names_.size(); ++i) row.fields[i].name = names_[i];
            return true;
        }
    }

    std::uint64_t bytes_read() const override { return input_.bytes_read(); }
    std::uint64_t bytes_total() const override { return input_.bytes_total(); }

  private:
    // One record: one line, or more where a quoted field goes over a line's end.
    Result<bool> record(FileRow& row) {
        row.fields.clear();
        SKERRY_ASSIGN(const bool any, input_.line(line_, kRowTextMax));
        if (!any) return false;
        row.line = ++lines_;
        if (lines_ == 1 && line_.starts_with("\xef\xbb\xbf")) line_.erase(0, 3);
        std::size_t at = 0;
        std::size_t bytes = 0;
        while (true) {
            Field& field = row.fields.emplace_back();
            if (row.fields.size() > kFieldsMax)
                return fail(Code::kLimitExceeded, "line " + std::to_string(lines_) + " has more than " +
                                                      std::to_string(kFieldsMax) + " fields");
            if (at < line_.size() && line_[at] == '"') {
                SKERRY_TRY(quoted_field(field, at, row.line));
            } else {
                const std::size_t end = std::min(line_.find(delimiter_, at), line_.size());
                field.cell.text = line_.substr(at, end - at);
                if (end == line_.size() && field.cell.text.ends_with('\r')) field.cell.text.pop_back();
                if (field.cell.text.find('"') != std::string::npos)
                    return fail(Code::kInvalidArgument, "line " + std::to_string(lines_) +
                                                            ": a quote inside an unquoted field; quote the field and double the quote");
                field.cell.kind = field.cell.text.empty() ? CellKind::kNull : CellKind::kText;
                at = end;
            }
            bytes += field.cell.text.size();
            if (bytes > kRowTextMax)
                return fail(Code::kLimitExceeded, "line " + std::to_string(row.line) + ": the row is longer than " +
                                                      std::to_string(kRowTextMax) + " bytes");
            if (at >= line_.size()) return true;
            ++at;  // the delimiter
        }
    }

    Result<void> quoted_field(Field& field, std::size_t& at, std::uint64_t begun) {
        field.cell.kind = CellKind::kText;
        ++at;
        while (true) {
            const std::size_t quote = line_.find('"', at);
            if (quote == std::string::npos) {
                field.cell.text.append(line_, at, std::string::npos);
                field.cell.text += '\n';
                if (field.cell.text.size() > kRowTextMax)
                    return fail(Code::kLimitExceeded, "line " + std::to_string(begun) + ": the row is longer than " +
                                                          std::to_string(kRowTextMax) + " bytes");
                SKERRY_ASSIGN(const bool any, input_.line(line_, kRowTextMax));
                if (!any)
                    return fail(Code::kInvalidArgument, "line " + std::to_string(begun) + ": a quoted field never ends");
                ++lines_;
                at = 0;
                continue;
            }
            field.cell.text.append(line_, at, quote - at);
            at = quote + 1;
            if (at < line_.size() && line_[at] == '"') {
                field.cell.text += '"';
                ++at;
                continue;
            }
            if (at + 1 == line_.size() && line_[at] == '\r') ++at;  // the line's end was \r\n
            if (at < line_.size() && line_[at] != delimiter_)
                return fail(Code::kInvalidArgument,
                            "line " + std::to_string(lines_) + ": text after the end of a quoted field");
            return {};
        }
    }

    Input input_;
    const char delimiter_;
    std::vector<std::string> names_;
    std::string line_;
    std::uint64_t lines_ = 0;
};

}  // namespace

Result<std::unique_ptr<RowReader>> open_csv(Input input, char delimiter) {
    auto reader = std::make_unique<CsvReader>(std::move(input), delimiter);
    SKERRY_TRY(reader->read_header());
    return std::unique_ptr<RowReader>(std::move(reader));
}

}  // namespace skerry::cli
