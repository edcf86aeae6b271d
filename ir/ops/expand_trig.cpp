// sin and cos: x = n pi/2 + r with n the nearest integer, pi/2 subtracted in parts (Cody and Waite), then minimax
// polynomials on |r| <= pi/4 (Remez exchange). With fma the parts of pi/2 have all the bits of the
// dtype: each difference is exact or as good as r. Without, a multiple of n by all but the last must be exact, which
// holds to n = 2^16 (f32) and 2^21 (f64). Beyond |x| of 10^5 (f64: 10^6) the error grows, the result stays in [-1, 1].
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

S less_multiple_of_half_pi(S x, S n) {
  const auto subtract = [&](std::initializer_list<double> parts) {
    for (const double part : parts) x = fma(n, -part, x);
    return x;
  };
  const bool exact = x.b->has_fma();
  if (x.single())
    return exact ? subtract({0x1.921fb6p+0, -0x1.777a5cp-25, -0x1.ee59dap-50})
                 : subtract({0x1.92p+0, 0x1.fcp-12, -0x1.58p-21, 0x1.1p-30, 0x1.68p-39, 0x1.84698ap-48});
  return exact ? subtract({0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110})
               : subtract({0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104});
}

// sin(x + quarter pi/2).
S sine(S x, int quarter) {
  const Rounded n = nearest(x, 0.63661977236758134);
  const S r = max(min(less_multiple_of_half_pi(x, n.value), 0.8), -0.8);
  const S z = r * r;
  const bool single = x.single();
  const S s = single ? polynomial(z, {-0.000195146375, 0.00833215611, -0.166666545})
                     : polynomial(z, {1.5895906262654636e-10, -2.5050742338357435e-8, 2.7557313587845264e-6,
                                      -0.00019841269829496253, 0.0083333333333220066, -0.1666666666666663});
  const S c = single ? polynomial(z, {2.44324147e-05, -0.00138873099, 0.0416666456})
                     : polynomial(z, {-1.1358310643888173e-11, 2.087569657676737e-9, -2.7557314148664842e-7,
                                      2.4801587288748372e-5, -0.0013888888888872895, 0.041666666666666592});
  const S sin_r = fma(r * z, s, r);
  const S cos_r = fma(z * z, c, fma(z, -0.5, z.number(1)));
  const S turns = low_bits(n) + n.sum.integer(quarter);
  const S y = select(has_bit(turns, 1), cos_r, sin_r);
  return select(has_bit(turns, 2), unary("neg", y), y);
}

}  // namespace

Expr sin(ScalarBuilder& b, Exprs a) { return sine({&b, a[0]}, 0).e; }
Expr cos(ScalarBuilder& b, Exprs a) { return sine({&b, a[0]}, 1).e; }

}  // namespace gcompile::ir::expand
