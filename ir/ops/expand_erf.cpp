// erf. In f32 a rational function x P(x^2) / Q(x^2), minimax in the relative error up to where the result is 1. In f64
// x P(x^2) below 1, beyond 1 - e^(-x^2) R(s), with s = 2.6 - 14.4 / (x + 3) between -1 and 1 for x of 1 .. 6 (the form
// is that of W. J. Cody, Rational Chebyshev approximations for the error function, 1969). Coefficients: Chebyshev
// interpolation, for f32 Lawson's iteration.
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

S erf_f32(S x) {
  x = max(min(x, 3.92), -3.92);
  const S z = x * x;
  const S p = polynomial(z, {2.0500331e-06, 0.000284875154, 0.0037655151, 0.0527484075, 0.19040481, 1.12837915});
  const S q = polynomial(z, {3.80907532e-05, 0.00116250062, 0.0149690229, 0.114108338, 0.502074612, 1});
  return max(min(x * p / q, 1), -1);  // rounding must not take it beyond
}

S erf_f64(S x) {
  const S z = x * x;
  const S near =
      x * polynomial(z, {5.9571761477489113e-11, -1.1372848856791674e-09, 1.4659775274047436e-08,
                         -1.6350312701054695e-07, 1.6461000484121368e-06, -1.4925595266831182e-05,
                         0.0001205533111164271, -0.000854832698083379, 0.0052239776248180145, -0.026866170645076792,
                         0.11283791670954879, -0.37612638903183748, 1.1283791670955126});
  const S size = min(unary("abs", x), 6), s = 2.6 - 14.4 / (size + 3);
  const S r =
      polynomial(s, {6.6976455647908149e-15, 6.043792147788813e-12, 6.0217325603032396e-12, -2.5700407551346905e-10,
                     -2.6377560229741261e-10, 1.133933573114706e-08, -4.5267318133461335e-09, -5.5412730980166404e-07,
                     2.4255574850429229e-06, 1.956358319778174e-05, -0.00033160296057928383, 0.0024793146970862531,
                     -0.012713147695691918, 0.049698445403394138, -0.15436117429436919, 0.20798329133342885});
  const S far = 1.0 - unary("exp", unary("neg", size * size)) * r;
  return select(lt(size, 1), near, select(lt(x, 0), unary("neg", far), far));
}

}  // namespace

Expr erf(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  return x.single() ? erf_f32(x).e : erf_f64(x).e;
}

}  // namespace gcompile::ir::expand
