// sin and cos: x = n pi/2 + r with n the nearest integer, subtracted in three steps (Cody and Waite), then the minimax
// polynomials of Cephes (f32) and fdlibm (f64) on |r| <= pi/4. Accurate for |x| up to about 1e4 in f32 and 1e6 in f64;
// beyond, the error grows with |x|. Infinities give NaN.
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

// sin(x + quarter pi/2).
S sine(S x, std::int64_t quarter) {
  const bool single = x.dtype() == DType::kF32;
  const Rounded n = nearest(x * 0.63661977236758134);
  S r = x;
  if (single)
    for (const double part : {1.5703125, 4.837512969970703e-4, 7.549789948768648e-8}) r = fma(n.value, -part, r);
  else
    for (const double part : {1.57079632673412561417, 6.07710050630396597660e-11, 2.02226624879595063154e-21})
      r = fma(n.value, -part, r);
  const S z = r * r;
  const S s =
      single ? polynomial(z, {-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1})
             : polynomial(z, {1.58969099521155010221e-10, -2.50507602534068634195e-08, 2.75573137070700676789e-06,
                              -1.98412698298579493134e-04, 8.33333333332248946124e-03, -1.66666666666666324348e-01});
  const S c =
      single ? polynomial(z, {2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2})
             : polynomial(z, {-1.13596475577881948265e-11, 2.08757232129817482790e-09, -2.75573143513906633035e-07,
                              2.48015872894767294178e-05, -1.38888888888741095749e-03, 4.16666666666666019037e-02});
  const S sin_r = fma(r * z, s, r);
  const S cos_r = fma(z * z, c, 1.0 - z * 0.5);
  const S k = n.integer + n.integer.integer(quarter);
  const S odd = binary("ne", binary("bit_and", k, k.integer(1)), k.integer(0));
  const S negative = binary("ne", binary("bit_and", k, k.integer(2)), k.integer(0));
  const S y = select(odd, cos_r, sin_r);
  return select(negative, unary("neg", y), y);
}

}  // namespace

Expr sin(ScalarBuilder& b, Exprs a) { return sine({&b, a[0]}, 0).e; }
Expr cos(ScalarBuilder& b, Exprs a) { return sine({&b, a[0]}, 1).e; }

}  // namespace gcompile::ir::expand
