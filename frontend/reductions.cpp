// Reductions, and the compositions around them: means, variances, softmax.
#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"

namespace gcompile {

namespace {

// Extents with the reduced axes left as 1.
std::vector<Dim> kept_dims(std::vector<Dim> dims, const std::vector<std::int64_t>& axes) {
  for (const std::int64_t a : axes) dims[static_cast<std::size_t>(a)] = 1;
  return dims;
}

// An extremum or a mean of nothing has no value.
void require_elements(const Making& making, const Tensor& x, const std::vector<std::int64_t>& axes) {
  for (const std::int64_t a : axes) {
    const Type& type = making.value(x).type();
    if (type.dim(a).is(0)) making.fail("axis " + std::to_string(a) + " is empty", {{"operand", x}});
    making.require_at_least(type.dim(a), 1, "axis " + std::to_string(a) + " of " + type.str() + " must have elements");
  }
}

Tensor reduce(const char* name, const char* op, const Tensor& x, const Axes& axes, bool keep_axes, bool needs_elements,
              Where where) {
  const Making making(name, where);
  const std::vector<std::int64_t> list = making.axes(axes, x);
  const ir::V v = making.value(x);
  if (v.type().dtype == DType::kBool) making.fail("of bools: cast them to a number first", {{"operand", x}});
  if (needs_elements) require_elements(making, x, list);
  if (list.empty()) return x;
  const ir::V reduced = ir::reduce(op, v, list);
  return making.tensor(keep_axes ? ir::reshape(reduced, kept_dims(v.type().dims, list)) : reduced);
}

Tensor arg_reduce(const char* name, const Tensor& x, int axis, Where where) {
  const Making making(name, where);
  const std::int64_t a = making.axis(axis, x);
  require_elements(making, x, {a});
  return making.tensor(making.builder().make(name, {making.value(x)}, {{"axis", a}}));
}

void require_float(const Making& making, const Tensor& x) {
  const Type& type = making.value(x).type();
  if (!is_float(type.dtype)) making.fail("is for floats, not for " + type.str(), {{"operand", x}});
}

// What is composed of several parts is computed in f32 where x has 16 bits, and rounded once.
Tensor wide(const Tensor& x) { return is_float16(x.dtype()) ? cast(x, DType::kF32) : x; }

// x minus its largest element along the axis, through which no gradient flows: softmax does not depend on it.
Tensor shifted(const Tensor& x, int axis) { return x - stop_gradient(max(x, axis, true)); }

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  return reduce("sum", "reduce_sum", x, axes, keep_axes, false, where);
}
Tensor prod(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  return reduce("prod", "reduce_prod", x, axes, keep_axes, false, where);
}
Tensor max(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  return reduce("max", "reduce_max", x, axes, keep_axes, true, where);
}
Tensor min(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  return reduce("min", "reduce_min", x, axes, keep_axes, true, where);
}

Tensor mean(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  const Making making("mean", where);
  require_float(making, x);
  const std::vector<std::int64_t> list = making.axes(axes, x);
  require_elements(making, x, list);
  Dim count = 1;
  for (const std::int64_t a : list) count *= making.value(x).type().dim(a);
  const LocationScope scope(where);
  const Tensor total = sum(wide(x), axes, keep_axes);
  const DType dtype = total.dtype();
  return cast(total / making.tensor({ir::dim_value(making.builder(), dtype, count)}), x.dtype());
}

Tensor variance(const Tensor& x, const Axes& axes, bool keep_axes, Where where) {
  const LocationScope scope(where);
  const Tensor w = wide(x);
  return cast(mean(square(w - mean(w, axes, true)), axes, keep_axes), x.dtype());
}

Tensor argmax(const Tensor& x, int axis, Where where) { return arg_reduce("argmax", x, axis, where); }
Tensor argmin(const Tensor& x, int axis, Where where) { return arg_reduce("argmin", x, axis, where); }

// The largest element is taken out first, so that no exponential overflows; an infinite one is not, for inf - inf is no
// number: the logarithm of the sum is infinite by itself then.
Tensor logsumexp(const Tensor& x, int axis, bool keep_axes, Where where) {
  const Making making("logsumexp", where);
  require_float(making, x);
  const int a = static_cast<int>(making.axis(axis, x));
  const LocationScope scope(where);
  const Tensor w = wide(x), largest = stop_gradient(max(w, a, true));
  const Tensor top = gcompile::where(is_finite(largest), largest, 0);
  const Tensor all = cast(log(sum(exp(w - top), a, true)) + top, x.dtype());
  return keep_axes ? all : squeeze(all, a);
}

Tensor softmax(const Tensor& x, int axis, Where where) {
  const Making making("softmax", where);
  require_float(making, x);
  const int a = static_cast<int>(making.axis(axis, x));
  const LocationScope scope(where);
  const Tensor e = exp(shifted(wide(x), a));
  return cast(e * (1 / sum(e, a, true)), x.dtype());  // one division a row
}

Tensor log_softmax(const Tensor& x, int axis, Where where) {
  const Making making("log_softmax", where);
  require_float(making, x);
  const int a = static_cast<int>(making.axis(axis, x));
  const LocationScope scope(where);
  const Tensor s = shifted(wide(x), a);
  return cast(s - log(sum(exp(s), a, true)), x.dtype());
}

}  // namespace gcompile
