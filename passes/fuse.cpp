#include "gcompile/passes/fuse.h"

#include <algorithm>
#include <optional>

#include "gcompile/ir/op.h"
#include "gcompile/passes/fuser.h"
#include "gcompile/passes/nest_worth.h"
#include "gcompile/passes/one_sample.h"
#include "gcompile/passes/places.h"
#include "gcompile/passes/row_groups.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

// Results and updates that are computed, each once, in order.
std::vector<Value> outputs_of(const Graph& g) {
  std::vector<Value> out;
  const auto add = [&](Value v) {
    if (!v.node->op->is(ir::kLeaf) && std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  };
  for (const auto& r : g.results) add(r.value);
  for (const auto& u : g.updates) add(u.value);
  return out;
}

// The classes that the leading axes of the inputs belong to, symbolic ones first, each once, in the inputs' order.
std::vector<int> anchor_candidates(const Graph& g, const AxisClasses& classes, const UniformInputs& uniform) {
  std::vector<int> symbolic, fixed;
  for (const auto& input : g.inputs) {
    if (input.value.type().rank() == 0 || uniform.count(input.value)) continue;
    const int c = classes.of(input.value, 0);
    auto& list = input.value.type().dim(0).is_constant() ? fixed : symbolic;
    if (std::find(list.begin(), list.end(), c) == list.end()) list.push_back(c);
  }
  symbolic.insert(symbolic.end(), fixed.begin(), fixed.end());
  return symbolic;
}

// Whether a value has, besides the anchor, an axis that some input leads with. In another compilation of the same
// function its extent may be symbolic, where a nest would not be legal; so it is not wanted with a constant one either.
bool has_other_leading_axis(const Nodes& nodes, const AxisClasses& classes, const std::vector<int>& leading,
                            int anchor) {
  for (const Node* n : nodes)
    for (int a = 0; a < n->types[0].rank(); ++a) {
      const int c = classes.of({n, 0}, a);
      if (c != anchor && std::find(leading.begin(), leading.end(), c) != leading.end()) return true;
    }
  return false;
}

// A nest; of a single sample, the loops that give the same bits.
void add_nest(Fuser& fuser, Fuser::Body body, const std::vector<Value>& outputs, const Dim& extent,
              const std::string& reason, const std::vector<std::int64_t>& axes, const Target& target) {
  if (!extent.is(1)) return fuser.add(std::move(body), outputs, {"nest", reason, axes});
  body.graph = std::make_shared<Graph>(for_one_sample(*body.graph, axes, target));
  fuser.add(std::move(body), outputs, {"loops", "one sample, lanes along the features; else " + reason, axes});
}

bool fuse_as_nest(const Graph& g, const Nodes& all, const Nodes& computed, const std::vector<Value>& outputs,
                  const UniformInputs& uniform, const PassContext& context, Fuser& fuser, std::string& why_not) {
  const AxisClasses classes(all);
  // Inputs that are only passed on take no part.
  Nodes used;
  for (const Node* n : all)
    if (!n->op->is(ir::kLeaf) || std::any_of(computed.begin(), computed.end(), [&](const Node* user) {
          return std::find(user->operands.begin(), user->operands.end(), Value{n, 0}) != user->operands.end();
        }))
      used.push_back(n);
  const std::vector<int> leading = anchor_candidates(g, classes, uniform);
  for (const int anchor : leading) {
    std::string why;
    const auto plan = legal_nest(used, classes, anchor, &why);
    if (plan && has_other_leading_axis(used, classes, leading, anchor)) {
      why_not += "no nest: an input leads with another axis; ";
      continue;
    }
    if (!plan) {
      why_not += "no nest: " + why + "; ";
      continue;
    }
    const auto reason = worth_a_nest(computed, outputs, *plan, classes, anchor, context.target);
    if (!reason.second) {
      why_not += "no nest: " + reason.first + "; ";
      continue;
    }
    Fuser::Body body = fuser.body_of(computed, outputs);
    std::vector<std::int64_t> axes;
    for (const Value& v : body.inputs) axes.push_back(std::max(classes.find(v, anchor), -1));
    add_nest(fuser, std::move(body), outputs, plan->extent, why_not + reason.first, axes, context.target);
    return true;
  }
  return false;
}

// A group of values made by rows as a nest over the rows, where these are too narrow to fill lanes.
struct RowsNest {
  Fuser::Body body;
  Dim extent;
  std::vector<std::int64_t> axes;
  std::string reason;
};
std::optional<RowsNest> rows_as_nest(const Group& g, const PassContext& context, const Fuser& fuser) {
  RowsNest nest{fuser.body_of(g.nodes, g.outputs), 0, {}, ""};
  Nodes computed;
  const Nodes all = nest.body.graph->topological();
  for (const Node* n : all)
    if (!n->op->is(ir::kLeaf)) computed.push_back(n);
  std::vector<Value> results;
  for (const auto& r : nest.body.graph->results) results.push_back(r.value);
  const AxisClasses classes(all);
  const int anchor = classes.of(results[0], 0);
  std::string why;
  const auto plan = legal_nest(all, classes, anchor, &why);
  if (!plan) return std::nullopt;
  const auto reason = worth_a_nest(computed, results, *plan, classes, anchor, context.target);
  if (!reason.second) return std::nullopt;
  for (const auto& input : nest.body.graph->inputs)
    nest.axes.push_back(std::max(classes.find(input.value, anchor), -1));
  if (std::all_of(nest.axes.begin(), nest.axes.end(), [](std::int64_t a) { return a < 0; }))
    return std::nullopt;  // nothing names it
  nest.extent = plan->extent;
  nest.reason = reason.first;
  return nest;
}

// One kernel with a loop nest per placed value: everything is small. What would be nests over narrow rows, were an
// extent symbolic, adds the elements of a row in their order.
bool fuse_as_one(const Nodes& computed, const std::vector<Value>& outputs, const PassContext& context, Fuser& fuser,
                 const std::string& why_not) {
  for (const Node* n : computed)
    if (!n->types[0].is_static()) return false;
  if (static_cast<std::size_t>(std::count_if(computed.begin(), computed.end(),
                                             [](const Node* n) { return !is_cheap(*n); })) > kMostNodesInOne)
    return false;
  const std::int64_t bytes = frame_bytes(placed_for_loops(computed, outputs), nullptr, nullptr, -1);
  if (bytes > context.target.l1_bytes / 2) return false;
  for (const Group& g : grouped(computed, outputs, context.target))
    if (g.rows > 0 && rows_as_nest(g, context, fuser))
      for (const Node* n : g.nodes)
        if (n->op->is(ir::kReduction) || n->op->is(ir::kContraction)) fuser.keep_order(n);
  fuser.add(fuser.body_of(computed, outputs), outputs,
            {"loops", why_not + "one kernel: all values together take " + std::to_string(bytes) + " bytes"});
  return true;
}

// One kernel per placed value, or per group of values that are made row by row.
void fuse_by_place(const Nodes& computed, const std::vector<Value>& outputs, const PassContext& context, Fuser& fuser,
                   const std::string& why_not) {
  for (const Group& g : grouped(computed, outputs, context.target)) {
    if (g.rows > 0) {
      if (auto nest = rows_as_nest(g, context, fuser)) {
        add_nest(fuser, std::move(nest->body), g.outputs, nest->extent, why_not + "narrow rows, " + nest->reason,
                 nest->axes, context.target);
        continue;
      }
      fuser.add(fuser.body_of(g.nodes, g.outputs), g.outputs,
                {"rows",
                 why_not + "by rows of " + std::to_string(g.rows) + " axes: " + std::to_string(g.stored.size()) +
                     " values that need of each other only the same row, " + std::to_string(g.outputs.size()) +
                     " stored",
                 {},
                 g.rows});
      continue;
    }
    const std::size_t riders = g.stored.size() - 1 - static_cast<std::size_t>(g.siblings);
    fuser.add(fuser.body_of(g.nodes, g.outputs), g.outputs,
              {"loops", why_not + std::string(g.stored[0]->op->name) + " with " +
                            std::to_string(g.nodes.size() - g.stored.size()) + " producers computed in place" +
                            (riders > 0 ? ", and " + std::to_string(riders) + " values made of it" : "") +
                            (g.siblings > 0 ? ", in one loop with " + std::to_string(g.siblings) + " more" : "")});
  }
}

}  // namespace

Graph fuse(const Graph& graph, const PassContext& context) { return fuse_levels(graph, {}, context); }

Fused fuse_and_tell(const Graph& graph, const PassContext& context, const UniformInputs& uniform) {
  const Nodes all = graph.topological();
  Nodes computed;
  for (const Node* n : all) {
    if (n->op->name == "fusion") return {graph, {}};
    if (!n->op->is(ir::kLeaf)) computed.push_back(n);
  }
  if (computed.empty()) return {graph, {}};
  const auto outputs = outputs_of(graph);
  Fuser fuser(graph);
  std::string why_not;
  if (!fuse_as_nest(graph, all, computed, outputs, uniform, context, fuser, why_not) &&
      !fuse_as_one(computed, outputs, context, fuser, why_not))
    fuse_by_place(computed, outputs, context, fuser, why_not);
  Fused fused{fuser.finish(), {}};
  for (Fuser::Made& m : fuser.made()) fused.parts.push_back({m.fusion, std::move(m.nodes), std::move(m.outputs)});
  return fused;
}

}  // namespace gcompile::passes
