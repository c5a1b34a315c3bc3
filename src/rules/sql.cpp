// The tree as SQL. Brackets only where the grammar needs them: chains of `and`, `or`, + and * stay flat, because the
// parser of an older SQLite holds 100 open symbols. What stands before an operand and waits for it is counted.
#include <algorithm>

#include "base/text.hpp"
#include "rules/rules.hpp"
#include "rules/typing.hpp"

namespace skerry::rules {

namespace {

using Kind = Node::Kind;

// Which operator binds stronger; operands that do not are put in brackets.
enum class Binds { kOr = 1, kAnd, kNot, kCompare, kSum, kProduct, kValue };

Binds binds(const Node& node) {
    switch (node.kind) {
        case Kind::kNot: return Binds::kNot;
        case Kind::kIn:
        case Kind::kIsNull:
        case Kind::kBetween:
        case Kind::kLike: return Binds::kCompare;
        case Kind::kBinary:
            if (node.text == "OR") return Binds::kOr;
            if (node.text == "AND") return Binds::kAnd;
            if (node.text == "+" || node.text == "-") return Binds::kSum;
            if (node.text == "*" || node.text == "/" || node.text == "%") return Binds::kProduct;
            return Binds::kCompare;
        default: return Binds::kValue;
    }
}

class Printer {
  public:
    explicit Printer(std::string_view prefix) : prefix_(prefix) {}

    void put(const Node& node) {
        most_open = std::max(most_open, open_ + 1);
        switch (node.kind) {
            case Kind::kLiteral: out += node.text; break;
            case Kind::kColumn: out += std::string(prefix_) + quote_name(node.text); break;
            case Kind::kNot:
                out += "NOT ";
                operand(node.children[0], Binds::kNot, 1);
                break;
            case Kind::kNegate:
                out += "-(";  // a sign before a sign would begin a comment
                inner(node.children[0], 2);
                out += ")";
                break;
            case Kind::kBinary: binary(node); break;
            case Kind::kIsNull:
                operand(node.children[0], Binds::kSum);
                out += node.negated ? " IS NOT NULL" : " IS NULL";
                break;
            case Kind::kIn:
                operand(node.children[0], Binds::kSum);
                out += node.negated ? " NOT IN " : " IN ";
                list(node, 1);
                break;
            case Kind::kBetween:
                operand(node.children[0], Binds::kSum);
                out += node.negated ? " NOT BETWEEN " : " BETWEEN ";
                operand(node.children[1], Binds::kSum, 2);
                out += " AND ";
                operand(node.children[2], Binds::kSum, 4);
                break;
            case Kind::kLike:
                operand(node.children[0], Binds::kSum);
                out += (node.negated ? " NOT GLOB " : " GLOB ") + node.text;
                break;
            case Kind::kCall: call(node); break;
        }
    }

    std::string out;
    int most_open = 0;

  private:
    // Behind that many symbols that wait for it.
    void inner(const Node& node, int waiting) {
        open_ += waiting;
        put(node);
        open_ -= waiting;
    }
    void operand(const Node& node, Binds least, int waiting = 0) {
        const bool brackets = binds(node) < least;
        if (brackets) out += "(";
        inner(node, waiting + (brackets ? 1 : 0));
        if (brackets) out += ")";
    }
    void binary(const Node& node) {
        const Binds own = binds(node);
        const Binds stronger = static_cast<Binds>(static_cast<int>(own) + 1);
        operand(node.children[0], own == Binds::kCompare ? stronger : own);
        out += " " + node.text + " ";
        operand(node.children[1], stronger, 2);
    }
    void list(const Node& node, std::size_t from) {
        out += "(";
        for (std::size_t i = from; i < node.children.size(); ++i) {
            if (i > from) out += ", ";
            inner(node.children[i], i > from ? 5 : 3);
        }
        out += ")";
    }
    void call(const Node& node) {
        if (node.text == "real") {
            out += "CAST(";
            inner(node.children[0], 2);
            out += " AS REAL)";
        } else if (node.text == "abs of int") {
            // abs of the least integer is an error in SQLite, which would stop whoever writes the row.
            out += "abs(max(";
            inner(node.children[0], 6);
            out += ", -9223372036854775807))";
        } else {
            out += node.text;
            list(node, 0);
        }
    }

    std::string_view prefix_;
    int open_ = 0;
};

}  // namespace

int open_symbols(const Node& root) {
    Printer printer("");
    printer.put(root);
    return printer.most_open;
}

std::string to_sql(const Expression& expression, std::string_view prefix) {
    Printer printer(prefix);
    printer.put(expression.root);
    return std::move(printer.out);
}

}  // namespace skerry::rules
