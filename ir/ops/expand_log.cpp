// log and log1p: x = 2^k (1 + f) with 1 + f in [sqrt(1/2), sqrt(2)), taken apart by its bits; log(1 + f) by a minimax
// polynomial in f (f32), or in s^2 with s = f / (2 + f), where it is 2 atanh(s) (f64; Remez exchange).
#include "gcompile/ir/ops/expand_log.h"

#include <cmath>

#include "gcompile/ir/ops/expand.h"

namespace gcompile::ir::expand {
namespace {

constexpr std::int64_t kBitsOfRootHalf = 0x3f3504f3;
// ln 2 in two parts: a multiple of k by the first is exact.
constexpr double kHighF32 = 0x1.62e4p-1, kLowF32 = 0x1.7f7d1cp-20;
constexpr double kHighF64 = 0x1.62e42fefa38p-1, kLowF64 = 0x1.ef35793c7673p-45;

// k ln 2 + log(1 + f).
S log_f32(S k, S f) {
  const S z = f * f;
  const S p = polynomial(f, {0.0674658644, -0.116756293, 0.118881736, -0.124055936, 0.142195518, -0.166679956,
                             0.200021187, -0.250000096, 0.333333126});
  return fma(k, kHighF32, f + fma(z, -0.5, fma(k, kLowF32, f * z * p)));
}

// log x = y where x is positive and finite; -inf of 0, NaN of what is negative, and x itself of inf and NaN.
S with_special_cases(S x, S y) {
  const S of_zero_or_less = select(eq(x, 0), x.number(-INFINITY), x.number(NAN));
  return select(gt(x, 0), select(lt(x, INFINITY), y, x), of_zero_or_less);
}

S log_of(S x) {
  if (x.single()) {
    const Split a = split_any_f32(x);
    return with_special_cases(x, log_f32(cast(a.k, DType::kF32), a.m - 1));
  }
  const Split a = split_f64(x);
  const S k = cast(a.k, DType::kF64);
  const S y = fma(k, kHighF64, fma(k, kLowF64, log_near_one_f64(a.m - 1, false)));
  return with_special_cases(x, y);
}

// What u = 1 + x loses in rounding, exactly (Knuth's two-sum).
S lost(S x, S u) {
  const S one = u - x;
  return (x - (u - one)) + (1.0 - one);
}

}  // namespace

Split split_f32(S x) {
  const S i = bits(x), above = i - i.integer(kBitsOfRootHalf);
  const S k = ashr(above, 23);
  return {k, from_bits(i - shl(k, 23))};
}

Split split_any_f32(S x) {
  const S tiny = lt(x, 0x1p-126);
  const Split a = split_f32(select(tiny, x * 0x1p25, x));
  return {a.k - select(tiny, a.k.integer(25), a.k.integer(0)), a.m};
}

// Two steps bring any f64 into the range of f32 (exponents beyond 358 move by 716, then those beyond 120 by 240), whose
// bits tell the exponent.
Split split_f64(S x) {
  S k = x.integer(0);
  for (const auto& [limit, step] : {std::pair(358, 716), std::pair(120, 240)}) {
    const S large = gt(x, std::ldexp(1.0, limit)), small = lt(x, std::ldexp(1.0, -limit));
    const S up = x.number(std::ldexp(1.0, step)), down = x.number(std::ldexp(1.0, -step));
    x = x * select(large, down, select(small, up, x.number(1)));
    k = k + select(large, k.integer(step), select(small, k.integer(-step), k.integer(0)));
  }
  const S e = split_f32(cast(x, DType::kF32)).k;
  return {k + e, x * cast(exp2_f32(e.integer(0) - e), DType::kF64)};
}

// 2 s + s z R(z) with s = f / (2 + f), z = s^2; as 2 s = f - s f, only a small part of the sum is rounded twice.
S log_near_one_f64(S f, bool coarse) {
  const S s = f / (f + 2), z = s * s;
  const S r = coarse
                  ? polynomial(z, {0.23596318696693613, 0.28536603810174544, 0.40000345553606050, 0.66666665603366548})
                  : polynomial(z, {0.14811544892296881, 0.15312569475100784, 0.18183619000574317, 0.22222197587203436,
                                   0.28571428751302840, 0.39999999999377991, 0.66666666666667394});
  return f - s * fma(z, unary("neg", r), f);
}

Expr log(ScalarBuilder& b, Exprs a) { return log_of({&b, a[0]}).e; }

// log u with u = 1 + x; what the rounding of u lost comes back, in f32 into f, in f64 as its first-order term.
Expr log1p(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]}, u = x + 1;
  S y = u;
  if (x.single()) {
    const Split s = split_f32(u);
    const S scale = exp2_f32(binary("max", s.k.integer(0) - s.k, s.k.integer(-126)));
    y = with_special_cases(u, log_f32(cast(s.k, DType::kF32), fma(lost(x, u), scale, s.m - 1)));
  } else {
    const S log_u = log_of(u);
    y = select(both(gt(u, 0), lt(u, INFINITY)), log_u + lost(x, u) / u, log_u);
  }
  return select(eq(x, 0), x, y).e;  // -0 stays
}

}  // namespace gcompile::ir::expand
