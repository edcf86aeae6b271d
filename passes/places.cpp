#include "gcompile/passes/places.h"

#include <algorithm>
#include <functional>
#include <unordered_map>

#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

constexpr int kExpressionLimit = 96;  // nodes computed in one expression

// Whether a reader of this kind reads the same element of its operand for several elements of its result.
bool rereads(const ir::Node& reader) {
  if (reader.op->is(ir::kRepeating)) return !(reader.types[0].size() == reader.operands[0].type().size());
  if (const auto* loops = std::get_if<ir::LoopLowering>(&reader.op->lower)) return loops->rereads;
  return reader.op->is(ir::kContraction) || reader.op->is(ir::kIndexing);
}

ir::Index variables(const ir::Node& n) {
  ir::Index index;
  for (int a = 0; a < n.types[0].rank(); ++a) index.emplace_back("i" + std::to_string(a));
  return index;
}

bool has_division(const ir::Index& index) {
  for (const Dim& d : index)
    for (const auto& term : d.terms())
      for (const auto& factor : term.factors)
        if (factor.opaque) return true;
  return false;
}

using Placed = std::unordered_set<const ir::Node*>;

bool in_memory(const ir::Node& n, const Placed& placed) {
  return placed.count(&n) || ir::is_argument(n) || (n.op->name == "constant" && n.types[0].rank() > 0);
}

// Whether an element of the value is one of something in memory, at an affine index. `index` has as many entries as
// the value has axes, or one: an offset.
bool is_affine_view(const ir::Node& n, const ir::Index& index, const Placed& placed) {
  if (has_division(index)) return false;
  if (in_memory(n, placed)) return true;
  const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower);
  if (!view) return false;
  const ir::Node* source = n.operands[0].node;
  if (n.op->is(ir::kRowMajor)) {  // memory is reshaped by its row-major offset
    while (source->op->is(ir::kRowMajor) && !in_memory(*source, placed)) source = source->operands[0].node;
    if (in_memory(*source, placed)) return true;
    source = n.operands[0].node;
  }
  return is_affine_view(*source, view->map(n, index), placed);
}

// The dots in the expression of a placed value, and whether it can be the epilogue of one.
struct Expression {
  std::vector<const ir::Node*> dots;
  bool plain = true;
};
void search(const ir::Node& n, const ir::Index& index, const Placed& placed, Expression& found) {
  if (n.op->is(ir::kContraction)) {
    if (std::find(found.dots.begin(), found.dots.end(), &n) == found.dots.end()) found.dots.push_back(&n);
    found.plain &= !has_division(index);
    return;
  }
  if (n.op->is(ir::kLeaf)) return;
  const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower);
  const bool elementwise = std::holds_alternative<ir::ElementLowering>(n.op->lower);
  found.plain &= view || elementwise;
  for (const ir::Value& v : n.operands)
    if (!placed.count(v.node))
      search(*v.node, view ? view->map(n, index) : elementwise ? index : variables(*v.node), placed, found);
}

}  // namespace

bool folds(const ir::Node& n) { return n.op->is(ir::kFolding); }

bool is_flat(const ir::Node& n, const Placed& placed) {
  const std::function<bool(const ir::Node&)> fits = [&](const ir::Node& o) {
    if (placed.count(&o) || ir::is_argument(o)) return o.types[0].rank() == 0 || o.types[0].dims == n.types[0].dims;
    if (o.op->name == "constant") return o.types[0].size().is(1);
    if (o.op->is(ir::kLeaf)) return o.types[0].rank() == 0;
    if (o.op->is(ir::kRepeating)) return o.operands[0].type().rank() == 0 && fits(*o.operands[0].node);
    if (!o.op->is(ir::kElementwise)) return false;
    return std::all_of(o.operands.begin(), o.operands.end(), [&](const ir::Value& v) { return fits(*v.node); });
  };
  if (!std::holds_alternative<ir::ElementLowering>(n.op->lower)) return false;
  return std::all_of(n.operands.begin(), n.operands.end(), [&](const ir::Value& v) { return fits(*v.node); });
}

bool needs_memory(const ir::Node& n) {
  if (!n.op->is(ir::kRowMajor) || n.operands[0].type().rank() < 2) return false;
  return std::get<ir::ViewLowering>(n.op->lower).map(n, variables(n)).size() == 1;
}

bool is_cheap(const ir::Node& n) { return n.op->is(ir::kLeaf) || n.op->is(ir::kView); }

bool is_scalar_expression(const ir::Node& n) { return n.op->is(ir::kElementwise) && n.types[0].rank() == 0; }

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
      while (source->op->is(ir::kRowMajor)) source = source->operands[0].node;
      if (source->op->name != "input" && source->op->name != "state") placed.insert(source);
    }
    if (!is_cheap(n) && !is_scalar_expression(n) && (f.uses > 1 || f.reread || folds(n))) placed.insert(&n);
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

std::unordered_set<const ir::Node*> placed_for_loops(const std::vector<const ir::Node*>& nodes,
                                                     const std::vector<ir::Value>& outputs) {
  Placed placed = placed_nodes(nodes, outputs);
  // What is added one element after the other is made by lanes before.
  for (const ir::Node* n : nodes)
    if (n->op->is(ir::kReduction) && n->attrs.has("order") && !is_cheap(*n->operands[0].node))
      placed.insert(n->operands[0].node);
  for (const ir::Node* n : nodes)
    if (n->op->is(ir::kContraction))
      for (const ir::Value& v : n->operands)
        if (!v.node->op->is(ir::kLeaf) && !is_affine_view(*v.node, variables(*v.node), placed)) placed.insert(v.node);
  // Of several dots in one expression the last stays: the others are done by then.
  for (const ir::Node* n : nodes) {
    if (!placed.count(n) || n->op->is(ir::kContraction)) continue;
    Expression e;
    search(*n, variables(*n), placed, e);
    std::sort(e.dots.begin(), e.dots.end(), [](const ir::Node* a, const ir::Node* b) { return a->id < b->id; });
    if (e.plain && !e.dots.empty()) e.dots.pop_back();
    placed.insert(e.dots.begin(), e.dots.end());
  }
  return placed;
}

bool rides_on(const ir::Node& n, const std::vector<const ir::Node*>& stored,
              const std::unordered_set<const ir::Node*>& placed, const std::function<bool(const ir::Node*)>& before) {
  if (!std::holds_alternative<ir::ElementLowering>(n.op->lower)) return false;
  bool rides = false;
  const std::function<bool(const ir::Node&, bool)> fits = [&](const ir::Node& reader, bool same_element) {
    for (const ir::Value& v : reader.operands) {
      const ir::Node& o = *v.node;
      if (std::find(stored.begin(), stored.end(), &o) != stored.end()) {
        if (!same_element) return false;
        rides = true;
      } else if (placed.count(&o)) {
        if (!before(&o)) return false;
      } else if (!o.op->is(ir::kLeaf)) {
        const bool elementwise = std::holds_alternative<ir::ElementLowering>(o.op->lower);
        if (!elementwise && !std::holds_alternative<ir::ViewLowering>(o.op->lower)) return false;
        if (!fits(o, same_element && elementwise)) return false;
      }
    }
    return true;
  };
  return fits(n, true) && rides;
}

}  // namespace gcompile::passes
