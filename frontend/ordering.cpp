#include "gcompile/frontend/ordering.h"

#include <algorithm>
#include <numeric>

#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"
#include "gcompile/ir/op.h"

namespace gcompile {

namespace {

void require_numbers(const Making& making, const Tensor& x) {
  const Type& type = making.value(x).type();
  if (type.dtype == DType::kBool) making.fail("of bools: cast them to a number first", {{"operand", x}});
}

void require_bools(const Making& making, const Tensor& x) {
  const Type& type = making.value(x).type();
  if (type.dtype != DType::kBool)
    making.fail("is for bool, not for " + type.str() + "; compare it with something", {{"operand", x}});
}

// The axes with one of them last.
std::vector<std::int64_t> with_last(std::int64_t axis, int rank) {
  std::vector<std::int64_t> permutation;
  for (std::int64_t a = 0; a < rank; ++a)
    if (a != axis) permutation.push_back(a);
  permutation.push_back(axis);
  return permutation;
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis, CumsumOptions options, Where where) {
  const Making making("cumsum", where);
  require_numbers(making, x);
  return making.tensor(making.builder().make(
      "cumsum", {making.value(x)},
      {{"axis", making.axis(axis, x)}, {"reverse", options.reverse}, {"exclusive", options.exclusive}}));
}

Tensor argsort(const Tensor& x, int axis, bool descending, Where where) {
  const Making making("argsort", where);
  require_numbers(making, x);
  return making.tensor(making.builder().make("argsort", {making.value(x)},
                                             {{"axis", making.axis(axis, x)}, {"descending", descending}}));
}

Tensor sort(const Tensor& x, int axis, bool descending, Where where) {
  const Making making("sort", where);
  require_numbers(making, x);
  const int a = static_cast<int>(making.axis(axis, x));
  return take_along_axis(x, argsort(x, a, descending, where), a, where);
}

TopK top_k(const Tensor& x, std::int64_t k, int axis, Where where) {
  const Making making("top_k", where);
  require_numbers(making, x);
  const int a = static_cast<int>(making.axis(axis, x));
  const Dim& extent = making.value(x).type().dim(a);
  if (k < 1 || (extent.is_constant() && k > extent.constant()))
    making.fail(std::to_string(k) + " elements of axis " + std::to_string(a) + ", which has " + extent.str(),
                {{"operand", x}});
  const Tensor indices = making.tensor(making.builder().make(
      "argsort", {making.value(x)}, {{"axis", std::int64_t{a}}, {"descending", true}, {"count", k}}));
  return {take_along_axis(x, indices, a, where), indices};
}

Tensor take_along_axis(const Tensor& x, const Tensor& indices, int axis, Where where) {
  const Making making("take_along_axis", where);
  const ir::V v = making.value(x);
  const std::int64_t a = making.axis(axis, x);
  const std::vector<std::pair<std::string, Tensor>> operands{{"operand", x}, {"indices", indices}};
  const ir::V i = index_value(making, indices, "indices", operands);
  require_places(making, v.type().dim(a), i, "axis " + std::to_string(a), operands);
  bool fits = i.type().rank() == v.type().rank();
  for (int k = 0; fits && k < v.type().rank(); ++k) fits = k == a || v.type().dim(k) == i.type().dim(k);
  if (!fits)
    making.fail("the indices must have the shape of the operand but for axis " + std::to_string(a) + ": " +
                    v.type().str() + " and " + i.type().str(),
                operands);
  const std::int64_t last = v.type().rank() - 1;
  const auto permutation = with_last(a, v.type().rank());
  const auto moved = [&](ir::V value) { return a == last ? value : ir::transpose(value, permutation); };
  const ir::V taken{v.b, making.builder().make("gather", {moved(v), moved(i)}, {{"axis", last}, {"batch_axes", last}})};
  return making.tensor(a == last ? taken : ir::transpose(taken, inverse(permutation)));
}

Tensor flip(const Tensor& x, const Axes& axes, Where where) {
  const Making making("flip", where);
  return making.tensor(making.builder().make("reverse", {making.value(x)}, {{"axes", making.axes(axes, x)}}));
}

std::vector<Tensor> split(const Tensor& x, const std::vector<Dim>& extents, int axis, Where where) {
  const Making making("split", where);
  const int a = static_cast<int>(making.axis(axis, x));
  const Dim& extent = making.value(x).type().dim(a);
  for (const Dim& e : extents)
    if (e.is_constant() && e.constant() < 0)
      making.fail("a part of " + e.str() + " elements; say how many each part has, together those of axis " +
                      std::to_string(a) + ", which has " + extent.str(),
                  {{"operand", x}});
  const Dim sum = std::accumulate(extents.begin(), extents.end(), Dim(0));
  if (!(sum == extent))
    making.fail("the parts have " + sum.str() + " elements together, axis " + std::to_string(a) + " has " +
                    extent.str(),
                {{"operand", x}});
  std::vector<Tensor> parts;
  Dim begin = 0;
  for (const Dim& count : extents) {
    if (!begin.is_constant())
      making.fail("only the last part may have a symbolic extent, for others begin at a constant", {{"operand", x}});
    parts.push_back(slice(x, a, begin.constant(), begin + count, where));
    begin += count;
  }
  return parts;
}

std::vector<Tensor> split(const Tensor& x, std::int64_t parts, int axis, Where where) {
  const Making making("split", where);
  const std::int64_t a = making.axis(axis, x);
  const Dim& extent = making.value(x).type().dim(a);
  const auto each = parts > 0 ? extent.divided_by(Dim(parts)) : std::nullopt;
  if (!each)
    making.fail(std::to_string(parts) + " equal parts of axis " + std::to_string(a) + ", which has " + extent.str(),
                {{"operand", x}});
  return split(x, std::vector<Dim>(static_cast<std::size_t>(parts), *each), static_cast<int>(a), where);
}

Tensor any(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  const Making making("any", where);
  require_bools(making, x);
  const LocationScope scope(where);
  return sum(cast(x, DType::kI32), axes, keep_axes) != 0;
}

Tensor all(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  const Making making("all", where);
  require_bools(making, x);
  const LocationScope scope(where);
  return sum(cast(logical_not(x), DType::kI32), axes, keep_axes) == 0;
}

}  // namespace gcompile
