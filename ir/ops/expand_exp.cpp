// exp, expm1, tanh, sigmoid. e^x = 2^n e^r with n = round(x / ln 2) and r by a two-step subtraction (Cody and Waite,
// Software Manual for the Elementary Functions, 1980); e^r and e^r - 1 by minimax polynomials on |r| <= ln(2)/2 (Remez
// exchange). Arguments are clamped to where the result no longer changes instead of choosing special
// cases: min and max propagate NaN, and so does all that follows.
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

constexpr double kLog2E = 1.4426950408889634;
// ln 2 in two parts: a multiple of n by the first is exact.
constexpr double kHighF32 = 0x1.62e4p-1, kLowF32 = 0x1.7f7d1cp-20;
constexpr double kHighF64 = 0x1.62e42fefa38p-1, kLowF64 = 0x1.ef35793c7673p-45;

S less_multiple_of_ln2(S x, S n) {
  const bool single = x.single();
  return fma(n, single ? -kLowF32 : -kLowF64, fma(n, single ? -kHighF32 : -kHighF64, x));
}

// e^r - 1 - r over r^2, relative to e^r - 1.
S expm1_tail(S r) {
  if (r.single())
    return polynomial(r, {0.00019962797285, 0.00139434231206, 0.0083332188773, 0.0416663243014, 0.16666666906, 0.5});
  return polynomial(r, {1.7687800417775899e-9, 2.5105396283325451e-8, 2.7567967579583969e-7, 2.7557254975573212e-6,
                        2.4801574440636043e-5, 0.00019841269875149093, 0.001388888889567413, 0.0083333333333260436,
                        0.041666666666652069, 0.16666666666666671, 0.5});
}

// 2^n in two factors, each within range: overflow gives infinity, underflow is gradual and rounded once. The bias puts
// both exponents' biases into the sum that rounds.
S exp_f32(S x) {
  x = max(min(x, 89), -104);
  const Rounded n = nearest(x, kLog2E, 254);
  const S r = less_multiple_of_ln2(x, n.value);
  const S p = polynomial(r, {0.00138366504, 0.00837498137, 0.0416682378, 0.166664182, 0.49999992, 1.00000004, 1});
  const S all = bits(n.sum), half = lshr(all, 1);
  return p * from_bits(shl(half, 23)) * from_bits(shl(all - half, 23));
}

S exp_f64(S x) {
  x = max(min(x, 710), -746);
  const Rounded n = nearest(x, kLog2E);
  const S r = less_multiple_of_ln2(x, n.value);
  const S tail =
      polynomial(r, {2.082644015079525e-9, 2.5112264834908379e-8, 2.7557583840259279e-7, 2.7557234219100185e-6,
                     2.4801586922343383e-5, 0.00019841269897014747, 0.0013888888889119102, 0.0083333333333167851,
                     0.041666666666666083, 0.16666666666666684, 0.5});
  return scale_f64(fma(r * r, tail, r) + 1, low_bits(n));
}

S exp_of(S x) { return x.single() ? exp_f32(x) : exp_f64(x); }

// 2^n (e^r - 1) + (2^n - 1), halved inside so that the largest results do not overflow on the way.
S expm1_of(S x) {
  const S c = max(min(x, x.single() ? 89 : 710), x.single() ? -18 : -40);
  const Rounded n = nearest(c, kLog2E, x.single() ? 126 : 0);
  const S r = less_multiple_of_ln2(c, n.value);
  const S half = x.single() ? from_bits(shl(bits(n.sum), 23)) : scale_f64(x.number(0.5), low_bits(n));
  const S y = fma(half, fma(r * r, expm1_tail(r), r), half - 0.5) * 2;
  return select(eq(x, 0), x, y);  // -0 stays
}

// A rational function: x P(x^2) / Q(x^2), minimax in the relative error up to where the result is 1; rounding must not
// take it beyond 1.
S tanh_f32(S x) {
  x = max(min(x, 9.02), -9.02);
  const S z = x * x;
  const S p = polynomial(z, {-1.22623294e-11, 3.0671991e-08, 2.80462279e-05, 0.00387032676, 0.13681531, 1});
  const S q = polynomial(z, {1.28999179e-06, 0.000394209987, 0.0272532212, 0.470148635, 1});
  return max(min(x * p / q, 1), -1);
}

// 1 / (1 + e^-x) with e^-x = 2^n e^-r: the sign is in the constants. 2^n is made in one step, infinity for x < -88.37
// (where the result, subnormal in any case, becomes 0) and 0 for x > 87.6 (where it is 1).
S sigmoid_f32(S x) {
  x = max(min(x, 88), -89);
  const Rounded n = nearest(x, -kLog2E, 127);
  const S r = fma(n.value, kLowF32, fma(n.value, kHighF32, x));
  const S p = polynomial(r, {-0.00831243151, 0.0418909871, -0.166671182, 0.499992259, -1, 1});
  const S power = from_bits(shl(bits(n.sum), 23));
  return 1.0 / fma(p, power, x.number(1));
}

}  // namespace

Expr exp(ScalarBuilder& b, Exprs a) { return exp_of({&b, a[0]}).e; }
Expr expm1(ScalarBuilder& b, Exprs a) { return expm1_of({&b, a[0]}).e; }

// In f64 e / (e + 2) with e = expm1(2x): accurate near 0 and exact at the ends.
Expr tanh(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  if (x.single()) return tanh_f32(x).e;
  const S e = expm1_of(max(min(x * 2, 40), -40));
  return (e / (e + 2)).e;
}

Expr sigmoid(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  return x.single() ? sigmoid_f32(x).e : (1.0 / (exp_of(unary("neg", x)) + 1)).e;
}

}  // namespace gcompile::ir::expand
