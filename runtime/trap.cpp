#include "gcompile/runtime/trap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/op.h"

namespace gcompile::runtime {
namespace {

using ir::Node;
using ir::Value;

constexpr double kHuge = 1e18;  // the square of more is near the largest float

// What one wants to know of the elements of a value.
struct Range {
  double low = INFINITY, high = -INFINITY;  // without the NaN
  std::int64_t nan = 0, infinite = 0, size = 0, first_nan = -1;

  explicit Range(const Array& a) : size(a.size()) {
    for (std::int64_t i = 0; i < size; ++i) {
      const double x = a.at(i);
      if (std::isnan(x)) {
        if (nan++ == 0) first_nan = i;
        continue;
      }
      infinite += std::isinf(x);
      low = std::min(low, x);
      high = std::max(high, x);
    }
  }
  double magnitude() const { return nan == size ? 0 : std::max(std::fabs(low), std::fabs(high)); }
};

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", x);
  return text;
}

std::string share(std::int64_t part, std::int64_t all, const char* what) {
  return part == 0 ? "" : ", " + std::to_string(part) + " of " + std::to_string(all) + " " + what;
}

// "-1 .. inf, 1 of 3 infinite"
std::string str(const Range& r) {
  if (r.size == 0) return "empty";
  if (r.nan == r.size) return "NaN";
  const std::string range = r.low == r.high ? number(r.low) : number(r.low) + " .. " + number(r.high);
  return range + (r.size > 1 ? share(r.infinite, r.size, "infinite") : "") + share(r.nan, r.size, "NaN");
}

std::string type_of(const Array& a) { return std::string(name(a.dtype())) + a.shape().str(); }

// "1 of 6 elements of f32[3,2], first at [2, 0]"
std::string place(const Array& a, const Range& r) {
  if (a.rank() == 0) return type_of(a);
  std::string index;
  std::int64_t rest = r.first_nan;
  for (int axis = a.rank() - 1; axis >= 0; --axis) {
    index = std::to_string(rest % a.shape()[axis]) + (index.empty() ? "" : ", " + index);
    rest /= a.shape()[axis];
  }
  return std::to_string(r.nan) + " of " + std::to_string(r.size) + " elements of " + type_of(a) + ", first at [" +
         index + "]";
}

class Investigation {
 public:
  Investigation(const ir::Graph& graph, std::span<const Array* const> arguments)
      : graph_(graph), nodes_(graph.topological()) {
    ir::Graph all = graph;  // every value is a result
    all.results.clear();
    all.updates.clear();
    for (const Node* n : nodes_)
      for (int r = 0; r < static_cast<int>(n->types.size()); ++r) all.results.push_back({n->result(r), ""});
    std::vector<Array> inputs;
    for (const Array* a : arguments) inputs.push_back(*a);
    std::vector<Array> results = ir::interpret(all, inputs).results;
    for (std::size_t i = 0; i < results.size(); ++i) values_.emplace(all.results[i].value, std::move(results[i]));
  }

  NanReport report(std::size_t value) const {
    const Node& n = *nodes_.at(value);
    return Range(result_of(n)).nan > 0 ? of_origin(origin(n)) : not_reproduced(n);
  }

 private:
  Location where(const Node& n) const {
    const auto& known = graph_.where(&n);
    return known.empty() ? Location{} : known.front();
  }

  // The result that is looked at: of several the first with a NaN.
  const Array& result_of(const Node& n) const {
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r)
      if (const Array& a = values_.at(n.result(r)); is_float(a.dtype()) && Range(a).nan > 0) return a;
    return values_.at(n.result());
  }

  // Operands whose NaN the result has; of a select only what it chooses.
  std::vector<const Node*> sources(const Node& n) const {
    std::vector<const Node*> found;
    for (std::size_t o = 0; o < n.operands.size(); ++o) {
      const Array& a = values_.at(n.operands[o]);
      bool source = Range(a).nan > 0;
      if (source && n.op->name == "select") {
        const Array& condition = values_.at(n.operands[0]);
        source = false;
        for (std::int64_t i = 0; i < a.size(); ++i) source |= std::isnan(a.at(i)) && (condition.at(i) != 0) == (o == 1);
      }
      if (source) found.push_back(n.operands[o].node);
    }
    return found;
  }

  // The first node in order, on the ways back from n, of which `visit` says that it is one; null when there is none.
  // `visit` also adds the nodes to go on to.
  template <class Visit>
  static const Node* earliest(const Node& n, const Visit& visit) {
    std::vector<const Node*> todo{&n}, next;
    std::unordered_set<const Node*> seen{&n};
    const Node* first = nullptr;
    while (!todo.empty()) {
      const Node* at = todo.back();
      todo.pop_back();
      next.clear();
      if (visit(*at, next) && (!first || at->id < first->id)) first = at;
      for (const Node* s : next)
        if (seen.insert(s).second) todo.push_back(s);
    }
    return first;
  }

  // The first node on the ways back from n that has a NaN from nowhere.
  const Node& origin(const Node& n) const {
    return *earliest(n, [&](const Node& at, std::vector<const Node*>& next) {
      next = sources(at);
      return next.empty();
    });
  }

  // Which pass made a node; of a graph without a gradient nothing.
  std::string phase(const Node& n) const {
    if (graph_.backward.empty()) return "";
    if (graph_.is_backward(&n)) return " in the backward pass";
    std::unordered_set<const Node*> after;
    for (const Node* m : nodes_)
      if (graph_.is_backward(m) ||
          std::any_of(m->operands.begin(), m->operands.end(), [&](const Value& v) { return after.contains(v.node); }))
        after.insert(m);
    return after.contains(&n) ? " after the backward pass" : " in the forward pass";
  }

  std::string leaf_name(const Node& n) const {
    const std::string name = n.attrs.has("name") ? n.attrs.get<std::string>("name") : "";
    if (n.op->name == "input") return "input " + name;
    const int state = graph_.state_index(n.result());
    return (state >= 0 && graph_.states[static_cast<std::size_t>(state)].trainable ? "parameter " : "state ") + name;
  }

  std::string made(const Node& n) const {
    const Location at = where(n);
    if (n.op->name == "state") return leaf_name(n) + (at.known() ? ", used at " + at.str() : "");
    const std::string what = "(" + (n.op->name == "input" ? leaf_name(n) : std::string(n.op->name)) + ")";
    return at.known() ? "made at " + at.str() + " " + what : what;
  }

  std::string operand_lines(const Node& n, const std::string& indent = "  ") const {
    std::vector<std::array<std::string, 3>> rows;
    const std::size_t count = n.operands.size();
    for (std::size_t o = 0; o < count; ++o) {
      const Array& a = values_.at(n.operands[o]);
      const std::string role = count == 1   ? "operand"
                               : count == 2 ? (o == 0 ? "left" : "right")
                                            : "operand " + std::to_string(o + 1);
      rows.push_back({role, type_of(a), str(Range(a))});
    }
    std::array<std::size_t, 3> width{};
    for (const auto& row : rows)
      for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
    std::string text;
    for (std::size_t o = 0; o < count; ++o) {
      text += "\n" + indent;
      for (std::size_t c = 0; c < width.size(); ++c)
        text += rows[o][c] + std::string(width[c] - rows[o][c].size() + (c == 0 ? 1 : 2), ' ');
      text += made(*n.operands[o].node);
    }
    return text;
  }

  NanReport of_origin(const Node& n) const {
    const Array& a = result_of(n);
    const std::string found = place(a, Range(a)) + "; nothing was updated";
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      if (graph_.inputs[i].value.node == &n)
        return {where(n), "argument " + std::to_string(i + 1) + " (" + graph_.inputs[i].name + ") has a NaN: " + found,
                static_cast<int>(i)};
    if (n.op->name == "state") return {where(n), leaf_name(n) + " has a NaN: " + found};
    return {where(n), std::string(n.op->name) + " made a NaN" + phase(n) + ": " + found + operand_lines(n)};
  }

  // The compiled code had a NaN and the interpreter none: what is told of is where the NaN was seen, and the first op
  // before it that reads numbers whose products or sums leave the range of a float.
  NanReport not_reproduced(const Node& n) const {
    std::string text = std::string(n.op->name) + " has a NaN" + phase(n) + ": " + type_of(result_of(n)) +
                       "; nothing was updated" + operand_lines(n) +
                       "\n  Computed again op by op, each in double precision, there is no NaN: on the way to this "
                       "value a sum or product of floats left their range";
    if (const Node* suspect = first_huge(n); suspect && suspect != &n)
      text += "\n  maybe in " + std::string(suspect->op->name) + " at " + where(*suspect).str() + ":" +
              operand_lines(*suspect, "    ");
    return {where(n), text};
  }

  const Node* first_huge(const Node& n) const {
    return earliest(n, [&](const Node& at, std::vector<const Node*>& next) {
      bool huge = false;
      for (const Value& v : at.operands) {
        next.push_back(v.node);
        huge |= Range(values_.at(v)).magnitude() > kHuge;
      }
      return huge && !at.op->is(ir::kView) && at.op->name != "broadcast";
    });
  }

  const ir::Graph& graph_;
  std::vector<const Node*> nodes_;
  ir::ValueMap<Array> values_;
};

}  // namespace

NanReport explain_nan(const ir::Graph& graph, std::size_t value, std::span<const Array* const> arguments) {
  return Investigation(graph, arguments).report(value);
}

}  // namespace gcompile::runtime
