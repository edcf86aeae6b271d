#include "gcompile/passes/cse.h"

#include <algorithm>
#include <unordered_set>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

// The operands in the order in which they take part in the key.
std::vector<Value> ordered(const Node& node) {
  std::vector<Value> operands = node.operands;
  if (node.op->is(ir::kCommutative) && operands.size() == 2) {
    const auto rank = [](const Value& v) { return std::pair(v.node->id, v.index); };
    if (rank(operands[1]) < rank(operands[0])) std::swap(operands[0], operands[1]);
  }
  return operands;
}

struct Hash {
  std::size_t operator()(const Node* node) const {
    std::size_t h = std::hash<const void*>{}(node->op) * 31 + node->attrs.hash();
    for (const Value& v : ordered(*node)) h = h * 31 + ir::ValueHash{}(v);
    return h;
  }
};

struct Equal {
  bool operator()(const Node* a, const Node* b) const {
    return a->op == b->op && a->types == b->types && a->attrs == b->attrs && ordered(*a) == ordered(*b);
  }
};

bool has_identity(const Node& node) { return !node.bodies.empty() || ir::is_argument(node); }

}  // namespace

ir::Graph cse(const ir::Graph& graph, const PassContext&) {
  std::unordered_set<const Node*, Hash, Equal> first;
  return ir::rewrite(
      graph,
      [&](const Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (has_identity(node)) return std::nullopt;
        const bool kept = operands == node.operands;
        const Node* made = kept ? &node : b.make(*node.op, operands, node.attrs).node;
        const Node* found = *first.insert(made).first;
        if (found == &node) return std::nullopt;
        ir::Replacement values;
        for (int i = 0; i < static_cast<int>(node.types.size()); ++i) values.push_back(found->result(i));
        return values;
      });
}

}  // namespace gcompile::passes
