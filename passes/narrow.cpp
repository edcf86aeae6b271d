#include "gcompile/passes/narrow.h"

#include <numeric>
#include <set>
#include <unordered_set>

#include "gcompile/ir/control.h"

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
  if (node.bodies.empty() || node.op->is(ir::kInlined))
    return {all_of(node.types.size()), all_of(node.operands.size())};
  const ir::ControlParts parts = ir::control_parts(node);
  std::set<std::size_t> results(live.begin(), live.end()), inputs;
  for (bool grown = true; grown;) {
    const std::size_t before = results.size() + inputs.size();
    for (std::size_t i = 0; i < node.bodies.size(); ++i)
      add_inputs(node.body(i), parts.is_test(i) ? std::set<std::size_t>{0} : results, inputs);
    for (std::size_t i = 0; i < parts.carries; ++i)
      if (inputs.count(i) || results.count(i)) inputs.insert(i), results.insert(i);
    grown = results.size() + inputs.size() > before;
  }
  Needs needs{{results.begin(), results.end()}, all_of(parts.deciding)};
  for (const std::size_t i : inputs) needs.operands.push_back(parts.deciding + i);
  return needs;
}

const Node* narrowed(const Node& node, const std::vector<Value>& operands, const Needs& needs, ir::Builder& b) {
  const ir::ControlParts parts = ir::control_parts(node);
  Positions inputs;
  for (const std::size_t i : needs.operands)
    if (i >= parts.deciding) inputs.push_back(i - parts.deciding);
  ir::Bodies bodies;
  for (std::size_t i = 0; i < node.bodies.size(); ++i)
    bodies.push_back(
        std::make_shared<const Graph>(cut_body(node.body(i), inputs, parts.is_test(i) ? Positions{0} : needs.results)));
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
