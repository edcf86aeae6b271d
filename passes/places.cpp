#include "gcompile/passes/places.h"

#include <unordered_map>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

constexpr int kExpressionLimit = 96;  // nodes computed in one expression

bool folds(const ir::Node& n) { return n.op->is(ir::kReduction) || n.op->name == "argmax" || n.op->name == "argmin"; }

// Whether a reader of this kind reads the same element of its operand for several elements of its result.
bool rereads(const ir::Node& reader) {
  if (reader.op->name == "broadcast") return !(reader.types[0].size() == reader.operands[0].type().size());
  return reader.op->is(ir::kContraction) || reader.op->name == "gather";
}

// A reshape whose operand's index would take a division by a symbolic extent: it reads the operand's memory by its
// row-major offset.
bool needs_memory(const ir::Node& n) {
  if (n.op->name != "reshape" || n.operands[0].type().rank() < 2) return false;
  ir::Index index;
  for (int a = 0; a < n.types[0].rank(); ++a) index.emplace_back("i" + std::to_string(a));
  return std::get<ir::ViewLowering>(n.op->lower).map(n, index).size() == 1;
}

}  // namespace

bool is_cheap(const ir::Node& n) { return n.op->is(ir::kLeaf) || n.op->is(ir::kView) || n.op->name == "broadcast"; }

std::unordered_set<const ir::Node*> placed_nodes(const std::vector<const ir::Node*>& nodes,
                                                 const std::vector<ir::Value>& outputs) {
  struct Facts {
    int uses = 0;
    bool reread = false;
  };
  std::unordered_map<const ir::Node*, Facts> facts;
  std::unordered_set<const ir::Node*> placed;
  for (const ir::Value& v : outputs) placed.insert(v.node);
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const ir::Node& n = **it;
    const Facts f = facts[&n];
    if (needs_memory(n)) {
      const ir::Node* source = n.operands[0].node;
      while (source->op->name == "reshape") source = source->operands[0].node;
      if (source->op->name != "input" && source->op->name != "state") placed.insert(source);
    }
    if (!is_cheap(n) && (f.uses > 1 || f.reread || folds(n))) placed.insert(&n);
    const bool pass_on = (!placed.count(&n) && f.reread) || rereads(n);
    // A view that several readers share is made again for each of them, and so is what it reads.
    const int weight = is_cheap(n) && !placed.count(&n) ? std::max(f.uses, 1) : 1;
    for (const ir::Value& v : n.operands) {
      facts[v.node].uses += weight;
      facts[v.node].reread |= pass_on;
    }
  }
  std::unordered_map<const ir::Node*, int> size;
  for (const ir::Node* n : nodes) {
    int total = 1;
    for (const ir::Value& v : n->operands)
      if (!placed.count(v.node)) total += size[v.node];
    if (total > kExpressionLimit && !n->op->is(ir::kLeaf)) {
      placed.insert(n);
      total = 0;
    }
    size[n] = total;
  }
  return placed;
}

}  // namespace gcompile::passes
