#include "gcompile/runtime/trap.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "gcompile/base/error.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/op.h"
#include "gcompile/runtime/body_run.h"
#include "gcompile/runtime/value_range.h"

namespace gcompile::runtime {
namespace {

using ir::Node;
using ir::Value;

constexpr double kHuge = 1e18;  // the square of more is near the largest float

// Runs a graph again, op by op, or a body of one of its nodes: then `around` says which run of which body it is.
class Investigation {
 public:
  Investigation(const ir::Graph& graph, const std::vector<Array>& inputs, Symbols symbols, std::string around = "")
      : graph_(graph), nodes_(graph.topological()), symbols_(std::move(symbols)), around_(std::move(around)) {
    ir::Graph all = graph;  // every value is a result
    all.results.clear();
    all.updates.clear();
    for (const Node* n : nodes_)
      for (int r = 0; r < static_cast<int>(n->types.size()); ++r) all.results.push_back({n->result(r), ""});
    std::vector<Array> results = ir::interpret(all, inputs, {}, symbols_).results;
    for (std::size_t i = 0; i < results.size(); ++i) values_.emplace(all.results[i].value, std::move(results[i]));
  }

  NanReport report(std::size_t value) const {
    const Node& n = *nodes_.at(value);
    return has_nan(result_of(n)) ? of_origin(origin(n)) : not_reproduced(n);
  }

 private:
  Location where(const Node& n) const { return graph_.first_location(&n); }

  // The result that is looked at: of several the first with a NaN.
  const Array& result_of(const Node& n) const {
    for (int r = 0; r < static_cast<int>(n.types.size()); ++r)
      if (const Array& a = values_.at(n.result(r)); has_nan(a)) return a;
    return values_.at(n.result());
  }

  // Operands whose NaN the result has; of a select only what it chooses.
  std::vector<const Node*> sources(const Node& n) const {
    std::vector<const Node*> found;
    for (std::size_t o = 0; o < n.operands.size(); ++o) {
      const Array& a = values_.at(n.operands[o]);
      bool source = has_nan(a);
      if (source && n.op->is(ir::kSelecting)) {
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

  // Which pass made a node; of a graph without a gradient nothing; and in which bodies it is.
  std::string phase(const Node& n) const {
    if (!around_.empty()) return around_;
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
    if (n.op->name == "input") return "input " + name + (around_.empty() ? "" : " of the body");
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
      rows.push_back({role, type_of(a), ValueRange(a).str()});
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
    if (!n.bodies.empty()) return inside(n);
    const Array& a = result_of(n);
    const std::string found = place_of_nan(a) + "; nothing was updated";
    for (std::size_t i = 0; i < graph_.inputs.size(); ++i)
      if (graph_.inputs[i].value.node == &n)
        return {where(n), "argument " + std::to_string(i + 1) + " (" + graph_.inputs[i].name + ") has a NaN: " + found,
                static_cast<int>(i)};
    if (n.op->name == "state") return {where(n), leaf_name(n) + " has a NaN: " + found};
    return {where(n), std::string(n.op->name) + " made a NaN" + phase(n) + ": " + found + operand_lines(n)};
  }

  // The op in a body of the node.
  NanReport inside(const Node& n) const {
    std::vector<Array> operands;
    for (const Value& v : n.operands) operands.push_back(values_.at(v));
    const BodyRun run = guilty_run(n, operands, symbols_);
    const Location at = where(n);
    const Investigation body(*run.body, run.inputs, symbols_,
                             phase(n) + ", in " + run.name + (at.known() ? " at " + at.str() : ""));
    for (const auto& r : run.body->results)
      if (has_nan(body.values_.at(r.value))) return body.of_origin(body.origin(*r.value.node));
    throw InternalError(std::string(n.op->name) + " has a NaN that none of its bodies made");
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
        huge |= ValueRange(values_.at(v)).magnitude() > kHuge;
      }
      return huge && !at.op->is(ir::kView);
    });
  }

  const ir::Graph& graph_;
  std::vector<const Node*> nodes_;
  Symbols symbols_;
  std::string around_;
  ir::ValueMap<Array> values_;
};

}  // namespace

NanReport explain_nan(const ir::Graph& graph, std::size_t value, std::span<const Array* const> arguments) {
  std::vector<Array> inputs;
  for (const Array* a : arguments) inputs.push_back(*a);
  return Investigation(graph, inputs, symbols_of(graph, inputs)).report(value);
}

}  // namespace gcompile::runtime
