// cumsum: sums up to each element along an axis.
#include "gcompile/ir/ops/axes.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/own_loops.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_cumsum(const InferContext& c) {
  only_attributes(c, {"axis", "reverse", "exclusive"});
  admit_dtype(c);
  axis_attribute(c, "axis", c.operands[0].rank());
  attribute<bool>(c, "reverse");
  attribute<bool>(c, "exclusive");
  return {c.operands[0]};
}

// Floats are summed in double, each sum rounded once; integers wrap around.
std::vector<Array> eval_cumsum(const EvalContext& c) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  const bool reverse = c.node.attrs.get<bool>("reverse"), exclusive = c.node.attrs.get<bool>("exclusive");
  const Array& x = c.operands[0];
  const Shape shape = c.shape();
  const std::int64_t n = shape[static_cast<int>(axis)];
  Array out = Array::uninitialized(c.dtype(), shape);
  for_each_index(shape, [&](const Position& begin) {
    if (begin[axis] != 0) return;
    Accumulator sum;
    Position at = begin;
    for (std::int64_t k = 0; k < n; ++k) {
      at[axis] = reverse ? n - 1 - k : k;
      const std::int64_t flat = flat_index(shape, at);
      if (exclusive) sum.write(out, flat);
      sum.add(x, flat);
      if (!exclusive) sum.write(out, flat);
    }
  });
  return {out};
}

// An element is part of the sums behind it: those of the cotangent, from the other end.
Values cumsum_rule(VjpContext& c) {
  Attrs attrs = c.node.attrs;
  attrs.set("reverse", !attrs.get<bool>("reverse"));
  return {c.b.make("cumsum", {c.cotangent()}, attrs)};
}

// One pass along the axis for every line, with the sum carried; lanes are lines side by side.
void emit_cumsum(ElementContext& e, LoopWriter& loops, const Node& n) {
  const Dims& dims = n.types[0].dims;
  const auto axis = static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"));
  const bool reverse = n.attrs.get<bool>("reverse"), exclusive = n.attrs.get<bool>("exclusive");
  over_lines(loops, dims, axis, true, [&](Index at) {
    loops.carry(dims[axis], {e.literal(n.types[0].dtype, 0)}, [&](const Dim& k, const std::vector<Expr>& sum) {
      at[axis] = reverse ? dims[axis] - Dim(1) - k : k;
      const Expr next = e.op("add", {sum[0], e.element(n.operands[0], at)});
      loops.store(at, exclusive ? sum[0] : next);
      return std::vector<Expr>{next};
    });
  });
}

}  // namespace

std::vector<OpDef> cumsum_ops() {
  OpDef d;
  d.name = "cumsum";
  d.arity = 1;
  d.traits = kFolding | kOwnLoops;
  d.infer = infer_cumsum;
  d.vjp = cumsum_rule;
  d.eval = eval_cumsum;
  d.lower = LoopLowering{emit_cumsum};
  d.axes = lines_along_axis;
  d.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0)}, "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
  };
  d.dtypes = kNumbers;
  d.tolerance = 0;
  d.doc =
      "The sum of the elements up to each along an axis, or from it on (reverse), itself included or not (exclusive).";
  d.signature = "cumsum(x: T[..]) {axis, reverse, exclusive} -> T[..]";
  d.on_nan = OnNan::kDropped;  // an exclusive sum leaves out an element
  d.error = summed_error;
  return {d};
}

}  // namespace gcompile::ir
