// pow(a, b) = exp(b log|a|) with the sign of a negative base and the exact cases of C99's Annex F that programs meet.
// The relative error is about |b log a| times that of log: up to 1e-5 in f32.
#include <cmath>

#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_tools.h"

namespace gcompile::ir::expand {

Expr pow(ScalarBuilder& builder, Exprs operands) {
  const S a{&builder, operands[0]}, b{&builder, operands[1]};
  const S magnitude = unary("exp", b * unary("log", unary("abs", a)));
  const S whole = binary("eq", unary("floor", b), b);
  const S half = b * 0.5, odd = S{&builder, builder.op("and", {whole.e, binary("ne", unary("floor", half), half).e})};
  const S negative = select(whole, select(odd, unary("neg", magnitude), magnitude), a.number(NAN));
  const S y = select(lt(a, 0), negative, magnitude);
  // 1^b and a^0 are 1, whatever the other; a^1 is a.
  const S one = S{&builder, builder.op("or", {eq(a, 1).e, eq(b, 0).e})};
  return select(one, a.number(1), select(eq(b, 1), a, y)).e;
}

}  // namespace gcompile::ir::expand
