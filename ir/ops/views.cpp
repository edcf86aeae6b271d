// Views: the same elements at other indices.
#include <algorithm>

#include "gcompile/base/error.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/reshape.h"
#include "gcompile/ir/ops/rules.h"
#include "gcompile/ir/ops/windows.h"

namespace gcompile::ir {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

// transpose: result axis i is operand axis permutation[i].
std::vector<Type> infer_transpose(const InferContext& c) {
  only_attributes(c, {"permutation"});
  const Type& x = c.operands[0];
  const Ints& permutation = axes_attribute(c, "permutation", x.rank(), false);
  if (permutation.size() != x.dims.size())
    c.fail("the permutation has " + std::to_string(permutation.size()) + " axes, " + x.str() + " has " +
           std::to_string(x.rank()));
  Type result{x.dtype, {}};
  for (const std::int64_t a : permutation) result.dims.push_back(x.dim(a));
  return {result};
}

template <class Indices>  // Index or Position
Indices permuted(const Indices& index, const Ints& permutation) {
  Indices result(index.size());
  for (std::size_t i = 0; i < index.size(); ++i) result[at(permutation[i])] = index[i];
  return result;
}

// broadcast: operand axis i is result axis axes[i]; the other axes repeat.
std::vector<Type> infer_broadcast(const InferContext& c) {
  only_attributes(c, {"axes", "dims"});
  const Type& x = c.operands[0];
  const Dims& dims = attribute<Dims>(c, "dims");
  check_dims(c, dims);
  const Type result{x.dtype, dims};
  const Ints& axes = axes_attribute(c, "axes", result.rank(), true);
  if (axes.size() != x.dims.size())
    c.fail("axes names " + std::to_string(axes.size()) + " axes of the result, " + x.str() + " has " +
           std::to_string(x.rank()));
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (!(x.dims[i] == result.dim(axes[i])))
      c.fail("axis " + std::to_string(i) + " of " + x.str() + " is " + x.dims[i].str() + ", axis " +
             std::to_string(axes[i]) + " of the result " + result.str() + " is " + result.dim(axes[i]).str() +
             "; they must be equal (reshape an extent of 1 away)");
  return {result};
}

template <class Indices>
Indices chosen(const Indices& index, const Ints& axes) {
  Indices result;
  for (const std::int64_t a : axes) result.push_back(index[at(a)]);
  return result;
}

Values broadcast_rule(VjpContext& c) {
  const Ints& axes = c.node.attrs.ints("axes");
  Ints added;
  for (std::int64_t a = 0; a < c.node.types[0].rank(); ++a)
    if (!std::binary_search(axes.begin(), axes.end(), a)) added.push_back(a);
  const V g = cotangent(c);
  return {added.empty() ? g : reduce("reduce_sum", g, added)};
}

// slice: elements start, start + step, ... below stop, per axis.
std::vector<Type> infer_slice(const InferContext& c) {
  only_attributes(c, {"starts", "stops", "steps"});
  const Type& x = c.operands[0];
  const Ints &starts = attribute<Ints>(c, "starts"), &steps = attribute<Ints>(c, "steps");
  const Dims& stops = attribute<Dims>(c, "stops");
  for (const auto& [key, size] :
       {std::pair("starts", starts.size()), std::pair("stops", stops.size()), std::pair("steps", steps.size())})
    if (size != x.dims.size())
      c.fail(std::string(key) + " has " + std::to_string(size) + " entries, " + x.str() + " has " +
             std::to_string(x.rank()) + " axes");
  Type result{x.dtype, {}};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const Dim length = stops[i] - Dim(starts[i]), rest = x.dims[i] - stops[i];
    const auto negative = [](const Dim& d) { return d.is_constant() && d.constant() < 0; };
    if (steps[i] < 1)
      c.fail("the step of axis " + std::to_string(i) + " must be positive, is " + std::to_string(steps[i]));
    if (starts[i] < 0 || negative(length) || negative(rest))
      c.fail(std::to_string(starts[i]) + " to " + stops[i].str() + " is no part of axis " + std::to_string(i) + " of " +
             x.str());
    result.dims.push_back(ceildiv(length, steps[i]));
  }
  return {result};
}

std::vector<Need> slice_needs(const Node& n) {
  const Ints& starts = n.attrs.ints("starts");
  const Dims& stops = n.attrs.dims("stops");
  const Type& x = n.operands[0].type();
  std::vector<Need> needs;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const auto text = [&] {
      return "elements " + std::to_string(starts[i]) + " to " + stops[i].str() + " of axis " + std::to_string(i) +
             ", which has " + x.dims[i].str();
    };
    if (const Dim length = stops[i] - Dim(starts[i]); !length.is_constant()) needs.push_back({length, 0, text()});
    if (const Dim rest = x.dims[i] - stops[i]; !rest.is_constant()) needs.push_back({rest, 0, text()});
  }
  return needs;
}

std::vector<Array> eval_slice(const EvalContext& c) {
  const Ints &starts = c.node.attrs.ints("starts"), &steps = c.node.attrs.ints("steps");
  return {rearranged(c.operands[0], c.shape(), [&](const Position& to) {
    Position from = to;
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = starts[i] + to[i] * steps[i];
    return from;
  })};
}

// The cotangent goes back to where its elements came from, zeros elsewhere.
Values slice_rule(VjpContext& c) {
  const Ints &starts = c.node.attrs.ints("starts"), &steps = c.node.attrs.ints("steps");
  V g = cotangent(c);
  const Type& x = c.operand(0).type();
  for (std::int64_t a = 0; a < x.rank(); ++a) {
    g = dilated(g, a, steps[at(a)]);
    g = with_zeros(g, a, Dim(starts[at(a)]), x.dim(a) - Dim(starts[at(a)]) - g.type().dim(a));
  }
  return {g};
}

std::vector<Type> infer_reverse(const InferContext& c) {
  only_attributes(c, {"axes"});
  axes_attribute(c, "axes", c.operands[0].rank(), true);
  return {c.operands[0]};
}

// Batched: the same view with its axes moved by one.
Values batch_transpose(BatchContext& c) {
  return {transpose(operand(c, 0), behind(0, c.node.attrs.ints("permutation")))};
}

Values batch_broadcast(BatchContext& c) {
  return {broadcast(operand(c, 0), with_batch(c, c.node.attrs.dims("dims")), behind(0, c.node.attrs.ints("axes")))};
}

Values batch_slice(BatchContext& c) {
  Ints starts = c.node.attrs.ints("starts"), steps = c.node.attrs.ints("steps");
  starts.insert(starts.begin(), 0);
  steps.insert(steps.begin(), 1);
  return {c.b.make("slice", {c.operand(0)},
                   {{"starts", starts}, {"stops", with_batch(c, c.node.attrs.dims("stops"))}, {"steps", steps}})};
}

AxisMap broadcast_axes(const Node& n) {
  AxisMap map;
  const Ints& axes = n.attrs.ints("axes");
  for (std::size_t a = 0; a < axes.size(); ++a)
    map.related.push_back({0, static_cast<int>(a), static_cast<int>(axes[a])});
  return map;
}

AxisMap transpose_axes(const Node& n) {
  AxisMap map;
  const Ints& permutation = n.attrs.ints("permutation");
  for (std::size_t a = 0; a < permutation.size(); ++a)
    map.related.push_back({0, static_cast<int>(permutation[a]), static_cast<int>(a)});
  return map;
}

// Those of which all elements are kept.
AxisMap slice_axes(const Node& n) {
  AxisMap map;
  const Ints &starts = n.attrs.ints("starts"), &steps = n.attrs.ints("steps");
  for (int a = 0; a < n.types[0].rank(); ++a)
    if (starts[at(a)] == 0 && steps[at(a)] == 1 && n.attrs.dims("stops")[at(a)] == n.operands[0].type().dim(a))
      map.related.push_back({0, a, a});
  return map;
}

AxisMap reverse_axes(const Node& n) {
  AxisMap map;
  const Ints& axes = n.attrs.ints("axes");
  for (int a = 0; a < n.types[0].rank(); ++a)
    if (!std::binary_search(axes.begin(), axes.end(), a)) map.related.push_back({0, a, a});
  return map;
}

}  // namespace

std::vector<OpDef> view_ops() {
  return {
      {.name = "reshape",
       .arity = 1,
       .traits = kView | kRowMajor,
       .infer = infer_reshape,
       .vjp = [](VjpContext& c) -> Values { return {reshape(cotangent(c), c.operand(0).type().dims)}; },
       .eval = [](const EvalContext& c) -> std::vector<Array> { return {c.operands[0].reshaped(c.shape())}; },
       .lower = ViewLowering{reshape_index},
       .axes = reshape_axes,
       .batch = [](BatchContext& c) -> Values { return {reshape(operand(c, 0), with_batch(c, c.node.types[0].dims))}; },
       .tolerance = 0,
       .doc = "The same elements in row-major order with another shape of the same size.",
       .signature = "reshape(x: T[..]) {dims} -> T[dims]",
       .on_nan = OnNan::kShown},
      {.name = "transpose",
       .arity = 1,
       .traits = kView,
       .infer = infer_transpose,
       .vjp = [](VjpContext& c) -> Values {
         return {transpose(cotangent(c), inverse(c.node.attrs.ints("permutation")))};
       },
       .eval = [](const EvalContext& c) -> std::vector<Array> {
         const Ints& permutation = c.node.attrs.ints("permutation");
         return {rearranged(c.operands[0], c.shape(), [&](const Position& to) { return permuted(to, permutation); })};
       },
       .lower = ViewLowering{[](const Node& n, const Index& to) { return permuted(to, n.attrs.ints("permutation")); }},
       .axes = transpose_axes,
       .batch = batch_transpose,
       .tolerance = 0,
       .doc = "Result axis i is operand axis permutation[i].",
       .signature = "transpose(x: T[..]) {permutation} -> T[..]",
       .on_nan = OnNan::kShown},
      {.name = "broadcast",
       .arity = 1,
       .traits = kView | kRepeating,
       .infer = infer_broadcast,
       .vjp = broadcast_rule,
       .eval = [](const EvalContext& c) -> std::vector<Array> {
         const Ints& axes = c.node.attrs.ints("axes");
         return {rearranged(c.operands[0], c.shape(), [&](const Position& to) { return chosen(to, axes); })};
       },
       .lower = ViewLowering{[](const Node& n, const Index& to) { return chosen(to, n.attrs.ints("axes")); }},
       .axes = broadcast_axes,
       .batch = batch_broadcast,
       .tolerance = 0,
       .doc = "x repeated along new axes: operand axis i is result axis axes[i].",
       .signature = "broadcast(x: T[..]) {axes, dims} -> T[dims]",
       .on_nan = OnNan::kShown},
      {.name = "slice",
       .arity = 1,
       .traits = kView,
       .infer = infer_slice,
       .vjp = slice_rule,
       .eval = eval_slice,
       .lower = ViewLowering{[](const Node& n, const Index& to) {
         const Ints &starts = n.attrs.ints("starts"), &steps = n.attrs.ints("steps");
         Index from;
         for (std::size_t i = 0; i < to.size(); ++i) from.push_back(Dim(starts[i]) + to[i] * Dim(steps[i]));
         return from;
       }},
       .needs = slice_needs,
       .axes = slice_axes,
       .batch = batch_slice,
       .tolerance = 0,
       .doc = "Elements start, start + step, ... below stop of every axis.",
       .signature = "slice(x: T[..]) {starts, stops, steps} -> T[..]",
       .on_nan = OnNan::kDropped},
      {.name = "reverse",
       .arity = 1,
       .traits = kView,
       .infer = infer_reverse,
       .vjp = [](VjpContext& c) -> Values {
         return {c.b.make("reverse", {c.cotangent()}, {{"axes", c.node.attrs.ints("axes")}})};
       },
       .eval = [](const EvalContext& c) -> std::vector<Array> {
         const Shape shape = c.shape();
         return {rearranged(c.operands[0], shape, [&](const Position& to) {
           Position from = to;
           for (const std::int64_t a : c.node.attrs.ints("axes"))
             from[at(a)] = shape[static_cast<int>(a)] - 1 - to[at(a)];
           return from;
         })};
       },
       .lower = ViewLowering{[](const Node& n, const Index& to) {
         Index from = to;
         for (const std::int64_t a : n.attrs.ints("axes")) from[at(a)] = n.types[0].dim(a) - Dim(1) - to[at(a)];
         return from;
       }},
       .axes = reverse_axes,
       .batch = [](BatchContext& c) -> Values {
         return {remade(c, {c.operand(0)}, "axes", behind(c.node.attrs.ints("axes")))};
       },
       .tolerance = 0,
       .doc = "Last element first along the axes.",
       .signature = "reverse(x: T[..]) {axes} -> T[..]",
       .on_nan = OnNan::kShown},
  };
}

}  // namespace gcompile::ir
