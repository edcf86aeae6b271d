// Elementwise ops that are approximated: the reference is the C library in double, the compiled form the polynomials of
// expand_*.cpp.
#include <algorithm>
#include <cmath>

#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

// d/da a^b = b a^(b-1), which is 0 where b is 0, whatever a; d/db a^b = a^b log a, taken as 0 for a <= 0. The selects
// inside keep NaN out of the branch that is not taken, where a second derivative would find it again.
Values pow_rule(VjpContext& c) {
  auto [g, a, b, y] = binary_rule(c);
  const V zero = zeros_like(b);
  const V constant = compare("eq", b, zero), positive = compare("gt", a, zero);
  const V power = binary("pow", a, select(constant, zero + 1.0, b - 1.0));
  const V log_a = unary("log", select(positive, a, zero + 1.0));
  return {select(constant, zero, g * b * power), select(positive, g * y * log_a, zero)};
}

// The corners say nothing of a function that swings between them; its slope does, which is at most 1.
double swing_error(const ElementError& c) {
  return std::isinf(c.e[0]) ? kUnknown : moved_and_computed(c, std::min(c.e[0], 2.0));
}

}  // namespace

std::vector<OpDef> math_ops() {
  return {
      {.name = "exp",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * y};
       },
       .element = [](Numbers v) { return std::exp(v[0]); },
       .lower = ElementLowering{expand::exp},
       .dtypes = kFloats,
       .doc = "e to the power x.",
       .signature = "exp(x: F[..]) -> F[..]"},
      {.name = "expm1",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * unary("exp", x)};
       },
       .element = [](Numbers v) { return std::expm1(v[0]); },
       .lower = ElementLowering{expand::expm1},
       .dtypes = kFloats,
       .doc = "exp(x) - 1, accurate near 0.",
       .signature = "expm1(x: F[..]) -> F[..]"},
      {.name = "log",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g / x};
       },
       .element = [](Numbers v) { return std::log(v[0]); },
       .lower = ElementLowering{expand::log},
       .dtypes = kFloats,
       .domain = {.low = 0.1, .high = 9},
       .doc = "The natural logarithm; of 0 minus infinity, of a negative number NaN.",
       .signature = "log(x: F[..]) -> F[..]"},
      {.name = "log1p",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g / (x + 1.0)};
       },
       .element = [](Numbers v) { return std::log1p(v[0]); },
       .lower = ElementLowering{expand::log1p},
       .dtypes = kFloats,
       .domain = {.low = -0.9, .high = 9},
       .doc = "log(1 + x), accurate near 0.",
       .signature = "log1p(x: F[..]) -> F[..]"},
      {.name = "tanh",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * (1.0 - y * y)};
       },
       .element = [](Numbers v) { return std::tanh(v[0]); },
       .lower = ElementLowering{expand::tanh},
       .dtypes = kFloats,
       .doc = "The hyperbolic tangent.",
       .signature = "tanh(x: F[..]) -> F[..]"},
      {.name = "sigmoid",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * (y - y * y)};
       },
       .element =
           [](Numbers v) { return v[0] < 0 ? std::exp(v[0]) / (1 + std::exp(v[0])) : 1 / (1 + std::exp(-v[0])); },
       .lower = ElementLowering{expand::sigmoid},
       .dtypes = kFloats,
       .doc = "1 / (1 + exp(-x)).",
       .signature = "sigmoid(x: F[..]) -> F[..]"},
      {.name = "erf",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * (1.1283791670955126 * unary("exp", -(x * x)))};  // 2 / sqrt(pi)
       },
       .element = [](Numbers v) { return std::erf(v[0]); },
       .lower = ElementLowering{expand::erf},
       .dtypes = kFloats,
       .doc = "The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x.",
       .signature = "erf(x: F[..]) -> F[..]"},
      {.name = "sin",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g * unary("cos", x)};
       },
       .element = [](Numbers v) { return std::sin(v[0]); },
       .lower = ElementLowering{expand::sin},
       .dtypes = kFloats,
       .doc = "The sine of an angle in radians; accurate to |x| of about 1e5.",
       .signature = "sin(x: F[..]) -> F[..]",
       .error = error_of_elements<swing_error>},
      {.name = "cos",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {-(g * unary("sin", x))};
       },
       .element = [](Numbers v) { return std::cos(v[0]); },
       .lower = ElementLowering{expand::cos},
       .dtypes = kFloats,
       .doc = "The cosine of an angle in radians; accurate to |x| of about 1e5.",
       .signature = "cos(x: F[..]) -> F[..]",
       .error = error_of_elements<swing_error>},
      {.name = "atan",
       .arity = 1,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, x, y] = unary_rule(c);
         return {g / (x * x + 1.0)};
       },
       .element = [](Numbers v) { return std::atan(v[0]); },
       .lower = ElementLowering{expand::atan},
       .dtypes = kFloats,
       .doc = "The angle whose tangent is x.",
       .signature = "atan(x: F[..]) -> F[..]"},
      {.name = "atan2",
       .arity = 2,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = [](VjpContext& c) -> Values {
         auto [g, y, x, angle] = binary_rule(c);
         const V size = x * x + y * y;
         return {g * x / size, -(g * y / size)};
       },
       .element = [](Numbers v) { return std::atan2(v[0], v[1]); },
       .lower = ElementLowering{expand::atan2},
       .dtypes = kFloats,
       .domain = {.avoid_near = 0.05},
       .doc = "The angle of the point (x, y) in -pi .. pi; 0 of (0, 0).",
       .signature = "atan2(y: F[..], x: F[..]) -> F[..]"},
      {.name = "pow",
       .arity = 2,
       .traits = kElementwise,
       .infer = same_type,
       .vjp = pow_rule,
       .element = [](Numbers v) { return std::pow(v[0], v[1]); },
       .lower = ElementLowering{expand::pow},
       .dtypes = kFloats,
       .domain = {.low = 0.2, .high = 3},
       .tolerance = 1e-5,  // of f64, in which the error grows with |b log a|
       .doc = "a to the power b; of a negative a and a b that is no integer NaN.",
       .signature = "pow(a: F[..], b: F[..]) -> F[..]",
       .on_nan = OnNan::kHidden},  // pow(1, NaN) is 1
  };
}

}  // namespace gcompile::ir
