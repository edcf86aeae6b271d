#include "gcompile/ir/ops/guard.h"

#include <algorithm>

#include "gcompile/ir/build.h"
#include "gcompile/ir/control.h"

namespace gcompile::ir {
namespace {

bool is_while(const Node& n) { return n.op->is(kControl) && control_parts(n).kind == ControlParts::Kind::kWhile; }

bool holds_while(const Node& n) {
  return is_while(n) || std::any_of(n.bodies.begin(), n.bodies.end(), [](const auto& b) { return has_while(*b); });
}

// The guard is the last operand, which every body is given behind those of the node.
Value guarded_node(Builder& b, const Node& n, std::vector<Value> operands, Value guard) {
  const std::size_t place = operands.size() - control_parts(n).deciding;
  operands.push_back(guard);
  Bodies bodies;
  for (const auto& body : n.bodies) bodies.push_back(guarded(*body, place));
  if (is_while(n)) {
    auto test = std::make_shared<Graph>(*bodies[0]);
    Builder t(*test);
    t.where = b.where;
    Value& goes_on = test->results[0].value;
    goes_on = binary("and", {&t, goes_on}, {&t, test->inputs[place].value});
    bodies[0] = std::move(test);
  }
  return b.make(*n.op, std::move(operands), n.attrs, std::move(bodies));
}

}  // namespace

bool has_while(const Graph& graph) {
  const std::vector<const Node*> nodes = graph.topological();
  return std::any_of(nodes.begin(), nodes.end(), [](const Node* n) { return holds_while(*n); });
}

std::shared_ptr<const Graph> guarded(const Graph& graph, std::size_t place) {
  auto made = std::make_shared<Graph>(graph.name);
  made->bounds = graph.bounds;
  Builder b(*made);
  ValueMap<Value> map;
  Value guard;
  for (std::size_t i = 0; i <= graph.inputs.size(); ++i) {
    if (i == place) guard = b.input("chosen", Type{DType::kBool, {}});
    if (i == graph.inputs.size()) break;
    b.where = graph.where(graph.inputs[i].value.node);
    map[graph.inputs[i].value] = b.input(graph.inputs[i].name, graph.inputs[i].value.type());
  }
  for (const Node* n : graph.topological()) {
    if (map.count({n, 0})) continue;
    std::vector<Value> operands;
    for (const Value& v : n->operands) operands.push_back(map.at(v));
    b.where = graph.where(n);
    const Value first = holds_while(*n) ? guarded_node(b, *n, std::move(operands), guard)
                                        : b.make(*n->op, std::move(operands), n->attrs, n->bodies);
    for (int r = 0; r < static_cast<int>(n->types.size()); ++r) map[{n, r}] = {first.node, r};
  }
  for (const auto& r : graph.results) made->results.push_back({map.at(r.value), r.name});
  return made;
}

}  // namespace gcompile::ir
