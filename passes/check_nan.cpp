#include "gcompile/passes/check_nan.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/gradient.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::V;
using ir::Value;

// What becomes of a NaN in an operand of a node.
enum class Fate {
  kKept,     // the result has one
  kDropped,  // the result has one, unless the program chose not to use that element
  kHidden,   // the result depends on it and does not show it
};

constexpr int kDepth = 5;  // ops from a comparison to what it chooses

constexpr std::string_view kDropping[] = {"select", "slice", "pad", "gather", "is_finite", "windows", "conv", "cumsum"};
constexpr std::string_view kKeeping[] = {"reshape", "transpose", "broadcast", "reverse", "concat"};
constexpr std::string_view kOrdered[] = {"lt", "le", "gt", "ge", "eq"};  // false where an operand is NaN

template <std::size_t N>
bool listed(const std::string_view (&names)[N], const Node& n) {
  return std::find(std::begin(names), std::end(names), n.op->name) != std::end(names);
}

// The question whether it is a NaN.
bool asks(const Node& n) { return (n.op->name == "ne" || n.op->name == "eq") && n.operands[0] == n.operands[1]; }

Fate fate(const Node& user) {
  if (listed(kDropping, user) || asks(user)) return Fate::kDropped;
  if (!is_float(user.types[0].dtype) || user.op->name == "pow") return Fate::kHidden;  // pow(1, NaN) is 1
  const bool all_read = user.op->is(ir::kElementwise) || user.op->is(ir::kFolding) || user.op->is(ir::kContraction);
  return all_read || listed(kKeeping, user) ? Fate::kKept : Fate::kHidden;
}

// Whether v has a NaN at every index where x has one. A select does that looks at x and falls through to what follows
// x, for a NaN fails every comparison: select(x <= 0, 0, x), a relu; select(x < tiny, -100, log(x)).
bool follows(Value v, Value x, int depth) {
  const Node& n = *v.node;
  if (v == x) return true;
  if (depth == 0 || !n.op->is(ir::kElementwise)) return false;
  const auto follows_operand = [&](std::size_t o) { return follows(n.operands[o], x, depth - 1); };
  if (n.op->name == "select") {
    const Node& condition = *n.operands[0].node;
    return listed(kOrdered, condition) && follows_operand(2) &&
           (condition.operands[0] == x || condition.operands[1] == x);
  }
  for (std::size_t o = 0; o < n.operands.size(); ++o)
    if (fate(n) == Fate::kKept && follows_operand(o)) return true;
  return false;
}

bool moves_elements(const Node& n) { return listed(kKeeping, n) && n.operands.size() == 1; }

bool is_known(const Node& n) {
  if (n.op->name != "constant") return n.op->name == "dim" || n.op->name == "iota";
  const Array& a = n.attrs.get<Array>("value");
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (std::isnan(a.at(i))) return false;
  return true;
}

// Whether an element of the value is a NaN.
V has_nan(ir::Builder& b, Value v) {
  V bad = ir::compare("ne", {&b, v}, {&b, v});
  std::vector<std::int64_t> axes;
  for (int a = 0; a < v.type().rank(); ++a) axes.push_back(a);
  if (axes.empty()) return bad;
  const V count = ir::reduce("reduce_sum", ir::cast(bad, DType::kI32), axes);
  return ir::compare("ne", count, ir::zeros_like(count));
}

}  // namespace

std::vector<Value> checked_values(const Graph& graph) {
  struct Uses {
    bool leaves = false;  // as a result or a new state
    bool shows = false;   // a NaN in it shows in a checked value
    bool hidden = false;
  };
  std::unordered_map<const Node*, Uses> uses;
  for (const auto& r : graph.results) uses[r.value.node].leaves = true;
  for (const auto& u : graph.updates) uses[u.value.node].leaves = true;
  std::vector<Value> checked;
  const std::vector<const Node*> nodes = graph.topological();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const Node& n = **it;
    const Uses u = uses[&n];
    bool shows = u.shows;
    if (n.op->is(ir::kControl)) {  // what its bodies do with a NaN is not looked into
      for (int r = 0; r < static_cast<int>(n.types.size()); ++r)
        if (is_float(n.types[static_cast<std::size_t>(r)].dtype)) checked.push_back(n.result(r));
      for (const Value& v : n.operands) uses[v.node].hidden = true;
      continue;
    }
    if (is_float(n.types[0].dtype) && !shows && (u.leaves || u.hidden) && !is_known(n)) {
      if (moves_elements(n)) {  // what it reads is no larger
        uses[n.operands[0].node].hidden = true;
      } else {
        checked.push_back(n.result());
        shows = true;
      }
    }
    if (shows && n.op->name == "select" && listed(kOrdered, *n.operands[0].node))
      for (const Value& x : n.operands[0].node->operands) uses[x.node].shows |= follows(n.result(), x, kDepth);
    for (std::size_t o = 0; o < n.operands.size(); ++o) {
      const Fate f = fate(n);
      uses[n.operands[o].node].shows |= f == Fate::kKept && shows;
      uses[n.operands[o].node].hidden |= f == Fate::kHidden;
    }
  }
  std::reverse(checked.begin(), checked.end());
  return checked;
}

Graph check_nan(const Graph& graph, const PassContext&) {
  const std::vector<const Node*> nodes = graph.topological();
  for (const Node* n : nodes)
    if (n->op->name == "fusion")
      throw ModelError(graph.where(n).empty() ? Location{} : graph.where(n).front(),
                       "check-nan: takes a graph without fusions; run it before fuse");
  const std::vector<Value> checked = checked_values(graph);
  if (checked.empty()) return graph;

  Graph out = graph;
  ir::Builder b(out);
  b.where = graph.where(checked.back().node);
  V status{&b, b.scalar(DType::kI32, 0)};
  for (auto v = checked.rbegin(); v != checked.rend(); ++v) {
    b.where = graph.where(v->node);
    const auto position = std::find(nodes.begin(), nodes.end(), v->node) - nodes.begin();
    const Value code = b.scalar(DType::kI32, static_cast<double>(position + 1));
    status = ir::select(has_nan(b, *v), {&b, code}, status);
  }
  const V fine = ir::compare("eq", status, ir::zeros_like(status));
  for (auto& u : out.updates) {
    b.where = graph.where(u.value.node);
    const Value old = out.states[static_cast<std::size_t>(u.state)].value;
    const V all_fine = old.type().rank() == 0 ? fine : ir::broadcast(fine, old.type().dims, {});
    u.value = ir::select(all_fine, {&b, u.value}, {&b, old});
  }
  out.results.push_back({status, unused_result(graph, "status")});
  return out;
}

}  // namespace gcompile::passes
