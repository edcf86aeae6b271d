// argmax and argmin: the position of the extreme along one axis, the first of equal ones; the first NaN wins.
#include "gcompile/ir/ops/axes.h"
#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_arg(const InferContext& c) {
  only_attributes(c, {"axis"});
  admit_dtype(c);
  const std::int64_t axis = axis_attribute(c, "axis", c.operands[0].rank());
  if (c.operands[0].dim(axis).is(0))
    c.fail("axis " + std::to_string(axis) + " of " + c.operands[0].str() + " is empty");
  check_counted(c, axis);
  Type t{DType::kI32, c.operands[0].dims};
  t.dims.erase(t.dims.begin() + axis);
  return {t};
}

template <bool kLargest, class Number>
Array positions(const EvalContext& c, Number (Array::*element)(std::int64_t) const) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  const Array& in = c.operands[0];
  Array out = Array::uninitialized(DType::kI32, c.shape());
  auto to = out.mutable_data<std::int32_t>();
  const auto is_nan = [](Number x) { return x != x; };
  std::size_t i = 0;
  for_each_index(c.shape(), [&](const Position& at) {
    Position from = at;
    from.insert(from.begin() + static_cast<std::ptrdiff_t>(axis), 0);
    std::int32_t best = 0;
    Number best_value = (in.*element)(flat_index(in.shape(), from));
    for (std::int64_t k = 1; k < in.shape()[static_cast<int>(axis)]; ++k) {
      from[axis] = k;
      const Number x = (in.*element)(flat_index(in.shape(), from));
      if (is_nan(best_value)) break;
      if (is_nan(x) || (kLargest ? x > best_value : x < best_value)) {
        best = static_cast<std::int32_t>(k);
        best_value = x;
      }
    }
    to[i++] = best;
  });
  return out;
}

template <bool kLargest>
std::vector<Array> eval_arg(const EvalContext& c) {
  if (is_float(c.operands[0].dtype())) return {positions<kLargest>(c, &Array::at)};
  return {positions<kLargest>(c, &Array::at_integer)};
}

template <bool kLargest>
Expr lower_arg(ElementContext& e, const Node& n, const Index& at) {
  const auto axis = static_cast<std::ptrdiff_t>(n.attrs.get<std::int64_t>("axis"));
  const Value x = n.operands[0];
  const auto element = [&](const Dim& k) {
    Index full = at;
    full.insert(full.begin() + axis, k);
    return e.element(x, full);
  };
  const Expr first = element(0), zero = e.literal(DType::kI32, 0);
  return e.fold({x.type().dim(axis)}, {first, zero}, [&](const Index& k, std::vector<Expr> best) {
    const Expr v = element(k[0]);
    Expr better = e.op(kLargest ? "gt" : "lt", {v, best[0]});
    if (is_float(x.type().dtype)) {
      // A NaN beats every number; nothing beats a NaN ("gt" with one is false).
      const Expr fresh_nan = e.op("and", {e.op("ne", {v, v}), e.op("eq", {best[0], best[0]})});
      better = e.op("or", {better, fresh_nan});
    }
    return std::vector<Expr>{e.op("select", {better, v, best[0]}), e.op("select", {better, e.index(k[0]), best[1]})};
  })[1];
}

// Certain when nothing in the operand is off, or the extreme beats all others by more than they may be off.
template <bool kLargest>
Array arg_error(const ErrorContext& c) {
  const Array &x = c.operands[0], &error = c.errors[0];
  const int axis = static_cast<int>(c.node.attrs.get<std::int64_t>("axis"));
  Array out = no_error(c.value);
  std::int64_t inner = 1;
  for (int a = axis + 1; a < x.rank(); ++a) inner *= x.shape()[a];
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const std::int64_t base = i / inner * inner * x.shape()[axis] + i % inner;
    const std::int64_t best = base + c.value.at_integer(i) * inner;
    bool certain = true;
    for (std::int64_t k = 0; k < x.shape()[axis]; ++k) {
      const std::int64_t at = base + k * inner;
      const double e = error.at(at) + error.at(best), ahead = x.at(best) - x.at(at);
      if (at != best && e != 0) certain &= (kLargest ? ahead : -ahead) > e;
    }
    out.set(i, certain ? 0 : kUnknown);
  }
  return out;
}

OpDef arg_reduction(std::string_view name, Eval eval, Expr (*lower)(ElementContext&, const Node&, const Index&),
                    ErrorBound error, std::string_view doc, std::string_view signature) {
  OpDef d;
  d.name = name;
  d.arity = 1;
  d.traits = kFolding;
  d.infer = infer_arg;
  d.eval = eval;
  d.lower = CustomLowering{lower};
  d.needs = [](const Node& n) -> std::vector<Need> {
    const Type& x = n.operands[0].type();
    const std::int64_t axis = n.attrs.get<std::int64_t>("axis");
    return {{x.dim(axis) - at_most(n.types[0].size(), 1), 0,
             "axis " + std::to_string(axis) + " of " + x.str() + " must have elements"}};
  };
  d.axes = [](const Node& n) {
    AxisMap map;
    relate_kept(map, 0, n.operands[0].type().rank(), {n.attrs.get<std::int64_t>("axis")});
    return map;
  };
  d.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0)}, "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
  };
  d.dtypes = kNumbers;
  d.tolerance = 0;
  d.doc = doc;
  d.signature = signature;
  d.error = error;
  return d;
}

}  // namespace

std::vector<OpDef> arg_reduce_ops() {
  return {arg_reduction("argmax", eval_arg<true>, lower_arg<true>, arg_error<true>,
                        "Position of the largest along an axis, the first of ties.",
                        "argmax(x: T[..]) {axis} -> i32[..]"),
          arg_reduction("argmin", eval_arg<false>, lower_arg<false>, arg_error<false>,
                        "Position of the smallest along an axis, the first of ties.",
                        "argmin(x: T[..]) {axis} -> i32[..]")};
}

}  // namespace gcompile::ir
