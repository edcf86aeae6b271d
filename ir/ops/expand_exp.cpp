// exp, expm1, tanh, sigmoid. exp(x) = 2^n e^r with n = round(x / ln 2) and r by a two-step subtraction (Cody and Waite,
// Software Manual for the Elementary Functions, 1980); e^r by a minimax polynomial on |r| <= ln(2)/2 in f32, by the
// Taylor series in f64. NaN goes through: min and max propagate it, and the polynomial keeps it.
#include <cmath>

#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

constexpr double kLog2E = 1.4426950408889634;

struct Reduced {
  S n, r;  // i32 and float
};

Reduced reduce(S x) {
  const Rounded n = nearest(x * kLog2E);
  if (x.dtype() == DType::kF32) return {n.integer, fma(n.value, 2.12194440e-4, fma(n.value, -0.693359375, x))};
  return {n.integer, fma(n.value, -1.90821492927058770002e-10, fma(n.value, -6.93147180369123816490e-01, x))};
}

S exp_polynomial(S r) {
  if (r.dtype() == DType::kF32)
    return polynomial(r, {0.00138367413, 0.00837489835, 0.0416682318, 0.166664192, 0.49999992, 1.00000004, 1});
  return polynomial(r, {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                        1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1});
}

// e^r - 1 with a relative error as small as the value.
S expm1_polynomial(S r) {
  if (r.dtype() == DType::kF32)
    return fma(r * r, polynomial(r, {1.0 / 5040, 0.00138888889, 0.00833333333, 0.0416666667, 0.166666667, 0.5}), r);
  return fma(r * r,
             polynomial(r, {1.0 / 1307674368000, 1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800,
                            1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24,
                            1.0 / 6, 0.5}),
             r);
}

S exp_of(S x) {
  const bool single = x.dtype() == DType::kF32;
  const Reduced a = reduce(max(min(x, single ? 89 : 710), single ? -104 : -746));
  return scale(exp_polynomial(a.r), a.n);
}

// 2^n (e^r - 1) + (2^n - 1), halved inside so that the largest results do not overflow on the way.
S expm1_of(S x) {
  const bool single = x.dtype() == DType::kF32;
  const Reduced a = reduce(max(min(x, single ? 89 : 710), single ? -20 : -45));
  const S half = scale(x.number(1), a.n - a.n.integer(1));
  const S y = fma(half, expm1_polynomial(a.r), half - 0.5) * 2;
  return select(eq(x, 0), x, y);  // -0 stays
}

}  // namespace

Expr exp(ScalarBuilder& b, Exprs a) { return exp_of({&b, a[0]}).e; }
Expr expm1(ScalarBuilder& b, Exprs a) { return expm1_of({&b, a[0]}).e; }

// e / (e + 2) with e = expm1(2x): accurate near 0 and exact at the ends.
Expr tanh(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  const S e = expm1_of(max(min(x * 2, 50), -50));
  return (e / (e + 2)).e;
}

// In f32 2^n is made in one step: results below 6e-39 become 0.
Expr sigmoid(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]}, minus = unary("neg", x);
  if (x.dtype() != DType::kF32) return (1.0 / (exp_of(minus) + 1)).e;
  const S y = max(min(minus, 89), -87);
  // The rounded multiple of 1/ln 2 is left in the low bits of `magic`: its integer is shifted into place at once.
  const S magic = fma(y, kLog2E, y.number(12582912.0));
  const S n = magic - 12582912.0;
  const S r = fma(n, 2.12194440e-4, fma(n, -0.693359375, y));
  const S power = from_bits(binary("shl", bits(magic), y.integer(23)) + y.integer(127 << 23));
  return (1.0 / fma(exp_polynomial(r), power, y.number(1))).e;
}

}  // namespace gcompile::ir::expand
