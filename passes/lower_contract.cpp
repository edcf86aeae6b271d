// Values that are dots, with what is made of them, as contracts: see lower.h.
#include <algorithm>

#include "gcompile/ir/op.h"
#include "gcompile/passes/feature_sums.h"
#include "gcompile/passes/lower.h"

namespace gcompile::passes {
namespace {

using ir::Index;
using ir::Node;
using ir::Value;

bool has_dot(const BodyLowering& c, Value v) {
  if (c.is_placed(v)) return false;
  const auto& operands = v.node->operands;
  return v.node->op->is(ir::kContraction) ||
         std::any_of(operands.begin(), operands.end(), [&](Value o) { return has_dot(c, o); });
}

// The dot in the expression of a value, and the element of it that the value's element needs.
struct Found {
  const Node* dot = nullptr;
  Index at;
  bool fits = true;  // one dot at one index, the rest elementwise or views
};

void search(const BodyLowering& c, Value v, const Index& at, Found& found) {
  if (c.is_placed(v)) return;
  const Node& n = *v.node;
  if (n.op->is(ir::kContraction)) {
    found.fits &= !found.dot || (found.dot == &n && found.at == at);
    found.dot = &n;
    found.at = at;
    return;
  }
  if (n.op->is(ir::kLeaf)) return;
  if (const auto* view = std::get_if<ir::ViewLowering>(&n.op->lower)) {
    if (n.op->is(ir::kRowMajor)) {
      const BodyLowering::Source source = c.source_of_reshape(n, *view, at);
      return search(c, source.value, source.index, found);
    }
    return search(c, n.operands[0], c.simplified(view->map(n, at)), found);
  }
  if (!std::holds_alternative<ir::ElementLowering>(n.op->lower)) {  // its operands' elements are at other indices
    found.fits = false;
    return;
  }
  for (const Value& operand : n.operands) search(c, operand, at, found);
}

// Sums of one product, as the gradient of a weight is for one row: there is nothing to tile.
bool has_one_product(const Node& dot) {
  const std::vector<Dim> extents = std::get<ir::ContractLowering>(dot.op->lower).sums(dot);
  return std::all_of(extents.begin(), extents.end(), [](const Dim& d) { return d.is(1); });
}

// Whether the offset into memory of the extents moves by a fixed step with each of the variables.
bool is_affine(const ir::Access& a, const std::vector<ir::Axis>& axes) {
  for (const Dim& d : a.index) {
    if (d.uses(ir::kLaneSymbol)) return false;
    for (const ir::Axis& axis : axes) {
      const auto step = d.coefficient_of(axis.var);
      if (!step) return false;
      for (const ir::Axis& other : axes)
        if (step->uses(other.var)) return false;
    }
  }
  return true;
}

}  // namespace

bool emit_contract(BodyLowering& c, Value v, const Destination& to, const std::vector<Output>& more) {
  const Type& type = v.type();
  if (c.lanes || c.mask >= 0 || !to.row.empty() || !has_dot(c, v)) return false;
  ir::Instr contract{ir::Opcode::kContract};
  Index at, folded;
  for (const Dim& extent : type.dims) {
    contract.axes.push_back({c.variable("i", extent), extent});
    at.emplace_back(contract.axes.back().var);
  }
  Found found;
  search(c, v, at, found);
  if (!found.dot || !found.fits || found.at.size() != found.dot->types[0].dims.size()) return false;
  const Node& dot = *found.dot;
  if (more.empty() && has_one_product(dot)) return false;
  const auto& rule = std::get<ir::ContractLowering>(dot.op->lower);
  const std::vector<Dim> sums = rule.sums(dot);
  for (const Dim& extent : sums) {
    contract.sums.push_back({c.variable("k", extent), extent});
    folded.emplace_back(contract.sums.back().var);
  }
  if (dot.attrs.has("order")) contract.partials = partial_sums_of_products(sums);
  const ir::ContractIndices index = rule.operands(dot, found.at, folded);
  const auto left = c.access(dot.operands[0], index.left), right = c.access(dot.operands[1], index.right);
  if (!left || !right) return false;
  contract.left = *left;
  contract.right = *right;
  std::vector<ir::Axis> all = contract.axes;
  all.insert(all.end(), contract.sums.begin(), contract.sums.end());
  if (!is_affine(*left, all) || !is_affine(*right, all)) return false;
  KernelBuilder& b = c.builder();
  const BodyLowering::At here(c, *v.node);
  c.in_scope([&] {
    b.contract(std::move(contract), dot.types[0].dtype, [&](int sum) {
      c.bind({&dot, 0}, found.at, sum);
      b.store(to.memory, to.at(at, type), c.value(v, at));
      for (const Output& o : more) b.store(o.buffer, at, c.value(o.value, at));
    });
  });
  return true;
}

}  // namespace gcompile::passes
