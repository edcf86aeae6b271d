// log and log1p. x = 2^k m with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f), log m = 2 atanh(s) is
// f - f^2/2 + s (f^2/2 + R(s^2)), the form and the coefficients of R from fdlibm (Sun Microsystems, 1993).
#include <cmath>

#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

struct Split {
  S k, m;  // exponent as a float, mantissa
};

// Of a positive, normal f32.
Split split_f32(S x) {
  const S i = bits(x);
  const S t = i + i.integer(0x3f800000 - 0x3f3504f3);
  const S k = binary("ashr", t, i.integer(23)) - i.integer(127);
  const S m = from_bits(binary("bit_and", t, i.integer(0x007fffff)) + i.integer(0x3f3504f3));
  return {cast(k, DType::kF32), m};
}

// Of a positive, finite f64: brought into the range of f32 by powers of two, then split by its leading bits.
Split split_f64(S x) {
  S k = x.number(0);
  for (const int step : {512, 256, 128}) {
    const double up = std::ldexp(1.0, step), down = std::ldexp(1.0, -step);
    const S large = gt(x, up), small = lt(x, down);
    k = select(large, k + step, select(small, k - step, k));
    x = select(large, x * down, select(small, x * up, x));
  }
  for (const double limit : {100.0}) {  // a subnormal may still be below the least normal f32
    const S small = lt(x, std::ldexp(1.0, -static_cast<int>(limit)));
    k = select(small, k - 128, k);
    x = select(small, x * std::ldexp(1.0, 128), x);
  }
  const S large = gt(x, std::ldexp(1.0, 100));
  k = select(large, k + 128, k);
  x = select(large, x * std::ldexp(1.0, -128), x);
  const Split lead = split_f32(cast(x, DType::kF32));
  const S e = cast(lead.k, DType::kI32);
  const S inverse = cast(exp2_f32(e.integer(0) - e), DType::kF64);
  return {k + cast(lead.k, DType::kF64), x * inverse};
}

S log_of(S x) {
  const bool single = x.dtype() == DType::kF32;
  const S tiny = lt(x, single ? 1.17549435e-38 : 0);
  Split a{x, x};
  if (single) {
    const S normal = select(tiny, x * 33554432.0, x);
    a = split_f32(normal);
    a.k = select(tiny, a.k - 25, a.k);
  } else {
    a = split_f64(x);
  }
  const S f = a.m - 1, s = f / (f + 2), z = s * s, half = f * f * 0.5;
  const S r = single ? z * polynomial(z, {0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693})
                     : z * polynomial(z, {1.479819860511658591e-01, 1.531383769920937332e-01, 1.818357216161805012e-01,
                                          2.222219843214978396e-01, 2.857142874366239149e-01, 3.999999999940941908e-01,
                                          6.666666666666735130e-01});
  const double high = single ? 0.69313812256 : 6.93147180369123816490e-01;
  const double low = single ? 9.0580006145e-06 : 1.90821492927058770002e-10;
  const S y = fma(a.k, high, f - (half - fma(s, half + r, a.k * low)));
  // 0 gives -inf, what is negative NaN, inf and NaN themselves.
  const S special = select(gt(x, 0), x, select(eq(x, 0), x.number(-INFINITY), x.number(NAN)));
  const S ordinary = S{x.b, x.b->op("and", {gt(x, 0).e, lt(x, INFINITY).e})};
  return select(ordinary, y, special);
}

}  // namespace

Expr log(ScalarBuilder& b, Exprs a) { return log_of({&b, a[0]}).e; }

// log u + (x - (u - 1)) / u with u = 1 + x rounded: what the rounding lost comes back.
Expr log1p(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]}, u = x + 1;
  const S y = log_of(u) + (x - (u - 1)) / u;
  const S ordinary = S{&b, b.op("and", {gt(u, 0).e, lt(u, INFINITY).e})};
  return select(eq(x, 0), x, select(ordinary, y, log_of(u))).e;
}

}  // namespace gcompile::ir::expand
