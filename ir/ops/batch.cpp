#include "gcompile/ir/ops/batch.h"

namespace gcompile::ir {
namespace {

Values of_elementwise(BatchContext& c) {
  Values operands;
  for (std::size_t i = 0; i < c.operands.size(); ++i) operands.push_back(c.operand(static_cast<int>(i)));
  return {c.b.make(*c.node.op, std::move(operands), c.node.attrs)};
}

Values of_reduction(BatchContext& c) { return {remade(c, {c.operand(0)}, "axes", behind(c.node.attrs.ints("axes")))}; }

}  // namespace

Batch default_batch(const OpDef& op) {
  if (op.is(kElementwise)) return of_elementwise;
  if (std::holds_alternative<ReduceLowering>(op.lower)) return of_reduction;
  return nullptr;
}

Value BatchContext::operand(int i) const {
  const auto k = static_cast<std::size_t>(i);
  const Value v = operands[k];
  if (batched[k]) return v;
  Dims dims{size};
  Ints axes;
  for (int a = 0; a < v.type().rank(); ++a) {
    dims.push_back(v.type().dim(a));
    axes.push_back(a + 1);
  }
  return broadcast({&b, v}, dims, axes);
}

Ints behind(const Ints& axes) {
  Ints moved;
  for (const std::int64_t a : axes) moved.push_back(a + 1);
  return moved;
}

Ints behind(std::int64_t first, const Ints& axes) {
  Ints moved = behind(axes);
  moved.insert(moved.begin(), first);
  return moved;
}

Dims with_batch(const BatchContext& c, const Dims& dims) {
  Dims more = dims;
  more.insert(more.begin(), c.size);
  return more;
}

V axis_to_front(V x, std::int64_t axis) {
  if (axis == 0) return x;
  Ints permutation{axis};
  for (std::int64_t a = 0; a < x.type().rank(); ++a)
    if (a != axis) permutation.push_back(a);
  return transpose(x, permutation);
}

Value remade(BatchContext& c, std::vector<Value> operands, std::string_view changed, AttrValue value) {
  Attrs attrs = c.node.attrs;
  attrs.set(std::string(changed), std::move(value));
  return c.b.make(*c.node.op, std::move(operands), std::move(attrs));
}

}  // namespace gcompile::ir
