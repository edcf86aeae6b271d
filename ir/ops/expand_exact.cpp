// Expansions that approximate nothing.
#include <cmath>

#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {

Expr identity(ScalarBuilder&, Exprs x) { return x[0]; }

// NaN and zeros stay as they are.
Expr sign(ScalarBuilder& b, Exprs a) {
  const S x{&b, a[0]};
  return select(gt(x, 0), x.number(1), select(lt(x, 0), x.number(-1), x)).e;
}

Expr rsqrt(ScalarBuilder& b, Exprs a) { return (1.0 / unary("sqrt", {&b, a[0]})).e; }

Expr is_finite(ScalarBuilder& b, Exprs a) { return lt(unary("abs", {&b, a[0]}), INFINITY).e; }

}  // namespace gcompile::ir::expand
