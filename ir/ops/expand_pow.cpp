// pow(a, b) = 2^(b log2 |a|), then the sign of a negative base and the special cases of IEEE 754. In f32 the exponent
// is computed in f64, so that the error stays that of the last step; in f64 it is not, and the error grows with |b log
// a|: it is within 2 (2 + |b log a|) units in the last place.
#include <cmath>

#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/expand_log.h"

namespace gcompile::ir::expand {
namespace {

// 2^t of an f64, as f32: the integer part by its exponent (in two factors), the rest by a minimax polynomial.
S exp2_to_f32(S t) {
  t = max(min(t, 129), -151);
  const S n = unary("round_even", t), r = cast(t - n, DType::kF32), i = cast(n, DType::kI32), half = ashr(i, 1);
  const S p = polynomial(r, {0.000155953646, 0.00134069485, 0.0096176897, 0.0555030971, 0.240226528, 0.693147215, 1});
  return p * exp2_f32(half) * exp2_f32(i - half);
}

S power_of_positive(S a, S b) {
  if (!a.single()) return unary("exp", b * unary("log", a));
  const Split s = split_any_f32(a);
  const S f = cast(s.m, DType::kF64) - 1;
  S log2 = fma(log_near_one_f64(f, true), 1.4426950408889634, cast(s.k, DType::kF64));
  log2 = select(lt(a, INFINITY), log2, cast(a, DType::kF64));  // infinity, NaN
  log2 = select(eq(a, 0), log2.number(-INFINITY), log2);
  return exp2_to_f32(cast(b, DType::kF64) * log2);
}

}  // namespace

Expr pow(ScalarBuilder& builder, Exprs operands) {
  const S a{&builder, operands[0]}, b{&builder, operands[1]}, size = unary("abs", a);
  S y = select(eq(size, 1), a.number(1), power_of_positive(size, b));  // also to the power infinity
  const S half = b * 0.5;
  const S whole = binary("eq", unary("floor", b), b);
  const S odd = both(whole, binary("ne", unary("floor", half), half));
  const S minus = either(lt(a, 0), lt(1.0 / a, 0));  // -0 too
  y = select(both(minus, odd), unary("neg", y), y);
  // A finite negative base has powers to whole exponents only; an infinite exponent counts as whole.
  y = select(both(both(lt(a, 0), gt(a, -INFINITY)), unary("not", whole)), y.number(NAN), y);
  y = select(both(eq(a, 1), binary("ne", b, b)), a.number(1), y);
  return select(eq(b, 0), a.number(1), y).e;
}

}  // namespace gcompile::ir::expand
