// Short-hand for expansions: operators on scalar expressions of one dtype, rounding, and powers of two.
#pragma once

#include <initializer_list>

#include "gcompile/ir/lowering.h"

namespace gcompile::ir::expand {

// An expression together with its builder, so that formulas read as formulas. Numbers take the expression's dtype.
struct S {
  ScalarBuilder* b;
  Expr e;

  DType dtype() const { return b->dtype(e); }
  bool single() const { return dtype() == DType::kF32; }
  S number(double x) const { return {b, b->literal(dtype(), x)}; }
  S integer(std::int64_t x) const { return {b, b->literal(DType::kI32, static_cast<double>(x))}; }
};

inline S binary(const char* op, S x, S y) { return {x.b, x.b->op(op, {x.e, y.e})}; }
inline S operator+(S x, S y) { return binary("add", x, y); }
inline S operator-(S x, S y) { return binary("sub", x, y); }
inline S operator*(S x, S y) { return binary("mul", x, y); }
inline S operator/(S x, S y) { return binary("div", x, y); }
inline S operator+(S x, double y) { return x + x.number(y); }
inline S operator-(S x, double y) { return x - x.number(y); }
inline S operator*(S x, double y) { return x * x.number(y); }
inline S operator/(double x, S y) { return y.number(x) / y; }
inline S operator-(double x, S y) { return y.number(x) - y; }
inline S min(S x, double y) { return binary("min", x, x.number(y)); }
inline S max(S x, double y) { return binary("max", x, x.number(y)); }
inline S eq(S x, double y) { return binary("eq", x, x.number(y)); }
inline S lt(S x, double y) { return binary("lt", x, x.number(y)); }
inline S gt(S x, double y) { return binary("gt", x, x.number(y)); }
inline S both(S x, S y) { return binary("and", x, y); }
inline S either(S x, S y) { return binary("or", x, y); }
inline S unary(const char* op, S x) { return {x.b, x.b->op(op, {x.e})}; }
inline S select(S condition, S x, S y) { return {x.b, x.b->op("select", {condition.e, x.e, y.e})}; }
inline S cast(S x, DType to) { return {x.b, x.b->cast(x.e, to)}; }
inline S bits(S x) { return {x.b, x.b->bitcast(x.e, DType::kI32)}; }
inline S from_bits(S x) { return {x.b, x.b->bitcast(x.e, DType::kF32)}; }
inline S shl(S x, int n) { return binary("shl", x, x.integer(n)); }
inline S lshr(S x, int n) { return binary("lshr", x, x.integer(n)); }
inline S ashr(S x, int n) { return binary("ashr", x, x.integer(n)); }
inline S has_bit(S x, int bit) { return binary("ne", binary("bit_and", x, x.integer(bit)), x.integer(0)); }

// x * y + z, rounded once where the target can.
inline S fma(S x, S y, S z) { return x.b->has_fma() ? S{x.b, x.b->op("fma", {x.e, y.e, z.e})} : x * y + z; }
inline S fma(S x, double y, S z) { return fma(x, x.number(y), z); }

// c[0] x^(n-1) + ... + c[n-1], by Horner's rule: highest power first.
inline S polynomial(S x, std::initializer_list<double> c) {
  auto it = c.begin();
  S p = x.number(*it);
  while (++it != c.end()) p = fma(p, x, x.number(*it));
  return p;
}

// round(x y) as a float, and what it was read from: adding 1.5 * 2^23 (f32) leaves an integer of up to 22 bits in the
// low bits of the sum, so that in f32 they are shifted and masked without a conversion. `bias` is added to them on the
// way. A NaN stays one; |x y| beyond 2^21 (f64: 2^50) rounds to something near.
struct Rounded {
  S value, sum;
};
inline Rounded nearest(S x, double y, int bias = 0) {
  const double magic = (x.single() ? 0x1.8p23 : 0x1.8p52) + bias;
  const S sum = fma(x, y, x.number(magic));
  return {sum - magic, sum};
}
// The low bits of a rounded integer, as an i32: in f32 the others are not zero.
inline S low_bits(const Rounded& n) { return n.value.single() ? bits(n.sum) : cast(n.value, DType::kI32); }

// 2^n as f32 for n in -126 .. 127; 128 gives infinity, -127 gives 0.
inline S exp2_f32(S n) { return from_bits(shl(n + n.integer(127), 23)); }

// x * 2^n for |n| <= 1100 and x of f64, without an intermediate overflow, gradual underflow included: rounded once.
inline S scale_f64(S x, S n) {
  const S part = ashr(n, 4), rest = n - shl(part, 4);
  S p = cast(exp2_f32(part), DType::kF64);
  p = p * p;
  p = p * p;
  p = p * p;  // 2^(8 part)
  return x * cast(exp2_f32(rest), DType::kF64) * p * p;
}

}  // namespace gcompile::ir::expand
