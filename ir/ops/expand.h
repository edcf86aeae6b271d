// Expansions: elementwise ops written with simpler scalar ops, for expand-math. Each dispatches on the dtype of its
// operand; one that has no form for a dtype returns an empty Expr, and the op stays as it is. See docs/numerics for the
// accuracy reached.
#pragma once

#include "gcompile/ir/lowering.h"

namespace gcompile::ir::expand {

using Exprs = std::span<const Expr>;

// expand_exact.cpp: ops that need no approximation.
Expr identity(ScalarBuilder& b, Exprs x);
Expr sign(ScalarBuilder& b, Exprs x);
Expr rsqrt(ScalarBuilder& b, Exprs x);
Expr is_finite(ScalarBuilder& b, Exprs x);

// expand_exp.cpp, expand_atan.cpp, expand_erf.cpp, expand_log.cpp, expand_trig.cpp, expand_pow.cpp
Expr exp(ScalarBuilder& b, Exprs x);
Expr expm1(ScalarBuilder& b, Exprs x);
Expr tanh(ScalarBuilder& b, Exprs x);
Expr sigmoid(ScalarBuilder& b, Exprs x);
Expr erf(ScalarBuilder& b, Exprs x);
Expr log(ScalarBuilder& b, Exprs x);
Expr log1p(ScalarBuilder& b, Exprs x);
Expr sin(ScalarBuilder& b, Exprs x);
Expr cos(ScalarBuilder& b, Exprs x);
Expr pow(ScalarBuilder& b, Exprs x);
Expr atan(ScalarBuilder& b, Exprs x);
Expr atan2(ScalarBuilder& b, Exprs x);

}  // namespace gcompile::ir::expand
