#include "gcompile/passes/contract.h"

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

ir::ValueMap<int> count_readers(const ir::Graph& graph) {
  ir::ValueMap<int> readers;
  for (const Node* node : graph.topological())
    for (const Value& v : node->operands) ++readers[v];
  for (const auto& r : graph.results) ++readers[r.value];
  for (const auto& u : graph.updates) ++readers[u.value];
  return readers;
}

// -x; of a broadcast, the broadcast of -x, so that nothing is negated element by element.
Value negated(ir::Builder& b, Value x) {
  const Node& n = *x.node;
  if (!n.op->is(ir::kRepeating)) return b.make("neg", {x});
  return b.make(*n.op, {negated(b, n.operands[0])}, n.attrs);
}

}  // namespace

ir::Graph contract(const ir::Graph& graph, const PassContext& context) {
  if (!context.target.has_fma) return graph;
  const ir::ValueMap<int> readers = count_readers(graph);
  const ir::OpDef &add = ir::op("add"), &sub = ir::op("sub"), &mul = ir::op("mul");
  const ir::OpDef& fma = ir::op("fma");
  return ir::rewrite(
      graph,
      [&](const Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if ((node.op != &add && node.op != &sub) || !is_float(node.types[0].dtype)) return std::nullopt;
        for (std::size_t side : {0u, 1u}) {
          // The old operand says who reads the product, the new one is what is built on: a product is never replaced.
          if (node.operands[side].node->op != &mul || readers.at(node.operands[side]) != 1) continue;
          const auto& factors = operands[side].node->operands;
          const Value other = operands[1 - side];
          if (node.op == &add) return ir::Replacement{b.make(fma, {factors[0], factors[1], other})};
          if (side == 0) return ir::Replacement{b.make(fma, {factors[0], factors[1], negated(b, other)})};
          return ir::Replacement{b.make(fma, {negated(b, factors[0]), factors[1], other})};
        }
        return std::nullopt;
      });
}

}  // namespace gcompile::passes
