#include "gcompile/passes/narrow.h"

#include <numeric>
#include <set>
#include <unordered_set>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;
using Positions = std::vector<std::size_t>;

Positions all_of(std::size_t n) {
  Positions all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

// The positions of the inputs of a body that the results at `wanted` depend on.
void add_inputs(const Graph& body, const std::set<std::size_t>& wanted, std::set<std::size_t>& inputs) {
  Graph cut = body;
  cut.inputs.clear();
  cut.results.clear();
  for (const std::size_t r : wanted) cut.results.push_back(body.results[r]);
  const std::vector<const Node*> nodes = cut.topological();
  const std::unordered_set<const Node*> reached(nodes.begin(), nodes.end());
  for (std::size_t i = 0; i < body.inputs.size(); ++i)
    if (reached.contains(body.inputs[i].value.node)) inputs.insert(i);
}

template <class T>
std::vector<T> pick(const std::vector<T>& all, const Positions& positions) {
  std::vector<T> picked;
  for (const std::size_t i : positions) picked.push_back(all[i]);
  return picked;
}

// Results and inputs of the body of a loop whose first operands and results are carries.
Needs of_loop(const Node& node, std::size_t carries, const Positions& live) {
  std::set<std::size_t> results(live.begin(), live.end()), inputs;
  if (node.bodies.size() == 2) add_inputs(node.body(0), {0}, inputs);  // the condition
  for (bool grown = true; grown;) {
    const std::size_t before = results.size() + inputs.size();
    add_inputs(node.bodies.size() == 2 ? node.body(1) : node.body(), results, inputs);
    for (std::size_t i = 0; i < carries; ++i)
      if (inputs.count(i) || results.count(i)) inputs.insert(i), results.insert(i);
    grown = results.size() + inputs.size() > before;
  }
  return {{results.begin(), results.end()}, {inputs.begin(), inputs.end()}};
}

Graph cut_body(const Graph& body, const Positions& inputs, const Positions& results) {
  Graph cut = body;
  cut.inputs = pick(body.inputs, inputs);
  cut.results = pick(body.results, results);
  return cut;
}

std::int64_t count_below(const Positions& positions, std::int64_t begin, std::int64_t end) {
  std::int64_t n = 0;
  for (const std::size_t p : positions)
    if (static_cast<std::int64_t>(p) >= begin && static_cast<std::int64_t>(p) < end) ++n;
  return n;
}

}  // namespace

Needs needs_of(const Node& node, const Positions& live) {
  const std::string_view op = node.op->name;
  if (op == "scan" || op == "while")
    return of_loop(node, static_cast<std::size_t>(node.attrs.get<std::int64_t>("carries")), live);
  std::set<std::size_t> inputs;
  if (op == "fusion") {
    add_inputs(node.body(), {live.begin(), live.end()}, inputs);
    return {live, {inputs.begin(), inputs.end()}};
  }
  if (op == "cond") {
    for (const auto& branch : node.bodies) add_inputs(*branch, {live.begin(), live.end()}, inputs);
    Needs needs{live, {0}};
    for (const std::size_t i : inputs) needs.operands.push_back(i + 1);
    return needs;
  }
  return {all_of(node.types.size()), all_of(node.operands.size())};
}

const Node* narrowed(const Node& node, const std::vector<Value>& operands, const Needs& needs, ir::Builder& b) {
  const std::string_view op = node.op->name;
  Positions inputs = needs.operands;
  if (op == "cond") {
    inputs.erase(inputs.begin());
    for (std::size_t& i : inputs) --i;
  }
  ir::Bodies bodies;
  for (std::size_t i = 0; i < node.bodies.size(); ++i) {
    const bool condition = op == "while" && i == 0;
    bodies.push_back(
        std::make_shared<const Graph>(cut_body(node.body(i), inputs, condition ? Positions{0} : needs.results)));
  }
  ir::Attrs attrs = node.attrs;
  if (attrs.has("anchor")) attrs.set("anchor", pick(attrs.ints("anchor"), inputs));
  if (attrs.has("carries")) {
    const auto carries = attrs.get<std::int64_t>("carries");
    attrs.set("carries", count_below(inputs, 0, carries));
    if (attrs.has("sequences"))
      attrs.set("sequences", count_below(inputs, carries, carries + node.attrs.get<std::int64_t>("sequences")));
  }
  return b.make(*node.op, pick(operands, needs.operands), std::move(attrs), std::move(bodies)).node;
}

}  // namespace gcompile::passes
