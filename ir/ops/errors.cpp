// Errors of elementwise ops and of elements that move; which rule an op has by its traits.
#include "gcompile/ir/ops/errors.h"

#include <algorithm>
#include <cmath>

namespace gcompile::ir {
namespace {

constexpr double kSafety = 2;  // for what corners miss of a function's range

struct Format {
  double epsilon, largest, tiny;
};
Format format(DType t) {
  switch (t) {
    case DType::kF32: return {0x1p-23, 0x1.fffffep127, 0x1p-125};
    case DType::kF64: return {0x1p-52, std::numeric_limits<double>::max(), 0x1p-1020};
    case DType::kF16: return {0x1p-10, 65504, 0x1p-23};
    case DType::kBF16: return {0x1p-7, 0x1.fep127, 0x1p-125};
    default: return {0, std::numeric_limits<double>::max(), 0};
  }
}

// The op's tolerance is given for f32. A 16-bit float is such a result, rounded: it may be the next one.
double tolerance(const OpDef& op, DType t) {
  if (is_float16(t)) return op.tolerance == 0 ? 0 : epsilon(t);
  return t == DType::kF64 ? op.tolerance * 0x1p-26 : op.tolerance;
}

double in_range(double x, DType t) { return is_float(t) && std::abs(x) > largest(t) ? std::copysign(kUnknown, x) : x; }

// The furthest that the op gets from `center` with every operand at an end of its range.
double spread(const ElementError& c, double center) {
  std::vector<double> at(c.x.begin(), c.x.end());
  double worst = 0;
  for (unsigned corner = 0; corner < 1u << (2 * at.size()); ++corner) {
    bool fresh = true;
    for (std::size_t k = 0; k < at.size(); ++k) {
      const unsigned side = corner >> (2 * k) & 3u;  // 0 middle, 1 low, 2 high
      fresh &= side < 3 && (side == 0 || c.e[k] > 0);
      at[k] = side == 1 ? c.x[k] - c.e[k] : side == 2 ? c.x[k] + c.e[k] : c.x[k];
    }
    if (!fresh) continue;
    const double y = in_range(c.op.element(at), c.dtype);
    if (std::isnan(y) != std::isnan(center)) return kUnknown;
    if (!std::isnan(y) && y != center) worst = std::max(worst, std::abs(y - center));
  }
  return worst;
}

Array leaf_error(const ErrorContext& c) { return no_error(c.value); }

}  // namespace

double epsilon(DType t) { return format(t).epsilon; }
double largest(DType t) { return format(t).largest; }
double tiny(DType t) { return format(t).tiny; }

bool is_certain(const Array& error) {
  const auto& elements = error.data<double>();
  return std::none_of(elements.begin(), elements.end(), [](double e) { return e > 0; });
}
bool is_certain(const ErrorContext& c) {
  return std::all_of(c.errors.begin(), c.errors.end(), [](const Array& e) { return is_certain(e); });
}
Array no_error(const Array& value) { return Array(DType::kF64, value.shape()); }
Array unknown_error(const Array& value) { return Array::full(DType::kF64, value.shape(), kUnknown); }

Array with_doubles(const ErrorContext& c, const std::vector<Array>& operands) {
  Node n = c.node;
  for (Type& t : n.types) t.dtype = DType::kF64;
  return n.op->eval(EvalContext{n, operands, c.dims})[0];
}

Array magnitude(const Array& operand) {
  Array a = operand.cast(DType::kF64);
  for (double& x : a.mutable_data<double>()) x = std::abs(x);
  return a;
}

Array exact_error(const ErrorContext& c) { return is_certain(c) ? no_error(c.value) : unknown_error(c.value); }

Array moved_error(const ErrorContext& c) { return with_doubles(c, {c.errors.begin(), c.errors.end()}); }

bool is_exact(const ElementError& c) {
  return std::all_of(c.e.begin(), c.e.end(), [](double e) { return e == 0; });
}

double moved_at_corners(const ElementError& c) {
  return is_exact(c) ? 0 : kSafety * spread(c, in_range(c.op.element(c.x), c.dtype));
}

double moved_and_computed(const ElementError& c, double moved) {
  if (!std::isfinite(c.value)) return moved;
  const double error = moved + tolerance(c.op, c.dtype) * std::abs(c.value) + tiny(c.dtype);
  return std::abs(c.value) + error > largest(c.dtype) ? kUnknown : error;
}

double corners_error(const ElementError& c) {
  if (std::any_of(c.e.begin(), c.e.end(), [](double e) { return std::isinf(e); })) return kUnknown;
  if (is_float(c.dtype)) return moved_and_computed(c, moved_at_corners(c));
  return is_exact(c) || spread(c, c.value) == 0 ? 0 : kUnknown;  // integers that no double holds are exact too
}

Array error_of_each_element(const ErrorContext& c, ElementErrorRule rule) {
  Array out = no_error(c.value);
  std::vector<double> x(c.operands.size()), e(c.operands.size());
  for (std::int64_t i = 0; i < out.size(); ++i) {
    for (std::size_t k = 0; k < c.operands.size(); ++k) {
      x[k] = c.operands[k].at(i);
      e[k] = c.errors[k].at(i);
    }
    out.set(i, rule({*c.node.op, x, e, c.value.at(i), c.value.dtype()}));
  }
  return out;
}

ErrorBound default_error(const OpDef& op) {
  if (op.is(kLeaf)) return leaf_error;
  if (op.is(kElementwise)) return op.element ? error_of_elements<corners_error> : exact_error;
  if (op.is(kView)) return moved_error;
  return op.is(kContraction) ? contracted_error : nullptr;
}

}  // namespace gcompile::ir
