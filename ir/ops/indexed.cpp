// gather and scatter_add: elements at places that other elements say. Each is the other's gradient. An index outside of
// the axis stands for the nearest inside, in both. The first `batch_axes` axes, of which there are none when the
// attribute is not there, are common to all: every element of them has indices of its own.
#include <algorithm>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

// The indexed axis of a node's attributes, how many axes the indices share with everything and how many they add.
struct Along {
  std::ptrdiff_t axis, shared, rank;
  explicit Along(const Node& n)
      : axis(n.attrs.get<std::int64_t>("axis")), shared(shared_axes(n)), rank(n.operands[1].type().rank() - shared) {}

  // Of an index into the slices [B.., .., I.., ..] that into the indices [B.., I..].
  template <class Indices>
  Indices which(const Indices& at) const {
    Indices index(at.begin(), at.begin() + shared);
    index.insert(index.end(), at.begin() + axis, at.begin() + axis + rank);
    return index;
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

// The extents of the slices that indices choose along an axis. Refuses indices that do not fit.
Type slices(const InferContext& c, const Type& whole) {
  const Type& indices = c.operands[1];
  const std::int64_t axis = axis_attribute(c, "axis", whole.rank());
  if (indices.dtype != DType::kI32) c.fail("the indices must be i32, not " + indices.str());
  const auto none = [](const Dim& d) { return d.is(0); };
  if (whole.dim(axis).is(0) && std::none_of(indices.dims.begin(), indices.dims.end(), none))
    c.fail("axis " + std::to_string(axis) + " of " + whole.str() + " is empty, and the indices are " + indices.str());
  const std::int64_t shared = c.attrs.has("batch_axes") ? attribute<std::int64_t>(c, "batch_axes") : 0;
  if (shared < 0 || shared > axis || shared > indices.rank())
    c.fail("batch_axes " + std::to_string(shared) + " must be in 0 .. " +
           std::to_string(std::min<std::int64_t>(axis, indices.rank())) + ": they come before axis " +
           std::to_string(axis) + " of " + whole.str() + " and are axes of the indices " + indices.str());
  for (std::int64_t a = 0; a < shared; ++a)
    if (!(whole.dim(a) == indices.dim(a)))
      c.fail("batch axis " + std::to_string(a) + " differs: " + whole.str() + " and the indices " + indices.str());
  Type t{whole.dtype, {}};
  for (int a = 0; a < whole.rank(); ++a) {
    if (a == axis)
      t.dims.insert(t.dims.end(), indices.dims.begin() + shared, indices.dims.end());
    else
      t.dims.push_back(whole.dim(a));
  }
  check_dims(c, t.dims);
  return t;
}

// The attributes of the other op of the two.
Attrs with_places_of(const Node& n) {
  Attrs attrs{{"axis", n.attrs.get<std::int64_t>("axis")}};
  if (shared_axes(n) > 0) attrs.set("batch_axes", shared_axes(n));
  return attrs;
}

// The element of the indices, clamped to an axis of this extent.
Position::value_type place(const Array& indices, const Position& which, std::int64_t extent) {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(indices.at(flat_index(indices.shape(), which))), 0,
                                  extent - 1);
}
Expr place(ElementContext& e, Value indices, const Index& which, const Dim& extent) {
  const Expr i = e.op("max", {e.element(indices, which), e.literal(DType::kI32, 0)});
  return e.op("min", {i, e.index(last_place(extent))});
}

// Where there are indices, they need an element to stand for.
std::vector<Need> some_element(const Node& n, const Type& whole) {
  const std::int64_t axis = n.attrs.get<std::int64_t>("axis");
  return {{whole.dim(axis) - at_most(n.operands[1].type().size(), 1), 0,
           "axis " + std::to_string(axis) + " of " + whole.str() + " must have elements"}};
}

// ---- gather

std::vector<Type> infer_gather(const InferContext& c) {
  only_attributes(c, {"axis", "batch_axes"});
  return {slices(c, c.operands[0])};
}

std::vector<Array> eval_gather(const EvalContext& c) {
  const Along along(c.node);
  const Array &x = c.operands[0], &indices = c.operands[1];
  const std::int64_t extent = x.shape()[static_cast<int>(along.axis)];
  return {rearranged(x, c.shape(),
                     [&](const Position& at) { return along.whole(at, place(indices, along.which(at), extent)); })};
}

Values gather_rule(VjpContext& c) {
  Attrs attrs = with_places_of(c.node);
  attrs.set("dims", c.operand(0).type().dims);
  return {c.b.make("scatter_add", {c.cotangent(), c.operand(1)}, attrs), Value{}};
}

Expr lower_gather(ElementContext& e, const Node& n, const Index& at) {
  const Along along(n);
  const Expr i = place(e, n.operands[1], along.which(at), n.operands[0].type().dim(along.axis));
  return e.element_at(n.operands[0], along.whole(at, Dim("$0")), {i});
}

// The batch is one of the shared axes, unless only one operand has it and nothing is shared: then it is an axis that is
// kept, or one of the indices.
Values batch_gather(BatchContext& c) {
  const auto axis = c.node.attrs.get<std::int64_t>("axis");
  if (shared_axes(c.node) == 0 && !is_batched(c, 1))
    return {remade(c, {c.operand(0), c.operands[1]}, "axis", axis + 1)};
  if (shared_axes(c.node) == 0 && !is_batched(c, 0))
    return {axis_to_front({&c.b, remade(c, {c.operands[0], c.operands[1]}, "axis", axis)}, axis)};
  Attrs attrs{{"axis", axis + 1}, {"batch_axes", shared_axes(c.node) + 1}};
  return {c.b.make("gather", {c.operand(0), c.operand(1)}, attrs)};
}

// Axes that the operands share, those beside the indexed one, and those of the indices in the slices.
AxisMap gather_axes(const Node& n) {
  const Along along(n);
  const int axis = static_cast<int>(along.axis), added = static_cast<int>(along.rank);
  const int shared = static_cast<int>(along.shared);
  AxisMap map;
  for (int a = 0; a < axis; ++a) map.related.push_back({0, a, a});
  for (int a = 0; a < shared; ++a) map.related.push_back({1, a, a});
  for (int a = 0; a < added; ++a) map.related.push_back({1, shared + a, axis + a});
  for (int a = axis + 1; a < n.operands[0].type().rank(); ++a) map.related.push_back({0, a, a + added - 1});
  return map;
}

// ---- scatter_add

std::vector<Type> infer_scatter_add(const InferContext& c) {
  only_attributes(c, {"axis", "dims", "batch_axes"});
  admit_dtype(c);
  const Type t{c.operands[0].dtype, attribute<Dims>(c, "dims")};
  check_dims(c, t.dims);
  const Type wanted = slices(c, t);
  if (!(c.operands[0] == wanted))
    c.fail("the updates are " + c.operands[0].str() + "; along axis " +
           std::to_string(c.attrs.get<std::int64_t>("axis")) + " of " + t.str() + " they must be " + wanted.str());
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
  return {c.b.make("gather", {c.cotangent(), c.operand(1)}, with_places_of(c.node)), Value{}};
}

// One element by itself: of all updates, in order, those that are its own. Kernels that make the whole value go the
// other way (passes/lower_scatter.cpp); the order, and so the bits, are the same.
Expr lower_scatter_add(ElementContext& e, const Node& n, const Index& at) {
  const Along along(n);
  const DType dtype = n.types[0].dtype;
  const Dim& extent = n.types[0].dim(along.axis);
  const Expr here = e.index(at[static_cast<std::size_t>(along.axis)]);
  const Dims& indices = n.operands[1].type().dims;
  return e.fold({indices.begin() + along.shared, indices.end()}, {e.literal(dtype, 0)},
                [&](const Index& own, std::vector<Expr> sum) -> std::vector<Expr> {
                  Index from(at.begin(), at.begin() + along.axis);
                  from.insert(from.end(), own.begin(), own.end());
                  from.insert(from.end(), at.begin() + along.axis + 1, at.end());
                  const Expr hit = e.op("eq", {place(e, n.operands[1], along.which(from), extent), here});
                  const Expr more = e.op("add", {sum[0], e.element(n.operands[0], from)});
                  return {e.op("select", {hit, more, sum[0]})};
                })[0];
}

Values batch_scatter_add(BatchContext& c) {
  const auto axis = c.node.attrs.get<std::int64_t>("axis"), shared = shared_axes(c.node);
  Attrs attrs{{"axis", axis + 1}, {"dims", with_batch(c, c.node.types[0].dims)}};
  const bool apart = is_batched(c, 1) || shared > 0;  // indices of its own for every element of the batch
  if (apart) attrs.set("batch_axes", shared + 1);
  return {c.b.make("scatter_add", {c.operand(0), apart ? c.operand(1) : c.operands[1]}, attrs)};
}

// As of a gather, whose result operand 0 is here; the axes of the indices are folded away.
AxisMap scatter_add_axes(const Node& n) {
  const Along along(n);
  const int axis = static_cast<int>(along.axis), folded = static_cast<int>(along.rank);
  const int shared = static_cast<int>(along.shared);
  AxisMap map;
  for (int a = 0; a < axis; ++a) map.related.push_back({0, a, a});
  for (int a = 0; a < shared; ++a) map.related.push_back({1, a, a});
  for (int a = axis + folded; a < n.operands[0].type().rank(); ++a) map.related.push_back({0, a, a - folded + 1});
  for (int a = 0; a < folded; ++a) map.folded.push_back({{0, axis + a}, {1, shared + a}});
  return map;
}

// An index that is not certain makes all elements uncertain.
Array gather_error(const ErrorContext& c) {
  if (!is_certain(c.errors[1])) return unknown_error(c.value);
  return with_doubles(c, {c.errors[0], c.operands[1]});
}

// As sums of up to as many terms as there are indices.
Array scatter_add_error(const ErrorContext& c) {
  const DType t = c.value.dtype();
  if (!is_float(t)) return exact_error(c);
  if (!is_certain(c.errors[1])) return unknown_error(c.value);
  const Array sizes = with_doubles(c, {magnitude(c.operands[0]), c.operands[1]});
  Array out = with_doubles(c, {c.errors[0], c.operands[1]});
  const auto terms = static_cast<double>(c.operands[1].size());
  for (std::int64_t i = 0; i < out.size(); ++i)
    out.set(i, out.at(i) + terms * epsilon(accumulator(t)) * sizes.at(i) + rounding(c.value.at(i), t) +
                   overflow(sizes.at(i), t));
  return out;
}

}  // namespace

std::int64_t shared_axes(const Node& n) {
  const AttrValue* v = n.attrs.find("batch_axes");
  return v ? std::get<std::int64_t>(*v) : 0;
}

std::vector<OpDef> indexed_ops() {
  return {
      {.name = "gather",
       .arity = 2,
       .traits = kIndexing | kChoosing,
       .infer = infer_gather,
       .vjp = gather_rule,
       .eval = eval_gather,
       .lower = CustomLowering{lower_gather},
       .needs = [](const Node& n) { return some_element(n, n.operands[0].type()); },
       .axes = gather_axes,
       .batch = batch_gather,
       .tolerance = 0,
       .doc = "Slices of x along an axis, chosen by indices, which are clamped to the axis; every element of the first "
              "batch_axes axes (0 when not said) has indices of its own.",
       .signature = "gather(x: T[B.., .., A, ..], indices: i32[B.., I..]) {axis, batch_axes} -> T[B.., .., I.., ..]",
       .on_nan = OnNan::kDropped,
       .error = gather_error},
      {.name = "scatter_add",
       .arity = 2,
       .traits = kFolding | kIndexing,
       .infer = infer_scatter_add,
       .vjp = scatter_add_rule,
       .eval = eval_scatter_add,
       .lower = ScatterLowering{"add", [](DType) { return 0.0; }, lower_scatter_add},
       .needs = [](const Node& n) { return some_element(n, n.types[0]); },
       .axes = scatter_add_axes,
       .batch = batch_scatter_add,
       .dtypes = kNumbers,
       .tolerance = 0,
       .doc = "Zeros to which slices are added along an axis, at indices, which are clamped to the axis; in ascending "
              "order of the indices' position; every element of the first batch_axes axes (0 when not said) has "
              "indices of its own.",
       .signature = "scatter_add(updates: T[B.., .., I.., ..], indices: i32[B.., I..]) {axis, dims, batch_axes} -> "
                    "T[dims]",
       .error = scatter_add_error},
  };
}

}  // namespace gcompile::ir
