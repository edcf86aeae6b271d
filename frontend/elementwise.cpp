// Operators and functions that work element by element. A table's worth of one-liners: the name of the op is the point.
#include "gcompile/frontend/functions.h"
#include "gcompile/frontend/making.h"
#include "gcompile/ir/op.h"

namespace gcompile {

namespace {

bool admits(const ir::OpDef& op, DType dtype) {
  for (const DType d : op.dtypes)
    if (d == dtype) return true;
  return op.dtypes.empty();
}

std::string admitted(const ir::OpDef& op) {
  std::string text;
  for (const DType d : op.dtypes) text += (text.empty() ? "" : ", ") + std::string(name(d));
  return text;
}

Tensor unary(const char* op_name, const Tensor& x, Where where) {
  const Making making(op_name, where);
  const ir::V v = making.value(x);
  const ir::OpDef& op = ir::op(op_name);
  if (!admits(op, v.type().dtype))
    making.fail("is for " + admitted(op) + ", not for " + v.type().str(), {{"operand", x}});
  return making.tensor(ir::unary(op_name, v));
}

Tensor binary(const char* op_name, const Operand& a, const Operand& b) {
  const Making making(op_name, a.where());
  const auto [x, y] = unify(making, a, b);
  const ir::OpDef& op = ir::op(op_name);
  if (!admits(op, x.type().dtype)) {
    std::vector<std::pair<std::string, Tensor>> operands;
    if (!a.is_number()) operands.emplace_back("left", a.tensor());
    if (!b.is_number()) operands.emplace_back("right", b.tensor());
    if (std::string_view(op_name) == "div" && is_integer(x.type().dtype))
      making.fail("integers are not divided with '/': write gc::floor_div(a, b), or cast both to a float first",
                  operands);
    making.fail("is for " + admitted(op) + ", not for " + x.type().str(), operands);
  }
  return making.tensor(ir::binary(op_name, x, y));
}

}  // namespace

Tensor operator+(const Operand& a, const Operand& b) { return binary("add", a, b); }
Tensor operator-(const Operand& a, const Operand& b) { return binary("sub", a, b); }
Tensor operator*(const Operand& a, const Operand& b) { return binary("mul", a, b); }
Tensor operator/(const Operand& a, const Operand& b) { return binary("div", a, b); }
Tensor operator-(const Operand& a) { return unary("neg", a.tensor(), a.where()); }
Tensor operator==(const Operand& a, const Operand& b) { return binary("eq", a, b); }
Tensor operator!=(const Operand& a, const Operand& b) { return binary("ne", a, b); }
Tensor operator<(const Operand& a, const Operand& b) { return binary("lt", a, b); }
Tensor operator<=(const Operand& a, const Operand& b) { return binary("le", a, b); }
Tensor operator>(const Operand& a, const Operand& b) { return binary("gt", a, b); }
Tensor operator>=(const Operand& a, const Operand& b) { return binary("ge", a, b); }

Tensor exp(const Tensor& x, Where where) { return unary("exp", x, where); }
Tensor expm1(const Tensor& x, Where where) { return unary("expm1", x, where); }
Tensor log(const Tensor& x, Where where) { return unary("log", x, where); }
Tensor log1p(const Tensor& x, Where where) { return unary("log1p", x, where); }
Tensor sqrt(const Tensor& x, Where where) { return unary("sqrt", x, where); }
Tensor rsqrt(const Tensor& x, Where where) { return unary("rsqrt", x, where); }
Tensor tanh(const Tensor& x, Where where) { return unary("tanh", x, where); }
Tensor sigmoid(const Tensor& x, Where where) { return unary("sigmoid", x, where); }
Tensor erf(const Tensor& x, Where where) { return unary("erf", x, where); }
Tensor sin(const Tensor& x, Where where) { return unary("sin", x, where); }
Tensor cos(const Tensor& x, Where where) { return unary("cos", x, where); }
Tensor atan(const Tensor& x, Where where) { return unary("atan", x, where); }
Tensor floor(const Tensor& x, Where where) { return unary("floor", x, where); }
Tensor ceil(const Tensor& x, Where where) { return unary("ceil", x, where); }
Tensor round_even(const Tensor& x, Where where) { return unary("round_even", x, where); }
Tensor abs(const Tensor& x, Where where) { return unary("abs", x, where); }
Tensor sign(const Tensor& x, Where where) { return unary("sign", x, where); }
Tensor is_finite(const Tensor& x, Where where) { return unary("is_finite", x, where); }
Tensor logical_not(const Tensor& x, Where where) { return unary("not", x, where); }
Tensor stop_gradient(const Tensor& x, Where where) { return unary("stop_gradient", x, where); }
Tensor square(const Tensor& x, Where where) { return binary("mul", {x, where}, {x, where}); }

// x where it is above 0; comparing the other way round lets a NaN through.
Tensor relu(const Tensor& x, Where line) {
  const LocationScope scope(line);
  return where(x <= 0, 0, x);
}

Tensor gelu(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return 0.5 * x * (1 + erf(x * 0.70710678118654752));
}

Tensor gelu_tanh(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return 0.5 * x * (1 + tanh(0.79788456080286536 * (x + 0.044715 * x * x * x)));
}

Tensor cast(const Tensor& x, DType dtype, Where where) {
  const Making making("cast", where);
  return making.tensor(ir::cast(making.value(x), dtype));
}

namespace {

// Squares of the base, and the product of those that the exponent's bits say; products wrap around.
Tensor integer_pow(const Tensor& x, const Operand& exponent, Where where) {
  const Making making("pow", where);
  const auto n = exponent.is_number() ? exponent.weak_number().integer() : std::nullopt;
  if (!n || *n < 0)
    making.fail("an integer tensor has powers to C++ numbers that are whole and not negative" +
                    (exponent.is_number() ? ", not to " + exponent.weak_number().str() : std::string()) +
                    ": cast it to a float first",
                exponent.is_number()
                    ? std::vector<std::pair<std::string, Tensor>>{{"base", x}}
                    : std::vector<std::pair<std::string, Tensor>>{{"base", x}, {"exponent", exponent.tensor()}});
  const LocationScope scope(where);
  if (*n == 0) return full(x.shape(), 1, x.dtype());
  Tensor square = x, power;
  for (std::int64_t rest = *n;; square *= square) {
    if (rest % 2 == 1) power = power.empty() ? square : power * square;
    if ((rest /= 2) == 0) return power;
  }
}

}  // namespace

Tensor pow(const Operand& x, const Operand& exponent) {
  if (x.is_number()) return binary("pow", x, exponent);
  const Tensor& base = x.tensor();
  if (is_integer(base.dtype(x.where()))) return integer_pow(base, exponent, x.where());
  if (exponent.is_number() && exponent.number() == 2) return square(base, x.where());
  return binary("pow", x, exponent);
}
Tensor maximum(const Operand& a, const Operand& b) { return binary("max", a, b); }
Tensor minimum(const Operand& a, const Operand& b) { return binary("min", a, b); }
Tensor floor_div(const Operand& a, const Operand& b) { return binary("floor_div", a, b); }
Tensor remainder(const Operand& a, const Operand& b) { return binary("rem", a, b); }
Tensor logical_and(const Operand& a, const Operand& b) { return binary("and", a, b); }
Tensor logical_or(const Operand& a, const Operand& b) { return binary("or", a, b); }
Tensor bit_and(const Operand& a, const Operand& b) { return binary("bit_and", a, b); }
Tensor bit_or(const Operand& a, const Operand& b) { return binary("bit_or", a, b); }
Tensor bit_xor(const Operand& a, const Operand& b) { return binary("bit_xor", a, b); }
Tensor shift_left(const Operand& a, const Operand& n) { return binary("shl", a, n); }
Tensor shift_right(const Operand& a, const Operand& n) {
  const Making making("shift_right", a.where());
  const LocationScope scope(a.where());
  const auto [x, distance] = unify(making, a, n);
  return binary(is_unsigned(x.type().dtype) ? "lshr" : "ashr", making.tensor(x), making.tensor(distance));
}

Tensor clamp(const Operand& x, const Operand& low, const Operand& high) {
  const LocationScope scope(x.where());
  return minimum(maximum(x, low), high);
}

Tensor where(const Tensor& condition, const Operand& on_true, const Operand& on_false) {
  const Making making("where", on_true.where());
  const ir::V c = making.value(condition);
  if (c.type().dtype != DType::kBool)
    making.fail("the condition must be a bool tensor, such as x > 0, not " + c.type().str(),
                {{"condition", condition}});
  if (on_true.is_number() && on_false.is_number()) {
    const WeakNumber &a = on_true.weak_number(), &b = on_false.weak_number();
    const DType dtype = a.written_as_float() || b.written_as_float() ? DType::kF32
                        : a.written_as_bool() && b.written_as_bool() ? DType::kBool
                                                                     : DType::kI32;
    const Type type{dtype, c.type().dims};
    return making.tensor(ir::select(c, making.value(on_true.as(type)), making.value(on_false.as(type))));
  }
  const auto [a, b] = unify(making, on_true, on_false);
  const auto dims = broadcast_dims(c.type().dims, a.type().dims);
  if (!dims)
    making.fail("the condition " + c.type().str() + " and the values " + a.type().str() + " do not broadcast",
                {{"condition", condition}});
  return making.tensor(ir::select(broadcast_value(c, *dims), broadcast_value(a, *dims), broadcast_value(b, *dims)));
}

Tensor atan2(const Operand& y, const Operand& x) { return binary("atan2", y, x); }

// Compositions of what has a polynomial of its own.
Tensor tan(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return sin(x) / cos(x);
}

Tensor asin(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return atan2(x, sqrt((1 - x) * (1 + x)));
}

Tensor acos(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return atan2(sqrt((1 - x) * (1 + x)), x);
}

// By expm1, which is accurate near 0: both terms have the sign of x.
Tensor sinh(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return 0.5 * (expm1(x) - expm1(-x));
}

Tensor cosh(const Tensor& x, Where where) {
  const LocationScope scope(where);
  return 0.5 * (exp(x) + exp(-x));
}

}  // namespace gcompile
