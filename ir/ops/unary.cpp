// Elementwise functions of one operand: one record each, with its gradient as algebra.
#include <cmath>

#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

using X = Numbers;
using I = Integers;

OpDef record(const char* name, EvalElement element, Vjp vjp, const char* doc,
             Expr (*expand)(ScalarBuilder&, std::span<const Expr>) = nullptr, Domain domain = {},
             double tolerance = 2e-6) {
  OpDef d;
  d.name = name;
  d.arity = 1;
  d.traits = kElementwise;
  d.infer = same_type;
  d.vjp = vjp;
  d.element = element;
  d.lower = ElementLowering{expand};
  d.dtypes = kFloats;
  d.domain = domain;
  d.tolerance = tolerance;
  d.doc = doc;
  d.signature = "(x: T[..]) -> T[..]";
  return d;
}

constexpr Domain kPositive{.low = 0.05, .high = 4};

Values zero_gradient(VjpContext& c) { return {zeros_like(operand(c, 0))}; }

}  // namespace

std::vector<OpDef> unary_ops() {
  // clang-format off
  std::vector<OpDef> ops = {
    record("neg", [](X x) { return -x[0]; }, [](VjpContext& c) -> Values { return {-cotangent(c)}; }, "-x"),
    record("abs", [](X x) { return std::fabs(x[0]); },
          [](VjpContext& c) -> Values { return {cotangent(c) * unary("sign", operand(c, 0))}; },
          "|x|; the gradient at 0 is 0", nullptr, {.avoid_near = 0.05}),
    record("sign", [](X x) { return x[0] > 0 ? 1.0 : x[0] < 0 ? -1.0 : x[0]; }, zero_gradient,
          "-1, 0 or 1 (NaN stays)", expand::sign, {.avoid_near = 0.05}),
    record("sqrt", [](X x) { return std::sqrt(x[0]); },
          [](VjpContext& c) -> Values { return {cotangent(c) / (2.0 * V{&c.b, c.result()})}; }, "square root", nullptr, kPositive),
    record("rsqrt", [](X x) { return 1 / std::sqrt(x[0]); },
          [](VjpContext& c) -> Values { return {cotangent(c) * (-0.5 * (V{&c.b, c.result()} / operand(c, 0)))}; },
          "1 / sqrt(x)", expand::rsqrt, kPositive),
    record("floor", [](X x) { return std::floor(x[0]); }, zero_gradient, "largest integer <= x", nullptr, {.avoid_near = 0.05}),
    record("ceil", [](X x) { return std::ceil(x[0]); }, zero_gradient, "smallest integer >= x", nullptr, {.avoid_near = 0.05}),
    record("round_even", [](X x) { return std::nearbyint(x[0]); }, zero_gradient, "nearest integer, halves to even",
          nullptr, {.avoid_near = 0.05}),
    record("stop_gradient", [](X x) { return x[0]; }, no_gradient, "x, through which no gradient flows",
          expand::identity),
    record("is_finite", [](X x) { return std::isfinite(x[0]) ? 1.0 : 0.0; }, nullptr, "neither infinite nor NaN",
          expand::is_finite),
  };
  // clang-format on
  OpDef negation = record(
      "not", [](X x) { return x[0] == 0 ? 1.0 : 0.0; }, nullptr, "the contrary");
  negation.dtypes = kOnlyBool;
  negation.signature = "(x: bool[..]) -> bool[..]";
  ops.push_back(negation);
  for (OpDef& d : ops) {
    if (d.name == "neg") d.dtypes = kNumbers, d.integer = [](I x) { return minus(0, x[0]); };
    if (d.name == "abs") d.dtypes = kSigned, d.integer = [](I x) { return x[0] < 0 ? minus(0, x[0]) : x[0]; };
    if (d.name == "sign") d.dtypes = kSigned, d.integer = [](I x) { return std::int64_t{x[0] > 0} - (x[0] < 0); };
    if (d.name == "stop_gradient")
      d.dtypes.clear(), d.traits |= kChoosing | kStopsGradient, d.integer = [](I x) { return x[0]; };
    if (d.name == "is_finite")
      d.infer = bool_result, d.signature = "(x: T[..]) -> bool[..]", d.on_nan = OnNan::kDropped;
  }
  return ops;
}

}  // namespace gcompile::ir
