// conv: products summed over the channels and over a window that moves along spatial axes, in groups; as in most of
// machine learning the window is not turned around. There is no padding in the op, and no dilation of x: those are
// values of their own (compositions pad first), so that all indices are affine and kernels treat it as any contraction.
// Both gradients are convs again: of the cotangent with the turned window, and of x with the cotangent as window.
#include <algorithm>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"
#include "gcompile/ir/ops/windows.h"

namespace gcompile::ir {
namespace {

constexpr std::size_t kSpatial = 3;  // the first spatial axis of both operands and of the result

std::vector<Type> infer_conv(const InferContext& c) {
  only_attributes(c, {"strides", "dilations", "order"});
  check_order(c);
  admit_dtype(c);
  const Type &x = c.operands[0], &w = c.operands[1];
  if (x.dtype != w.dtype) c.fail("the dtypes differ: " + operand_list(c));
  if (x.rank() != w.rank() || x.rank() <= static_cast<int>(kSpatial))
    c.fail("takes x [N, groups, channels, spatial..] and a window [groups, outputs, channels, spatial..], got " +
           operand_list(c));
  if (!(x.dim(1) == w.dim(0)))
    c.fail("the groups differ: " + operand_list(c) + " (" + x.dim(1).str() + " against " + w.dim(0).str() + ")");
  if (!(x.dim(2) == w.dim(2)))
    c.fail("the channels differ: " + operand_list(c) + " (" + x.dim(2).str() + " against " + w.dim(2).str() + ")");
  const Dims spatial(x.dims.begin() + kSpatial, x.dims.end()), window(w.dims.begin() + kSpatial, w.dims.end());
  Type t{x.dtype, {x.dim(0), x.dim(1), w.dim(1)}};
  for (Dim& d : moved_extents(c, spatial, window)) t.dims.push_back(std::move(d));
  return {t};
}

// The extents that are summed over: channels, then the window.
Dims sums_of(const Node& n) {
  const Dims& w = n.operands[1].type().dims;
  return {w.begin() + 2, w.end()};
}

ContractIndices operands_of(const Node& n, const Index& at, const Index& sums) {
  const Ints &strides = n.attrs.ints("strides"), &dilations = n.attrs.ints("dilations");
  ContractIndices index{{at[0], at[1], sums[0]}, {at[1], at[2], sums[0]}};
  for (std::size_t i = 0; i < strides.size(); ++i) {
    index.left.push_back(at[kSpatial + i] * Dim(strides[i]) + sums[1 + i] * Dim(dilations[i]));
    index.right.push_back(sums[1 + i]);
  }
  return index;
}

std::vector<Array> eval_conv(const EvalContext& c) {
  const Array &x = c.operands[0], &w = c.operands[1];
  const Ints &strides = c.node.attrs.ints("strides"), &dilations = c.node.attrs.ints("dilations");
  std::vector<std::int64_t> box;
  for (int a = 2; a < w.rank(); ++a) box.push_back(w.shape()[a]);
  Array out = Array::uninitialized(c.dtype(), c.shape());
  Position from(static_cast<std::size_t>(x.rank())), window(from.size());
  std::int64_t i = 0;
  for_each_index(c.shape(), [&](const Position& at) {
    Accumulator sum;
    from[0] = at[0], from[1] = window[0] = at[1], window[1] = at[2];
    for_each_index(Shape(box), [&](const Position& k) {
      from[2] = window[2] = k[0];
      for (std::size_t s = 0; s < strides.size(); ++s) {
        window[kSpatial + s] = k[1 + s];
        from[kSpatial + s] = at[kSpatial + s] * strides[s] + k[1 + s] * dilations[s];
      }
      sum.add_product(x, flat_index(x.shape(), from), w, flat_index(w.shape(), window));
    });
    sum.write(out, i++);
  });
  return {out};
}

V conv(V x, V w, const Ints& strides, const Ints& dilations) {
  return {x.b, x.b->make("conv", {x, w}, {{"strides", strides}, {"dilations", dilations}})};
}

// The axes with the first three in another order.
Ints first_axes(Ints first, int rank) {
  for (std::int64_t a = kSpatial; a < rank; ++a) first.push_back(a);
  return first;
}

Values conv_rule(VjpContext& c) {
  const V g = cotangent(c), x = operand(c, 0), w = operand(c, 1);
  const Ints &strides = c.node.attrs.ints("strides"), &dilations = c.node.attrs.ints("dilations");
  const Ints ones(strides.size(), 1);
  const int rank = x.type().rank();
  // x: every element of it met the window's elements from the last to the first.
  V spread = g, used = x;
  Ints spatial;
  Dims reached, none, left;
  for (std::size_t i = 0; i < strides.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(kSpatial + i);
    spatial.push_back(axis);
    const Dim reach = (w.type().dim(axis) - Dim(1)) * Dim(dilations[i]);
    const Dim read = (g.type().dim(axis) - Dim(1)) * Dim(strides[i]) + reach + Dim(1);
    spread = dilated(spread, axis, strides[i]);
    used = leading(used, axis, read);
    reached.push_back(reach);
    none.emplace_back(0);
    left.push_back(x.type().dim(axis) - read);
  }
  spread = bordered(spread, spatial, reached, reached);
  const V turned{&c.b, c.b.make("reverse", {w}, {{"axes", spatial}})};
  const V dx =
      bordered(conv(spread, transpose(turned, first_axes({0, 2, 1}, rank)), ones, dilations), spatial, none, left);
  // The window: samples are what is summed over, channels are what the samples were.
  const V samples = transpose(used, first_axes({2, 1, 0}, rank)), outputs = transpose(g, first_axes({1, 2, 0}, rank));
  const V dw = transpose(conv(samples, outputs, dilations, strides), first_axes({1, 2, 0}, rank));
  return {dx, dw};
}

// A batch of x is more samples, of windows more outputs of every group, of both more groups.
Values batch_conv(BatchContext& c) {
  const Ints &strides = c.node.attrs.ints("strides"), &dilations = c.node.attrs.ints("dilations");
  const V x{&c.b, c.operands[0]}, w{&c.b, c.operands[1]};
  const auto swapped = [](V v, std::int64_t a, std::int64_t b) {
    Ints permutation;
    for (std::int64_t i = 0; i < v.type().rank(); ++i) permutation.push_back(i == a ? b : i == b ? a : i);
    return transpose(v, permutation);
  };
  // Axes a and a + 1 as one; and one as two, the first of the batch's extent.
  const auto joined = [](V v, std::size_t a) {
    Dims dims = v.type().dims;
    dims[a] *= dims[a + 1];
    dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(a) + 1);
    return reshape(v, dims);
  };
  const auto split = [&](V v, std::size_t a, const Dim& rest) {
    Dims dims = v.type().dims;
    dims[a] = rest;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(a), c.size);
    return reshape(v, dims);
  };
  const Type& result = c.node.types[0];
  if (!is_batched(c, 1)) return {split(conv(joined(x, 0), w, strides, dilations), 0, result.dim(0))};
  if (!is_batched(c, 0)) {
    const V y = conv(x, joined(swapped(w, 0, 1), 1), strides, dilations);
    return {axis_to_front(split(y, 2, result.dim(2)), 2)};
  }
  const V y = conv(joined(swapped(x, 0, 1), 1), joined(w, 0), strides, dilations);
  return {axis_to_front(split(y, 1, result.dim(1)), 1)};
}

// The sums over channels and window belong together, so neither is an axis that is folded away by itself.
AxisMap conv_axes(const Node&) { return {{{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 1, 2}}, {}}; }

}  // namespace

std::vector<OpDef> conv_ops() {
  OpDef d;
  d.name = "conv";
  d.arity = 2;
  d.traits = kContraction | kOwnLoops;
  d.infer = infer_conv;
  d.vjp = conv_rule;
  d.eval = eval_conv;
  d.lower = ContractLowering{sums_of, operands_of};
  d.needs = [](const Node& n) {
    const Dims &x = n.operands[0].type().dims, &w = n.operands[1].type().dims;
    return room_for_windows(n, {x.begin() + kSpatial, x.end()}, {w.begin() + kSpatial, w.end()});
  };
  d.axes = conv_axes;
  d.batch = batch_conv;
  d.dtypes = kNumbers;
  d.tolerance = 1e-5;
  d.doc =
      "Products summed over the channels and a window that moves along the spatial axes S.. by strides, its elements "
      "dilations apart.";
  d.signature = "conv(x: T[N, G, C, S..], window: T[G, O, C, K..]) {strides, dilations} -> T[N, G, O, ..]";
  d.on_nan = OnNan::kDropped;  // strides leave elements out
  return {d};
}

}  // namespace gcompile::ir
