// Short-hand for expansions: operators on scalar expressions of one dtype, and powers of two.
#pragma once

#include <initializer_list>

#include "gcompile/ir/lowering.h"

namespace gcompile::ir::expand {

// An expression together with its builder, so that formulas read as formulas. Numbers take the expression's dtype.
struct S {
  ScalarBuilder* b;
  Expr e;

  DType dtype() const { return b->dtype(e); }
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
inline S unary(const char* op, S x) { return {x.b, x.b->op(op, {x.e})}; }
inline S select(S condition, S x, S y) { return {x.b, x.b->op("select", {condition.e, x.e, y.e})}; }
inline S cast(S x, DType to) { return {x.b, x.b->cast(x.e, to)}; }
inline S bits(S x) { return {x.b, x.b->bitcast(x.e, DType::kI32)}; }
inline S from_bits(S x) { return {x.b, x.b->bitcast(x.e, DType::kF32)}; }

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

// The nearest integer to x as a float and as an i32, for |x| < 2^21: adding 1.5 * 2^23 (f32) leaves it in the low bits.
struct Rounded {
  S value, integer;
};
inline Rounded nearest(S x) {
  if (x.dtype() == DType::kF32) {
    const S magic = x + 12582912.0;
    return {magic - 12582912.0, binary("sub", bits(magic), x.integer(0x4B400000))};
  }
  const S r = unary("round_even", x);
  return {r, cast(r, DType::kI32)};
}

// 2^n as f32 for n in -126 .. 127; 128 gives infinity, -127 gives 0.
inline S exp2_f32(S n) { return from_bits(binary("shl", n + n.integer(127), n.integer(23))); }

// x * 2^n without an intermediate overflow, gradual underflow included: x of f32 with |n| <= 250, or of f64 with
// |n| <= 1100.
inline S scale(S x, S n) {
  if (x.dtype() == DType::kF32) {
    const S half = binary("ashr", n, n.integer(1));
    return x * exp2_f32(half) * exp2_f32(n - half);
  }
  const S part = binary("ashr", n, n.integer(4)), rest = n - binary("shl", part, n.integer(4));
  S p = cast(exp2_f32(part), DType::kF64);  // 2^(16 part + rest), as eight squarings' worth of factors
  p = p * p;
  p = p * p;
  p = p * p;  // 2^(8 part)
  return x * cast(exp2_f32(rest), DType::kF64) * p * p;
}

}  // namespace gcompile::ir::expand
