// JSON through Boost.JSON's event parser: no tree, duplicate names refused, numbers kept as they are written.
#include "cli/json_rows.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/src.hpp>
#include <deque>

#include "base/result.hpp"
#include "model/json.hpp"

namespace skerry::cli {

namespace {

namespace json = boost::json;
using ErrorCode = boost::system::error_code;
using Text = json::string_view;

// Events to rows. `array` says whether the rows lie in an array or stand alone.
class RowHandler {
  public:
    static constexpr std::size_t max_object_size = kFieldsMax;
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = 1000;
    static constexpr std::size_t max_string_size = kRowTextMax;

    explicit RowHandler(bool array) : array_(array) {}

    std::deque<FileRow> rows;  // complete ones
    std::string fault;         // why an event was refused

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_array_begin(ErrorCode& ec) {
        if (in_object_) return open_nested('[', ec);
        if (!array_ || in_array_) return refuse(ec, "a list where a row was expected");
        in_array_ = true;
        return true;
    }
    bool on_array_end(std::size_t, ErrorCode& ec) { return nested_ == 0 || close_nested(']', ec); }
    bool on_object_begin(ErrorCode& ec) {
        if (in_object_) return open_nested('{', ec);
        if (array_ && !in_array_) return refuse(ec, "a JSON file holds an array of objects; use --format ndjson for one object a line");
        in_object_ = true;
        row_ = FileRow{++count_, {}};
        row_bytes_ = 0;
        return true;
    }
    bool on_object_end(std::size_t, ErrorCode& ec) {
        if (nested_ > 0) return close_nested('}', ec);
        in_object_ = false;
        rows.push_back(std::move(row_));
        return true;
    }
    bool on_key_part(Text text, std::size_t, ErrorCode&) {
        key_ += text;
        return true;
    }
    bool on_key(Text text, std::size_t, ErrorCode& ec) {
        key_ += text;
        if (nested_ > 0) {
            begin_member();
            model::append_json_string(json_, key_);
            json_ += ':';
            key_.clear();
            return true;
        }
        for (const Field& field : row_.fields)
            if (field.name == key_) return refuse(ec, "'" + key_ + "' comes twice in one object");
        row_.fields.push_back({std::move(key_), {}});
        key_.clear();
        return true;
    }
    bool on_string_part(Text text, std::size_t, ErrorCode& ec) { return add_text(text, ec); }
    bool on_string(Text text, std::size_t, ErrorCode& ec) { return add_text(text, ec) && done(CellKind::kText, ec); }
    bool on_number_part(Text text, ErrorCode& ec) { return add_text(text, ec); }
    bool on_int64(std::int64_t, Text text, ErrorCode& ec) { return number(text, ec); }
    bool on_uint64(std::uint64_t, Text text, ErrorCode& ec) { return number(text, ec); }
    bool on_double(double, Text text, ErrorCode& ec) { return number(text, ec); }
    bool on_bool(bool value, ErrorCode& ec) { return done(value ? CellKind::kTrue : CellKind::kFalse, ec); }
    bool on_null(ErrorCode& ec) { return done(CellKind::kNull, ec); }
    bool on_comment_part(Text, ErrorCode&) { return true; }
    bool on_comment(Text, ErrorCode&) { return true; }

    std::uint64_t count() const { return count_; }

  private:
    // A list or an object as a value is written down again as JSON; numbers stay as they are.
    bool open_nested(char bracket, ErrorCode& ec) {
        begin_member();
        ++nested_;
        json_ += bracket;
        return add_bytes(1, ec);
    }
    bool close_nested(char bracket, ErrorCode& ec) {
        json_ += bracket;
        if (--nested_ > 0) return add_bytes(1, ec);
        row_.fields.back().cell = Cell{CellKind::kJson, std::move(json_)};
        json_.clear();
        return true;
    }
    // The comma before what is not the first.
    void begin_member() {
        if (!json_.empty() && json_.back() != '[' && json_.back() != '{' && json_.back() != ':') json_ += ',';
    }
    bool refuse(ErrorCode& ec, std::string why) {
        fault = std::move(why);
        ec = json::error::syntax;
        return false;
    }
    bool add_bytes(std::size_t bytes, ErrorCode& ec) {
        row_bytes_ += bytes;
        return row_bytes_ <= kRowTextMax || refuse(ec, "the row is longer than " + std::to_string(kRowTextMax) + " bytes");
    }
    bool add_text(Text text, ErrorCode& ec) {
        text_ += text;
        return add_bytes(text.size(), ec);
    }
    bool number(Text text, ErrorCode& ec) { return add_text(text, ec) && done(CellKind::kNumber, ec); }
    bool done(CellKind kind, ErrorCode& ec) {
        if (!in_object_) return refuse(ec, "a value where an object was expected");
        if (nested_ > 0) {
            begin_member();
            if (kind == CellKind::kText) model::append_json_string(json_, text_);
            else json_ += kind == CellKind::kNumber ? text_ : kind == CellKind::kNull ? "null" : kind == CellKind::kTrue ? "true" : "false";
            text_.clear();
            return add_bytes(2, ec);
        }
        row_.fields.back().cell = Cell{kind, std::move(text_)};
        text_.clear();
        return true;
    }

    const bool array_;
    bool in_array_ = false;
    bool in_object_ = false;
    std::uint64_t count_ = 0;
    std::size_t row_bytes_ = 0;
    int nested_ = 0;  // lists and objects that are open inside a value
    std::string json_;
    std::string key_;
    std::string text_;
    FileRow row_;
};

using Parser = json::basic_parser<RowHandler>;

json::parse_options options() {
    json::parse_options strict;
    strict.max_depth = model::kJsonDepthMax + 2;
    return strict;
}

std::string why(const RowHandler& handler, const ErrorCode& ec) {
    return handler.fault.empty() ? "not JSON: " + ec.message() : handler.fault;
}

class NdjsonReader final : public RowReader {
  public:
    explicit NdjsonReader(Input input) : input_(std::move(input)) {}

    Result<bool> next(FileRow& row) override {
        while (true) {
            SKERRY_ASSIGN(const bool any, input_.line(line_, kRowTextMax));
            if (!any) return false;
            ++lines_;
            std::string_view text = line_;
            if (lines_ == 1 && text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
            if (text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
            Parser parser(options(), false);
            ErrorCode ec;
            const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
            if (!ec && text.substr(used).find_first_not_of(" \t\r") != std::string_view::npos) ec = json::error::extra_data;
            if (ec) return fail(Code::kInvalidArgument, "line " + std::to_string(lines_) + ": " + why(parser.handler(), ec));
            if (parser.handler().rows.empty())
                return fail(Code::kInvalidArgument, "line " + std::to_string(lines_) + ": not a JSON object");
            row = std::move(parser.handler().rows.front());
            row.line = lines_;
            return true;
        }
    }
    std::uint64_t bytes_read() const override { return input_.bytes_read(); }
    std::uint64_t bytes_total() const override { return input_.bytes_total(); }

  private:
    Input input_;
    std::string line_;
    std::uint64_t lines_ = 0;
};

class JsonReader final : public RowReader {
  public:
    explicit JsonReader(Input input) : input_(std::move(input)), parser_(options(), true) {}

    Result<bool> next(FileRow& row) override {
        RowHandler& handler = parser_.handler();
        while (handler.rows.empty()) {
            if (ended_) return false;
            SKERRY_TRY(read_piece());
        }
        row = std::move(handler.rows.front());
        handler.rows.pop_front();
        return true;
    }
    std::uint64_t bytes_read() const override { return input_.bytes_read(); }
    std::uint64_t bytes_total() const override { return input_.bytes_total(); }

  private:
    Result<void> read_piece() {
        SKERRY_ASSIGN(std::string_view piece, input_.read());
        if (first_ && piece.starts_with("\xef\xbb\xbf")) piece.remove_prefix(3);
        ended_ = piece.empty();
        first_ = false;
        ErrorCode ec;
        std::size_t used = 0;
        if (!parser_.done()) used = parser_.write_some(!ended_, piece.data(), piece.size(), ec);
        if (!ec && piece.substr(used).find_first_not_of(" \t\r\n") != std::string_view::npos) ec = json::error::extra_data;
        if (!ec) return {};
        return fail(Code::kInvalidArgument,
                    "row " + std::to_string(parser_.handler().count()) + ": " + why(parser_.handler(), ec));
    }

    Input input_;
    Parser parser_;
    bool first_ = true;
    bool ended_ = false;
};

}  // namespace

std::unique_ptr<RowReader> open_json(Input input, FileFormat format) {
    if (format == FileFormat::kNdjson) return std::make_unique<NdjsonReader>(std::move(input));
    return std::make_unique<JsonReader>(std::move(input));
}

}  // namespace skerry::cli
