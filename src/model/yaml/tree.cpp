#include "model/yaml/tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

namespace skerry::model::yaml {

namespace {

Mark to_mark(const YAML::Mark& mark) {
    return mark.is_null() ? Mark{} : Mark{mark.line + 1, mark.column + 1};
}

// Collects events into nodes. After the first fault of a kind that leaves no tree, further events are ignored:
// the parser offers no way to stop it but an exception.
class Builder final : public YAML::EventHandler {
  public:
    Builder(int depth_max, std::vector<Fault>& faults) : depth_max_(depth_max), faults_(faults) {}

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        look_at(mark, "", anchor);
        leaf(Node{Kind::kNull, to_mark(mark), {}, false, {}, {}});
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        fault(mark, "aliases (*name) are not part of the model syntax; write the value out");
        leaf(Node{Kind::kNull, to_mark(mark), {}, false, {}, {}});
    }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        look_at(mark, tag, anchor);
        leaf(Node{Kind::kScalar, to_mark(mark), value, tag == "?", {}, {}});
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        look_at(mark, tag, anchor);
        start(Node{Kind::kList, to_mark(mark), {}, false, {}, {}});
    }
    void OnSequenceEnd() override { end(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        look_at(mark, tag, anchor);
        start(Node{Kind::kMap, to_mark(mark), {}, false, {}, {}});
    }
    void OnMapEnd() override { end(); }

    Node take() { return std::move(root_); }

  private:
    struct Open {
        Node node;
        bool has_key = false;
        Node key;
        std::map<std::string, int> lines;  // where each key stands
    };

    void fault(const YAML::Mark& mark, std::string text) {
        faults_.push_back({to_mark(mark), Code::kModelInvalid, std::move(text)});
    }
    void look_at(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
        if (anchor != 0) fault(mark, "anchors (&name) are not part of the model syntax; write the value out");
        if (!tag.empty() && tag != "?" && tag != "!")
            fault(mark, "the tag " + quoted(tag) + " is not part of the model syntax; leave it out (required is written behind the type: `text!`)");
    }
    void start(Node node) {
        ++depth_;
        if (depth_ > depth_max_) {
            if (depth_ == depth_max_ + 1)
                faults_.push_back({node.mark, Code::kModelInvalid,
                                   "more than " + std::to_string(depth_max_) +
                                       " levels deep; a model needs no more than six"});
            return;
        }
        open_.push_back(Open{std::move(node), false, {}, {}});
    }
    void end() {
        --depth_;
        if (depth_ >= depth_max_) return;
        Node node = std::move(open_.back().node);
        open_.pop_back();
        put(std::move(node));
    }
    void leaf(Node node) {
        if (depth_ <= depth_max_) put(std::move(node));
    }
    void put(Node node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        Open& parent = open_.back();
        if (parent.node.kind == Kind::kList) {
            parent.node.items.push_back(std::move(node));
            return;
        }
        if (!parent.has_key) {
            if (node.kind != Kind::kScalar)
                faults_.push_back({node.mark, Code::kModelInvalid, "a name must stand here, before a colon"});
            parent.key = std::move(node);
            parent.has_key = true;
            return;
        }
        parent.has_key = false;
        if (node.kind == Kind::kNull) node.mark = parent.key.mark;  // what is not there has no place of its own
        // A loud stop: of two values for one word the reader would have to drop one.
        if (const auto [first, is_new] = parent.lines.emplace(parent.key.text, parent.key.mark.line); !is_new) {
            faults_.push_back({parent.key.mark, Code::kModelInvalid,
                               quoted(parent.key.text) + " is written twice, first on line " +
                                   std::to_string(first->second) + "; remove one"});
            return;
        }
        parent.node.entries.push_back({std::move(parent.key), std::move(node)});
    }

    const int depth_max_;
    std::vector<Fault>& faults_;
    int depth_ = 0;
    std::vector<Open> open_;
    Node root_;
};

std::string_view line_of(std::string_view text, int line) {
    for (; line > 1; --line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find('\n'));
}

bool is_indented_by_tab(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    return line.substr(0, first).find('\t') != std::string_view::npos;
}

// `[a, b] = a` and `[a, b]!` look like an enum with a default, but are no YAML: the parser stumbles behind the
// bracket, sometimes only on the next line. Its place, if that is what happened.
bool find_enum_suffix(std::string_view yaml, Mark& mark) {
    for (const int line : {mark.line, mark.line - 1}) {
        if (line < 1) continue;
        const std::string_view text = line_of(yaml, line);
        const std::size_t close = text.find(']');
        const std::size_t open = text.find('[');
        if (close == std::string_view::npos || open > close) continue;
        const std::size_t next = text.find_first_not_of(' ', close + 1);
        if (next == std::string_view::npos || (text[next] != '=' && text[next] != '!')) continue;
        mark = {line, static_cast<int>(open) + 1};
        return true;
    }
    return false;
}

}  // namespace

std::string quoted(std::string_view word) {
    std::string out = "'";
    std::size_t shown = 0;
    for (const char c : word) {
        const bool starts_character = (static_cast<unsigned char>(c) & 0xc0) != 0x80;
        if (starts_character && ++shown > 60) {
            out += "…";
            break;
        }
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
    return out + "'";
}

Node parse(std::string_view yaml, int depth_max, std::vector<Fault>& faults) {
    Builder builder(depth_max, faults);
    try {
        std::istringstream in{std::string(yaml)};
        YAML::Parser parser(in);
        if (!parser.HandleNextDocument(builder)) {
            faults.push_back({{1, 1}, Code::kModelInvalid, "the file is empty; a model begins with `app: name`"});
            return {};
        }
        std::vector<Fault> ignored;
        Builder second(depth_max, ignored);
        if (parser.HandleNextDocument(second))
            faults.push_back({{1, 1}, Code::kModelInvalid, "the file holds several YAML documents (---); keep one"});
    } catch (const YAML::Exception& e) {
        Mark mark = to_mark(e.mark);
        if (find_enum_suffix(yaml, mark))
            faults.push_back({mark, Code::kModelInvalid,
                              "nothing can follow a list in YAML; write `enum(open, closed)! = open`, or in full "
                              "{ type: enum, values: [open, closed], required: true, default: open }"});
        else if (is_indented_by_tab(line_of(yaml, mark.line)))
            faults.push_back({mark, Code::kModelInvalid, "the line begins with a tab; YAML is indented by spaces"});
        else
            faults.push_back({mark, Code::kModelInvalid,
                              "not YAML: " + e.msg + "; look at the brackets, quotes and indentation here and in the line before"});
        return {};
    } catch (const std::exception& e) {
        faults.push_back({{1, 1}, Code::kModelInvalid, std::string("not YAML: ") + e.what()});
        return {};
    }
    return builder.take();
}

}  // namespace skerry::model::yaml
