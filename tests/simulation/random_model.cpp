#include "simulation/random_model.hpp"

#include <vector>

#include "kit/events/seeds.hpp"

namespace skerry::sim {

namespace {

using kit::between;
using kit::chance;

template <std::size_t N>
std::string any_of(Random& random, const std::string_view (&list)[N]) {
    return std::string(list[random.below(N)]);
}

constexpr std::string_view kTypes[] = {"text", "text", "int", "int", "decimal(8, 2)", "decimal(18, 4)", "real", "bool", "date", "timestamp", "json", "blob", "set", "enum", "uuid"};
constexpr std::string_view kAnyMerge[] = {"last", "last", "first", "ask"};
constexpr std::string_view kNames[] = {"name", "note", "stock", "kind", "body", "total", "when", "order", "group", "state", "value", "mail"};

struct Attribute {
    std::string name, type, merge, otherwise;  // otherwise: the default
    bool required = false;
    int parent = -1;
    std::string on_delete;
};

class Making {
  public:
    explicit Making(std::uint64_t seed) : random_(kit::stream(seed, "random-model")) {}

    std::string yaml() {
        std::string out = "app: tried\nversion: 1\naccess: open\nentities:\n";
        const auto n = between(random_, 1, 4);
        for (int e = 0; e < n; ++e) out += entity(e);
        return out;
    }

  private:
    bool by(std::uint64_t permille) { return chance(random_, permille); }

    std::string entity(int e) {
        const bool natural = by(350);
        conflict_ = by(700) ? "" : by(500) ? "last" : "detect";
        attributes_.clear();
        for (auto n = between(random_, 1, 6); n > 0; --n) attributes_.push_back(attribute(e));
        std::string out = "  " + name_of(e) + ":\n    attributes:\n      id: " + (natural ? "text" : "uuid") + "\n";
        for (const Attribute& one : attributes_) out += line(one);
        std::string on_delete;
        for (const Attribute& one : attributes_)
            if (!one.on_delete.empty()) on_delete += (on_delete.empty() ? "" : ", ") + one.name + ": " + one.on_delete;
        if (!on_delete.empty()) out += "    on_delete: { " + on_delete + " }\n";
        if (!conflict_.empty()) out += "    conflict: " + conflict_ + "\n";
        if (by(120)) out += "    strict: true\n";
        static constexpr std::string_view kUpdateDelete[] = {"delete_wins", "ask", "update_wins"};
        if (by(500)) out += "    update_delete: " + any_of(random_, kUpdateDelete) + "\n";
        if (by(350)) out += "    create_create: merge\n";
        return out + uniques() + checks();
    }

    static std::string name_of(int e) { return std::string("thing_") + static_cast<char>('a' + e); }

    Attribute attribute(int e) {
        Attribute out;
        out.name = any_of(random_, kNames) + "_" + std::to_string(attributes_.size());
        out.required = by(300);
        if (by(250)) {
            out.parent = static_cast<int>(random_.below(static_cast<std::uint64_t>(e) + 1));
            out.type = name_of(out.parent);
            if (out.parent == e) out.required = false;
            if (by(600)) out.on_delete = by(500) ? "cascade" : out.required ? "restrict" : "set null";
            if (conflict_.empty() && by(300)) out.merge = any_of(random_, kAnyMerge);
            return out;
        }
        out.type = any_of(random_, kTypes);
        if (conflict_.empty() && by(600)) out.merge = merge_for(out.type);
        if (out.merge == "counter" && by(700)) out.otherwise = "0";
        if (out.merge.empty() && by(200)) out.otherwise = default_for(out.type);
        return out;
    }

    std::string merge_for(const std::string& type) {
        const bool number = type == "int" || type.starts_with("decimal");
        if (number && by(500)) return "counter";
        if (type == "set" && by(700)) return "set";
        if (type == "text" && by(500)) return "text";
        if ((number || type == "real" || type == "date" || type == "timestamp") && by(500)) return by(500) ? "max" : "min";
        return any_of(random_, kAnyMerge);
    }

    static std::string default_for(const std::string& type) {
        if (type == "text") return "new";
        if (type == "int") return "3";
        if (type.starts_with("decimal")) return "1.50";
        if (type == "bool") return "true";
        if (type == "enum") return "open";
        return "";
    }

    static std::string line(const Attribute& one) {
        std::string out = "      " + one.name + ": { type: \"" + one.type + "\"";
        if (one.type == "enum") out += ", values: [open, moved, closed]";
        if (one.required) out += ", required: true";
        if (!one.merge.empty()) out += ", merge: " + one.merge;
        if (!one.otherwise.empty()) out += ", default: " + one.otherwise;
        return out + " }\n";
    }

    std::string uniques() {
        std::string out;
        for (const Attribute& one : attributes_)
            if ((one.type == "text" || one.type == "int" || one.type == "date") && one.merge != "text" && one.merge != "counter" && by(200)) out += (out.empty() ? "[" : ", [") + one.name + "]";
        if (attributes_.size() > 1 && by(100) && one_line(attributes_[0]) && one_line(attributes_[1])) out += (out.empty() ? "[" : ", [") + attributes_[0].name + ", " + attributes_[1].name + "]";
        return out.empty() ? "" : "    unique: [" + out + "]\n";
    }
    static bool one_line(const Attribute& one) { return one.type != "json" && one.type != "blob" && one.type != "set" && one.type != "real"; }

    std::string checks() {
        std::string out;
        std::string before;  // another of the same type
        for (const Attribute& one : attributes_) {
            std::string check;
            if (one.type == "int" && by(400)) check = by(500) ? one.name + " between 1 and 40" : "not (" + one.name + " < -3 or " + one.name + " > 60)";
            if (one.type == "decimal(8, 2)" && by(400)) check = one.name + " >= -2.50";
            if (one.type == "text" && by(250)) check = by(500) ? "length(" + one.name + ") <= 60" : one.name + " is null or lower(" + one.name + ") <> 'grey'";
            if (one.type == "enum" && by(300)) check = one.name + " in ('open', 'closed')";
            if (one.type == "date" || one.type == "timestamp") {
                if (!before.empty() && before.starts_with(one.type + " ")) check = before.substr(one.type.size() + 1) + " <= " + one.name;
                before = one.type + " " + one.name;
            }
            if (!check.empty()) out += (out.empty() ? "\"" : ", \"") + check + "\"";
        }
        return out.empty() ? "" : "    checks: [" + out + "]\n";
    }

    SeededRandom random_;
    std::string conflict_;
    std::vector<Attribute> attributes_;
};

}  // namespace

std::string random_model(std::uint64_t seed) { return Making(seed).yaml(); }

}  // namespace skerry::sim
