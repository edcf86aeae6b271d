#include "gcompile/passes/check_nan.h"

#include <algorithm>
#include <array>
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
using ir::OnNan;
using ir::V;
using ir::Value;

constexpr int kDepth = 5;  // ops from a comparison to what it chooses

bool holds(const Node& comparison, double a, double b) {
  const std::array operands{a, b};
  return comparison.op->element(operands) != 0;
}

// A comparison that is false where an operand is NaN.
bool fails_for_nan(const Node& n) { return n.op->is(ir::kComparison) && !holds(n, NAN, 0) && !holds(n, 0, NAN); }

// The question whether it is a NaN: a comparison with itself that a NaN answers in another way than a number.
bool asks(const Node& n) {
  return n.op->is(ir::kComparison) && n.operands[0] == n.operands[1] && holds(n, NAN, NAN) != holds(n, 0, 0);
}

// What becomes of a NaN in an operand of the node.
OnNan fate(const Node& user) {
  if (user.op->on_nan == OnNan::kDropped || asks(user)) return OnNan::kDropped;
  return is_float(user.types[0].dtype) ? user.op->on_nan : OnNan::kHidden;
}

// Whether v has a NaN at every index where x has one. A select does that looks at x and falls through to what follows
// x, for a NaN fails every comparison: select(x <= 0, 0, x), a relu; select(x < tiny, -100, log(x)).
bool follows(Value v, Value x, int depth) {
  const Node& n = *v.node;
  if (v == x) return true;
  if (depth == 0 || !n.op->is(ir::kElementwise)) return false;
  const auto follows_operand = [&](std::size_t o) { return follows(n.operands[o], x, depth - 1); };
  if (n.op->is(ir::kSelecting)) {
    const Node& condition = *n.operands[0].node;
    return fails_for_nan(condition) && follows_operand(2) && (condition.operands[0] == x || condition.operands[1] == x);
  }
  for (std::size_t o = 0; o < n.operands.size(); ++o)
    if (fate(n) == OnNan::kShown && follows_operand(o)) return true;
  return false;
}

bool moves_elements(const Node& n) { return n.op->is(ir::kView) && fate(n) == OnNan::kShown; }

bool is_known(const Node& n) {
  if (!n.op->is(ir::kLeaf) || ir::is_argument(n)) return false;
  if (n.op->name != "constant") return true;
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
    if (shows && n.op->is(ir::kSelecting) && fails_for_nan(*n.operands[0].node))
      for (const Value& x : n.operands[0].node->operands) uses[x.node].shows |= follows(n.result(), x, kDepth);
    for (std::size_t o = 0; o < n.operands.size(); ++o) {
      const OnNan f = fate(n);
      uses[n.operands[o].node].shows |= f == OnNan::kShown && shows;
      uses[n.operands[o].node].hidden |= f == OnNan::kHidden;
    }
  }
  std::reverse(checked.begin(), checked.end());
  return checked;
}

Graph check_nan(const Graph& graph, const PassContext&) {
  const std::vector<const Node*> nodes = graph.topological();
  for (const Node* n : nodes)
    if (n->op->name == "fusion")
      throw ModelError(graph.first_location(n), "check-nan: takes a graph without fusions; run it before fuse");
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
