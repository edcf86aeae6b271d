// Elementwise functions of two operands of one type.
#include <cmath>

#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

using X = Numbers;
using I = Integers;

OpDef record(const char* name, std::uint32_t traits, EvalElement element, EvalInteger integer, Vjp vjp, const char* doc,
             Domain domain = {}) {
  OpDef d;
  d.name = name;
  d.arity = 2;
  d.traits = kElementwise | traits;
  d.infer = same_type;
  d.vjp = vjp;
  d.element = element;
  d.integer = integer;
  d.lower = ElementLowering{};
  d.dtypes = integer ? kNumbers : kFloats;
  d.domain = domain;
  d.doc = doc;
  d.signature = "(a: T[..], b: T[..]) -> T[..]";
  return d;
}

// Rounded towards minus infinity by way of the exact remainder, as NumPy and JAX have it: a - fmod(a, b) is a multiple
// of b, so the quotient is whole but for its rounding.
bool is_beside(double r, double b) { return r != 0 && std::signbit(r) != std::signbit(b); }
double floored_remainder(double a, double b) {
  const double r = std::fmod(a, b);
  return is_beside(r, b) ? r + b : r == 0 ? std::copysign(r, b) : r;
}
double floored_quotient(double a, double b) {
  if (b == 0) return a / b;
  const double r = std::fmod(a, b), q = (a - r) / b, whole = std::nearbyint(is_beside(r, b) ? q - 1 : q);
  return whole == 0 ? std::copysign(whole, a / b) : whole;
}
std::int64_t floored_quotient(std::int64_t a, std::int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return minus(0, a);  // the least i64 has no quotient
  const std::int64_t q = a / b;
  return a % b != 0 && (a % b < 0) != (b < 0) ? q - 1 : q;
}

// Rounded once, also in f32 (as which 16-bit floats are computed): by way of double it would be rounded twice.
std::vector<Array> eval_fma(const EvalContext& c) {
  Array out = Array::uninitialized(c.dtype(), c.shape());
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const double x = c.operands[0].at(i), y = c.operands[1].at(i), z = c.operands[2].at(i);
    out.set(i, c.dtype() == DType::kF64 ? std::fma(x, y, z)
                                        : static_cast<double>(std::fma(static_cast<float>(x), static_cast<float>(y),
                                                                       static_cast<float>(z))));
  }
  return {out};
}

V where(VjpContext& c, const char* comparison, V value) {
  return select(compare(comparison, operand(c, 0), operand(c, 1)), value, zeros_like(value));
}

std::vector<Type> infer_div(const InferContext& c) {
  if (!is_float(c.operands[0].dtype) && c.operands[0].dtype == c.operands[1].dtype)
    c.fail(c.operands[0].str() + " / " + c.operands[1].str() +
           ": integers are not divided; write floor_div for the quotient rounded down, or cast both to a float first");
  return same_type(c);
}

// The divisor may be 0 somewhere between its ends.
double division_error(const ElementError& c) {
  return c.e[1] > 0 && std::abs(c.x[1]) <= c.e[1] ? kUnknown : corners_error(c);
}

// A remainder that its operands' errors may carry over 0, or over the divisor, begins again at the other end.
double remainder_error(const ElementError& c) {
  const double corners = corners_error(c);
  if (!is_float(c.dtype) || is_exact(c) || std::isinf(corners)) return corners;
  const double divisor = std::abs(c.x[1]), moved = 2 * (c.e[0] + (std::abs(c.x[0]) / divisor + 1) * c.e[1]);
  const bool wraps = std::abs(c.value) <= moved || divisor - std::abs(c.value) <= moved;
  return moved_and_computed(c, moved_at_corners(c) + (wraps ? divisor + c.e[1] : 0));
}

constexpr Domain kApart{.avoid_near = 0.05};

}  // namespace

std::vector<OpDef> binary_ops() {
  // clang-format off
  std::vector<OpDef> ops = {
    record("add", kCommutative, [](X x) { return x[0] + x[1]; }, [](I x) { return plus(x[0], x[1]); },
           [](VjpContext& c) -> Values { return {cotangent(c), cotangent(c)}; }, "a + b"),
    record("sub", 0, [](X x) { return x[0] - x[1]; }, [](I x) { return minus(x[0], x[1]); },
           [](VjpContext& c) -> Values { return {cotangent(c), -cotangent(c)}; }, "a - b"),
    record("mul", kCommutative, [](X x) { return x[0] * x[1]; }, [](I x) { return times(x[0], x[1]); },
           [](VjpContext& c) -> Values { return {cotangent(c) * operand(c, 1), cotangent(c) * operand(c, 0)}; }, "a * b"),
    record("div", 0, [](X x) { return x[0] / x[1]; }, nullptr,
           [](VjpContext& c) -> Values {
             const V q = cotangent(c) / operand(c, 1);
             return {q, -(q * V{&c.b, c.result()})};
           }, "a / b of floats", {.low = 0.3, .high = 3}),
    record("floor_div", 0, [](X x) { return floored_quotient(x[0], x[1]); }, [](I x) { return floored_quotient(x[0], x[1]); },
           no_gradient, "a / b rounded towards minus infinity, exactly where the dtype holds that and it is below 2^51; an integer divided by 0 gives 0",
           {.low = 0.3, .high = 3}),
    record("rem", 0, [](X x) { return floored_remainder(x[0], x[1]); },
           [](I x) { return x[1] == 0 ? 0 : minus(x[0], times(floored_quotient(x[0], x[1]), x[1])); },
           [](VjpContext& c) -> Values {
             return {cotangent(c), -(cotangent(c) * binary("floor_div", operand(c, 0), operand(c, 1)))};
           },
           "a - floor_div(a, b) * b: the exact remainder with the sign of b; for integers 0 when b is 0", {.low = 0.3, .high = 3}),
    record("max", kCommutative | kChoosing,
           [](X x) { return std::isnan(x[0]) || std::isnan(x[1]) ? NAN : std::fmax(x[0], x[1]); },
           [](I x) { return std::max(x[0], x[1]); },
           [](VjpContext& c) -> Values { return {where(c, "ge", cotangent(c)), where(c, "lt", cotangent(c))}; },
           "the larger; NaN when either is; the gradient of ties goes to a", kApart),
    record("min", kCommutative | kChoosing,
           [](X x) { return std::isnan(x[0]) || std::isnan(x[1]) ? NAN : std::fmin(x[0], x[1]); },
           [](I x) { return std::min(x[0], x[1]); },
           [](VjpContext& c) -> Values { return {where(c, "le", cotangent(c)), where(c, "gt", cotangent(c))}; },
           "the smaller; NaN when either is; the gradient of ties goes to a", kApart),
  };
  // clang-format on
  for (OpDef& d : ops) {
    if (d.name == "div") d.infer = infer_div, d.error = error_of_elements<division_error>;
    if (d.name == "rem") d.error = error_of_elements<remainder_error>;
    if (d.name == "rem" || d.name == "floor_div") d.tolerance = 0x1p-24;  // rounded at most once
  }
  OpDef fma = record(
      "fma", 0, [](X x) { return std::fma(x[0], x[1], x[2]); }, nullptr,
      [](VjpContext& c) -> Values {
        const V g = cotangent(c);
        return {g * operand(c, 1), g * operand(c, 0), g};
      },
      "a * b + c, rounded once; made by the pass contract");
  fma.arity = 3;
  fma.eval = eval_fma;
  fma.signature = "(a: T[..], b: T[..], c: T[..]) -> T[..]";
  ops.push_back(fma);
  return ops;
}

}  // namespace gcompile::ir
