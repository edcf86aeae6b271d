// Zeros between and around the elements of a value, as nodes: what gradients of slices and windows are made of.
#include <algorithm>

#include "gcompile/ir/ops/windows.h"

namespace gcompile::ir {
namespace {

std::size_t at(std::int64_t axis) { return static_cast<std::size_t>(axis); }

V padded(V x, const Ints& low, const Ints& high) {
  const Value zero = x.b->scalar(x.type().dtype, 0);
  return {x.b, x.b->make("pad", {x, zero}, {{"low", low}, {"high", high}})};
}

}  // namespace

V leading(V x, std::int64_t axis, const Dim& count) {
  if (x.type().dim(axis) == count) return x;
  const std::size_t rank = x.type().dims.size();
  Dims stops = x.type().dims;
  stops[at(axis)] = count;
  return {x.b, x.b->make("slice", {x}, {{"starts", Ints(rank, 0)}, {"stops", stops}, {"steps", Ints(rank, 1)}})};
}

V with_zeros(V x, std::int64_t axis, const Dim& before, const Dim& after) {
  std::vector<Value> parts;
  const auto zeros = [&](const Dim& count) {
    if (count.is(0)) return;
    Type t = x.type();
    t.dims[at(axis)] = count;
    parts.push_back(splat(*x.b, t, 0));
  };
  zeros(before);
  parts.push_back(x);
  zeros(after);
  return parts.size() == 1 ? x : V{x.b, x.b->make("concat", parts, {{"axis", axis}})};
}

V bordered(V x, const Ints& axes, const Dims& before, const Dims& after) {
  const auto is_constant = [](const Dim& d) { return d.is_constant(); };
  const auto is_zero = [](const Dim& d) { return d.is(0); };
  if (std::all_of(before.begin(), before.end(), is_zero) && std::all_of(after.begin(), after.end(), is_zero)) return x;
  if (!std::all_of(before.begin(), before.end(), is_constant) ||
      !std::all_of(after.begin(), after.end(), is_constant)) {
    for (std::size_t i = 0; i < axes.size(); ++i) x = with_zeros(x, axes[i], before[i], after[i]);
    return x;
  }
  Ints low(x.type().dims.size(), 0), high = low;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    low[at(axes[i])] = before[i].constant();
    high[at(axes[i])] = after[i].constant();
  }
  return padded(x, low, high);
}

// A new last axis, padded and folded in, less the last zeros.
V dilated(V x, std::int64_t axis, std::int64_t step) {
  if (step == 1 || x.type().dim(axis).is(0)) return x;
  const Dim n = x.type().dim(axis);
  Dims split = x.type().dims, joined = split;
  split.insert(split.begin() + axis + 1, Dim(1));
  joined[at(axis)] = n * Dim(step);
  Ints low(split.size(), 0), high(split.size(), 0);
  high[at(axis + 1)] = step - 1;
  return leading(reshape(padded(reshape(x, split), low, high), joined), axis, n * Dim(step) - Dim(step - 1));
}

}  // namespace gcompile::ir
