// Identities of arithmetic that are exact in floating point (Goldberg 1991, Muller et al., Handbook of Floating-Point
// Arithmetic, chapter 9), and some that only integers have.
#include <cmath>

#include "gcompile/ir/build.h"
#include "gcompile/passes/simplify_rules.h"

namespace gcompile::passes {
namespace {

using ir::Builder;
using ir::Value;

Value negated(const Match& m, Builder& b) { return ir::splat(b, m.type(), -*splat_value(m('k'))); }

Value times_negated(const Match& m, Builder& b) { return b.make("mul", {m('x'), negated(m, b)}); }
Value over_negated(const Match& m, Builder& b) { return b.make("div", {m('x'), negated(m, b)}); }
Value negated_over(const Match& m, Builder& b) { return b.make("div", {negated(m, b), m('x')}); }

// x / 2^n = x * 2^-n: both are the rounding of the same real number, as long as 2^-n is no subnormal.
Value times_reciprocal(const Match& m, Builder& b) {
  const double k = *splat_value(m('k'));
  int exponent = 0;
  if (!std::isfinite(k) || std::abs(std::frexp(k, &exponent)) != 0.5) return {};
  const int lowest = m.type().dtype == DType::kF64 ? -1022 : m.type().dtype == DType::kF16 ? -14 : -126;
  if (1 - exponent < lowest || exponent - 1 < lowest) return {};
  return b.make("mul", {m('x'), ir::splat(b, m.type(), 1 / k)});
}

constexpr Rule kRules[] = {
    {"mul(x, 1)", "x"},
    {"div(x, 1)", "x"},
    {"sub(x, 0)", "x"},
    {"add(x, -0)", "x"},
    {"sub(-0, x)", "neg(x)"},
    {"mul(x, -1)", "neg(x)"},
    {"div(x, -1)", "neg(x)"},
    {"div(x, k)", times_reciprocal, is_floating},

    {"add(x, 0)", "x", is_integer},
    {"sub(0, x)", "neg(x)", is_integer},
    {"sub(x, x)", "0", is_integer},
    {"mul(x, 0)", "0", is_integer},
    {"floor_div(x, 1)", "x", is_integer},
    {"rem(x, 1)", "0", is_integer},

    {"neg(neg(x))", "x"},
    {"neg(mul(x, k))", times_negated, is_floating},
    {"neg(div(x, k))", over_negated, is_floating},
    {"neg(div(k, x))", negated_over, is_floating},
    {"add(a, neg(b))", "sub(a, b)"},
    {"sub(a, neg(b))", "add(a, b)"},
    {"mul(neg(a), neg(b))", "mul(a, b)"},
    {"div(neg(a), neg(b))", "div(a, b)"},
    {"mul(neg(a), b)", "neg(mul(a, b))"},
    {"div(neg(a), b)", "neg(div(a, b))"},
    {"div(a, neg(b))", "neg(div(a, b))"},

    {"abs(neg(x))", "abs(x)"},
    {"abs(abs(x))", "abs(x)"},
    {"mul(abs(x), abs(x))", "mul(x, x)"},
    {"max(x, x)", "x"},
    {"min(x, x)", "x"},
    {"floor(floor(x))", "floor(x)"},
    {"ceil(ceil(x))", "ceil(x)"},
    {"round_even(round_even(x))", "round_even(x)"},

    {"pow(x, 0)", "1"},
    {"pow(x, 1)", "x"},
    {"pow(x, 2)", "mul(x, x)", is_f32},  // exact in double, then rounded once; an f64 pow may be half an ulp off

    {"fma(a, b, -0)", "mul(a, b)"},
    {"fma(a, 1, c)", "add(a, c)"},
    {"fma(1, b, c)", "add(b, c)"},
    {"fma(neg(a), neg(b), c)", "fma(a, b, c)"},

    {"stop_gradient(x)", "x"},  // has done its work once the gradient has been taken
};

}  // namespace

std::span<const Rule> arithmetic_rules() { return kRules; }

}  // namespace gcompile::passes
