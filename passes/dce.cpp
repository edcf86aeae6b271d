#include "gcompile/passes/dce.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/ir/inline.h"
#include "gcompile/ir/op.h"
#include "gcompile/passes/fuse_levels.h"
#include "gcompile/passes/narrow.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;
using Values = std::unordered_set<Value, ir::ValueHash>;

std::vector<std::size_t> live_results(const Node& node, const Values& live) {
  std::vector<std::size_t> positions;
  for (std::size_t r = 0; r < node.types.size(); ++r)
    if (live.contains(node.result(static_cast<int>(r)))) positions.push_back(r);
  return positions;
}

// The values that results and updates depend on, where a node with bodies needs an operand only if a live result of it
// does.
Values live_values(const Graph& graph) {
  Values live;
  for (const auto& r : graph.results) live.insert(r.value);
  for (const auto& u : graph.updates) live.insert(u.value);
  const std::vector<const Node*> nodes = graph.topological();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const Node& node = **it;
    const std::vector<std::size_t> results = live_results(node, live);
    if (results.empty()) continue;
    if (!node.bodies.empty())
      for (const std::size_t i : needs_of(node, results).operands) live.insert(node.operands[i]);
    else
      live.insert(node.operands.begin(), node.operands.end());
  }
  return live;
}

Graph narrow_bodies(const Graph& graph) {
  const Values live = live_values(graph);
  return ir::rewrite(
      graph,
      [&](const Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (node.op->is(ir::kLeaf)) return std::nullopt;
        // What is dead stays as it is: it may not fit what became of its operands, and nobody looks at it.
        ir::Replacement values;
        for (int i = 0; i < static_cast<int>(node.types.size()); ++i) values.push_back(node.result(i));
        const std::vector<std::size_t> results = live_results(node, live);
        if (results.empty()) return values;
        if (node.bodies.empty()) return std::nullopt;
        const Needs needs = needs_of(node, results);
        if (needs.results.size() == node.types.size() && needs.operands.size() == node.operands.size())
          return std::nullopt;
        const Node* made = narrowed(node, operands, needs, b);
        for (std::size_t i = 0; i < needs.results.size(); ++i)
          values[needs.results[i]] = made->result(static_cast<int>(i));
        return values;
      });
}

void drop_states(Graph& graph) {
  const Values live = live_values(graph);
  std::vector<Graph::State> kept;
  std::vector<int> moved(graph.states.size(), -1);
  for (std::size_t i = 0; i < graph.states.size(); ++i) {
    const bool updated = std::any_of(graph.updates.begin(), graph.updates.end(),
                                     [&](const auto& u) { return u.state == static_cast<int>(i); });
    if (!updated && !live.contains(graph.states[i].value)) continue;
    moved[i] = static_cast<int>(kept.size());
    kept.push_back(graph.states[i]);
  }
  graph.states = std::move(kept);
  for (auto& u : graph.updates) u.state = moved[static_cast<std::size_t>(u.state)];
}

void forget_locations(Graph& graph) {
  const std::vector<const Node*> nodes = graph.topological();
  const std::unordered_set<const Node*> reached(nodes.begin(), nodes.end());
  std::erase_if(graph.locations, [&](const auto& entry) { return !reached.contains(entry.first); });
}

}  // namespace

Graph dce(const Graph& graph, const PassContext& context) {
  Graph out = narrow_bodies(graph);
  // Bodies come after what is around them, for they may have been narrowed.
  if (has_control(out)) out = ir::with_bodies(out, [&](const Graph& body) { return dce(body, context); });
  drop_states(out);
  forget_locations(out);
  return out;
}

}  // namespace gcompile::passes
