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

namespace {

// floor(x / y) in f64, where the quotient of two f32 rounds to an integer only if it is one.
S floor_quotient(S x, S y) { return unary("floor", cast(x, DType::kF64) / cast(y, DType::kF64)); }

}  // namespace

// Of floats; integers are a primitive of code generation (an empty result leaves the op).
Expr floor_div(ScalarBuilder& b, Exprs a) {
  const DType dtype = b.dtype(a[0]);
  return is_float(dtype) ? cast(floor_quotient({&b, a[0]}, {&b, a[1]}), dtype).e : Expr{};
}

Expr rem(ScalarBuilder& b, Exprs a) {
  const DType dtype = b.dtype(a[0]);
  if (!is_float(dtype)) return {};
  const S x{&b, a[0]}, y{&b, a[1]};
  const S q = floor_quotient(x, y);
  return cast(fma(unary("neg", q), cast(y, DType::kF64), cast(x, DType::kF64)), dtype).e;
}

}  // namespace gcompile::ir::expand
