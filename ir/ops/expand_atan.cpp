// atan and atan2. The ratio is brought to |u| <= tan(pi/8) by one division: atan a = pi/4 + atan((a - 1) / (a + 1)),
// and = pi/2 - atan(1 / a); there it is u + u^3 q(u^2), q by Chebyshev interpolation.
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {
namespace {

constexpr double kTanPi8 = 0.41421356237309503, kTan3Pi8 = 2.4142135623730949;
constexpr double kPi = 3.1415926535897931, kHalfPi = 1.5707963267948966, kQuarterPi = 0.78539816339744828;

// Of y / x for y, x >= 0, of which not both are 0 or infinite.
S angle(S y, S x) {
  const S zero = x.number(0);
  const S far = binary("gt", y, x * kTan3Pi8), middle = binary("gt", y, x * kTanPi8);
  const S above = select(far, unary("neg", x), select(middle, y - x, y));
  const S below = select(far, y, select(middle, y + x, x));
  const S turn = select(far, x.number(kHalfPi), select(middle, x.number(kQuarterPi), zero));
  const S u = above / below, z = u * u;
  const S q =
      x.single()
          ? polynomial(z, {-0.064508816, 0.107434156, -0.142639264, 0.199995396, -0.333333318})
          : polynomial(z, {-0.019169476385361265, 0.039225605595861072, -0.050852401741548781, 0.05858108856106755,
                           -0.066645068351332635, 0.076921828633096927, -0.090909045640223668, 0.11111111014909221,
                           -0.14285714284662226, 0.199999999999955, -0.3333333333333333});
  return turn + fma(u * z, q, u);
}

}  // namespace

Expr atan(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  const S r = angle(unary("abs", x), x.number(1));
  return select(lt(x, 0), unary("neg", r), r).e;
}

Expr atan2(ScalarBuilder& b, Exprs a) {
  const S y{&b, a[0]}, x{&b, a[1]};
  const S up = unary("abs", y), along = unary("abs", x), alike = binary("eq", up, along);
  // Equal sizes, infinite ones too, are half of a right angle; of two zeros the angle is 0.
  const S one = x.number(1), zero = x.number(0);
  const S r = angle(select(alike, select(eq(up, 0), zero, one), up), select(alike, one, along));
  const S half = select(lt(x, 0), kPi - r, r);
  return select(lt(y, 0), unary("neg", half), half).e;
}

}  // namespace gcompile::ir::expand
