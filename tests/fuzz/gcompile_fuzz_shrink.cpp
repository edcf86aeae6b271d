#include "gcompile_fuzz_shrink.h"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "gcompile/ir/build.h"
#include "gcompile/ir/op.h"

namespace gcompile::fuzz {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

// Without inputs and states that nothing needs. An input that says what a symbol is stays.
Graph tidy(Graph g) {
  std::unordered_set<const Node*> used;
  std::vector<const Node*> todo;
  for (const auto& r : g.results) todo.push_back(r.value.node);
  for (const auto& u : g.updates) {
    todo.push_back(u.value.node);
    todo.push_back(g.states[static_cast<std::size_t>(u.state)].value.node);
  }
  while (!todo.empty()) {
    const Node* n = todo.back();
    todo.pop_back();
    if (!used.insert(n).second) continue;
    for (const Value& v : n->operands) todo.push_back(v.node);
  }
  const auto symbols = g.symbols();
  for (std::size_t i = g.inputs.size(); i-- > 0;) {
    if (used.count(g.inputs[i].value.node)) continue;
    const auto input = g.inputs[i];
    g.inputs.erase(g.inputs.begin() + static_cast<std::ptrdiff_t>(i));
    if (g.symbols() != symbols) g.inputs.insert(g.inputs.begin() + static_cast<std::ptrdiff_t>(i), input);
  }
  std::vector<Graph::State> states;
  std::vector<int> moved(g.states.size(), -1);
  for (std::size_t i = 0; i < g.states.size(); ++i)
    if (used.count(g.states[i].value.node)) {
      moved[i] = static_cast<int>(states.size());
      states.push_back(g.states[i]);
    }
  for (auto& u : g.updates) u.state = moved[static_cast<std::size_t>(u.state)];
  g.states = std::move(states);
  return g;
}

// The graph with one node replaced by what `replacement` makes; nothing when that does not work.
std::optional<Graph> with(const Graph& graph, const Node* node,
                          const std::function<std::optional<Value>(const std::vector<Value>&, ir::Builder&)>& make) {
  bool changed = false;
  try {
    Graph out = rewrite(
        graph,
        [&](const Node& n, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
          if (&n != node) return std::nullopt;
          const auto v = make(operands, b);
          if (!v || !(v->type() == n.types[0])) return std::nullopt;
          changed = true;
          return ir::Replacement{*v};
        });
    if (changed) return tidy(std::move(out));
  } catch (const std::exception&) {  // a smaller graph that does not type
  }
  return std::nullopt;
}

class Shrinker {
 public:
  Shrinker(Graph graph, const std::function<bool(const Graph&)>& fails, int budget)
      : best_(std::move(graph)), fails_(fails), budget_(budget) {}

  Graph run() {
    take(tidy(best_));
    while (budget_ > 0 && (fewer_ends() || fewer_nodes())) {
    }
    return best_;
  }

 private:
  bool take(const Graph& g) {
    if (budget_-- <= 0 || !fails_(g)) return false;
    best_ = g;
    return true;
  }

  bool fewer_ends() {
    bool progress = false;
    for (std::size_t i = best_.results.size(); i-- > 0;) {
      if (best_.results.size() + best_.updates.size() == 1) break;
      Graph g = best_;
      g.results.erase(g.results.begin() + static_cast<std::ptrdiff_t>(i));
      progress |= take(tidy(std::move(g)));
    }
    for (std::size_t i = best_.updates.size(); i-- > 0;) {
      if (best_.results.size() + best_.updates.size() == 1) break;
      Graph g = best_;
      g.updates.erase(g.updates.begin() + static_cast<std::ptrdiff_t>(i));
      progress |= take(tidy(std::move(g)));
    }
    return progress;
  }

  bool fewer_nodes() {
    const auto nodes = best_.topological();
    for (auto it = nodes.rbegin(); it != nodes.rend() && budget_ > 0; ++it) {
      const Node* n = *it;
      if (n->op->is(ir::kLeaf)) continue;
      for (std::size_t o = 0; o < n->operands.size(); ++o)
        if (const auto g = with(best_, n, [&](const auto& operands, ir::Builder&) { return operands[o]; }))
          if (take(*g)) return true;
      const auto input = [&](const auto&, ir::Builder& b) { return b.input("v", n->types[0]); };
      const auto zeros = [&](const auto&, ir::Builder& b) { return ir::splat(b, n->types[0], 0); };
      if (n->op->name != "broadcast" || !n->operands[0].node->op->is(ir::kLeaf))
        if (const auto g = with(best_, n, zeros); g && take(*g)) return true;
      if (const auto g = with(best_, n, input); g && take(*g)) return true;
    }
    return false;
  }

  Graph best_;
  const std::function<bool(const Graph&)>& fails_;
  int budget_;
};

}  // namespace

Graph shrink(const Graph& graph, const std::function<bool(const Graph&)>& fails, int budget) {
  return Shrinker(graph, fails, budget).run();
}

}  // namespace gcompile::fuzz
