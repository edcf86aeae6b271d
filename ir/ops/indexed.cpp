// gather and scatter_add: elements at places that other elements say. Each is the other's gradient. An index outside of
// the axis stands for the nearest inside, in both.
#include <algorithm>

#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

// The indexed axis of a node's attributes, and how many axes the indices have.
struct Along {
  std::ptrdiff_t axis, rank;
  explicit Along(const Node& n) : axis(n.attrs.get<std::int64_t>("axis")), rank(n.operands[1].type().rank()) {}

  // Of an index into the slices [.., I.., ..] those into the indices.
  template <class Indices>
  Indices which(const Indices& at) const {
    return Indices(at.begin() + axis, at.begin() + axis + rank);
  }
  // The same with one index, `place`, where those were.
  template <class Indices>
  Indices whole(const Indices& at, const typename Indices::value_type& place) const {
    Indices to(at.begin(), at.begin() + axis);
    to.push_back(place);
    to.insert(to.end(), at.begin() + axis + rank, at.end());
    return to;
  }
};

void check_indices(const InferContext& c, const Type& whole, std::int64_t axis) {
  if (c.operands[1].dtype != DType::kI32) c.fail("the indices must be i32, not " + c.operands[1].str());
  if (whole.dim(axis).is(0)) c.fail("axis " + std::to_string(axis) + " of " + whole.str() + " is empty");
}

// The extents of the slices that indices choose along an axis.
Type slices(const Type& whole, const Type& indices, std::int64_t axis) {
  Type t{whole.dtype, {}};
  for (int a = 0; a < whole.rank(); ++a) {
    if (a == axis)
      t.dims.insert(t.dims.end(), indices.dims.begin(), indices.dims.end());
    else
      t.dims.push_back(whole.dim(a));
  }
  return t;
}

// The element of the indices, clamped to an axis of this extent.
Position::value_type place(const Array& indices, const Position& which, std::int64_t extent) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(indices.at(flat_index(indices.shape(), which))), 0,
                                  extent - 1);
}
Expr place(ElementContext& e, Value indices, const Index& which, const Dim& extent) {
  const Expr i = e.op("max", {e.element(indices, which), e.literal(DType::kI32, 0)});
  return e.op("min", {i, e.index(extent - Dim(1))});
}

// ---- gather

std::vector<Type> infer_gather(const InferContext& c) {
  only_attributes(c, {"axis"});
  const std::int64_t axis = axis_attribute(c, "axis", c.operands[0].rank());
  check_indices(c, c.operands[0], axis);
  return {slices(c.operands[0], c.operands[1], axis)};
}

std::vector<Array> eval_gather(const EvalContext& c) {
  const Along along(c.node);
  const Array &x = c.operands[0], &indices = c.operands[1];
  const std::int64_t extent = x.shape()[static_cast<int>(along.axis)];
  return {rearranged(x, c.shape(),
                     [&](const Position& at) { return along.whole(at, place(indices, along.which(at), extent)); })};
}

Values gather_rule(VjpContext& c) {
  return {c.b.make("scatter_add", {c.cotangent(), c.operand(1)},
                   {{"axis", c.node.attrs.get<std::int64_t>("axis")}, {"dims", c.operand(0).type().dims}}),
          Value{}};
}

Expr lower_gather(ElementContext& e, const Node& n, const Index& at) {
  const Along along(n);
  const Expr i = place(e, n.operands[1], along.which(at), n.operands[0].type().dim(along.axis));
  return e.element_at(n.operands[0], along.whole(at, Dim("$0")), {i});
}

// ---- scatter_add

std::vector<Type> infer_scatter_add(const InferContext& c) {
  only_attributes(c, {"axis", "dims"});
  admit_dtype(c);
  const Type t{c.operands[0].dtype, attribute<Dims>(c, "dims")};
  check_dims(c, t.dims);
  const std::int64_t axis = axis_attribute(c, "axis", t.rank());
  check_indices(c, t, axis);
  const Type wanted = slices(t, c.operands[1], axis);
  if (!(c.operands[0] == wanted))
    c.fail("the updates are " + c.operands[0].str() + "; along axis " + std::to_string(axis) + " of " + t.str() +
           " they must be " + wanted.str());
  return {t};
}

// Floats are summed in double and rounded once, integers wrap around.
std::vector<Array> eval_scatter_add(const EvalContext& c) {
  const Along along(c.node);
  const Array &updates = c.operands[0], &indices = c.operands[1];
  const Shape shape = c.shape();
  const bool exact = !is_float(c.dtype());
  std::vector<double> sums(static_cast<std::size_t>(shape.size()));
  std::vector<std::int64_t> integers(sums.size());
  std::int64_t from = 0;
  for_each_index(updates.shape(), [&](const Position& at) {
    const std::int64_t i = place(indices, along.which(at), shape[static_cast<int>(along.axis)]);
    const auto to = static_cast<std::size_t>(flat_index(shape, along.whole(at, i)));
    if (exact)
      integers[to] = plus(integers[to], updates.at_integer(from++));
    else
      sums[to] += updates.at(from++);
  });
  Array out = Array::uninitialized(c.dtype(), shape);
  for (std::size_t i = 0; i < sums.size(); ++i)
    exact ? out.set_integer(static_cast<std::int64_t>(i), integers[i]) : out.set(static_cast<std::int64_t>(i), sums[i]);
  return {out};
}

Values scatter_add_rule(VjpContext& c) {
  return {c.b.make("gather", {c.cotangent(), c.operand(1)}, {{"axis", c.node.attrs.get<std::int64_t>("axis")}}),
          Value{}};
}

// One element by itself: of all updates, in order, those that are its own. Kernels that make the whole value go the
// other way (passes/lower_scatter.cpp); the order, and so the bits, are the same.
Expr lower_scatter_add(ElementContext& e, const Node& n, const Index& at) {
  const Along along(n);
  const DType dtype = n.types[0].dtype;
  const Dim& extent = n.types[0].dim(along.axis);
  const Expr here = e.index(at[static_cast<std::size_t>(along.axis)]);
  return e.fold(n.operands[1].type().dims, {e.literal(dtype, 0)},
                [&](const Index& which, std::vector<Expr> sum) -> std::vector<Expr> {
                  const Expr hit = e.op("eq", {place(e, n.operands[1], which, extent), here});
                  Index from(at.begin(), at.begin() + along.axis);
                  from.insert(from.end(), which.begin(), which.end());
                  from.insert(from.end(), at.begin() + along.axis + 1, at.end());
                  const Expr more = e.op("add", {sum[0], e.element(n.operands[0], from)});
                  return {e.op("select", {hit, more, sum[0]})};
                })[0];
}

}  // namespace

std::vector<OpDef> indexed_ops() {
  return {
      {.name = "gather",
       .arity = 2,
       .traits = kIndexing | kChoosing,
       .infer = infer_gather,
       .vjp = gather_rule,
       .eval = eval_gather,
       .lower = CustomLowering{lower_gather},
       .tolerance = 0,
       .doc = "Slices of x along an axis, chosen by indices, which are clamped to the axis.",
       .signature = "gather(x: T[.., A, ..], indices: i32[I..]) {axis} -> T[.., I.., ..]"},
      {.name = "scatter_add",
       .arity = 2,
       .traits = kFolding | kIndexing,
       .infer = infer_scatter_add,
       .vjp = scatter_add_rule,
       .eval = eval_scatter_add,
       .lower = ScatterLowering{"add", [](DType) { return 0.0; }, lower_scatter_add},
       .dtypes = kNumbers,
       .tolerance = 0,
       .doc = "Zeros to which slices are added along an axis, at indices, which are clamped to the axis; in ascending "
              "order of the indices' position.",
       .signature = "scatter_add(updates: T[.., I.., ..], indices: i32[I..]) {axis, dims} -> T[dims]"},
  };
}

}  // namespace gcompile::ir
