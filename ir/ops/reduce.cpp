// Reductions over a list of axes, which vanish.
#include <algorithm>
#include <cmath>

#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/recurrence.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

bool listed(const Ints& axes, std::int64_t a) { return std::find(axes.begin(), axes.end(), a) != axes.end(); }

Ints kept_axes(const Node& n) {
  Ints kept;
  for (int a = 0; a < n.operands[0].type().rank(); ++a)
    if (!listed(n.attrs.ints("axes"), a)) kept.push_back(a);
  return kept;
}

std::vector<Type> infer_reduce(const InferContext& c) {
  // Order: how kernels go over the elements, where that is not theirs to choose.
  // Ties: which of equal extremes the gradient goes to.
  only_attributes(c, {"axes", "order", "ties"});
  if (c.attrs.has("ties") &&
      (attribute<std::string>(c, "ties") != "first" || c.op.name == "reduce_sum" || c.op.name == "reduce_prod"))
    c.fail("ties '" + attribute<std::string>(c, "ties") + "' is not first, of a largest or smallest element");
  check_order(c);
  admit_dtype(c);
  const Ints& axes = axes_attribute(c, "axes", c.operands[0].rank(), true);
  Type t{c.operands[0].dtype, {}};
  for (int a = 0; a < c.operands[0].rank(); ++a) {
    if (!listed(axes, a)) t.dims.push_back(c.operands[0].dim(a));
    if (listed(axes, a) && c.operands[0].dim(a).is(0) && (c.op.name == "reduce_max" || c.op.name == "reduce_min"))
      c.fail("axis " + std::to_string(a) + " of " + c.operands[0].str() + " is empty and has no such element");
  }
  return {t};
}

// Folds in row-major order of the operand: `element` reads it, `store` writes the result.
template <class Number, class F>
Array fold(const EvalContext& c, Number initial, F f, Number (Array::*element)(std::int64_t) const,
           void (Array::*store)(std::int64_t, Number)) {
  const Array& in = c.operands[0];
  const Shape shape = c.shape();
  std::vector<Number> sums(static_cast<std::size_t>(shape.size()), initial);
  const Ints kept = kept_axes(c.node);
  std::int64_t i = 0;
  for_each_index(in.shape(), [&](const Position& at) {
    Position to;
    for (const std::int64_t a : kept) to.push_back(at[static_cast<std::size_t>(a)]);
    Number& s = sums[static_cast<std::size_t>(flat_index(shape, to))];
    s = f(s, (in.*element)(i++));
  });
  Array out = Array::uninitialized(in.dtype(), shape);
  for (std::int64_t k = 0; k < shape.size(); ++k) (out.*store)(k, sums[static_cast<std::size_t>(k)]);
  return out;
}

// In double, rounded once; of integers exactly.
template <class F>
std::vector<Array> eval_fold(const EvalContext& c, double initial, F f) {
  if (is_float(c.dtype())) return {fold<double>(c, initial, f, &Array::at, &Array::set)};
  const IntegerRange range = range_of(c.dtype());
  const std::int64_t start =
      std::isinf(initial) ? (initial < 0 ? range.min : range.max) : static_cast<std::int64_t>(initial);
  return {fold<std::int64_t>(c, start, f, &Array::at_integer, &Array::set_integer)};
}

V expanded(const V& v, VjpContext& c) { return broadcast(v, c.operand(0).type().dims, kept_axes(c.node)); }

Values sum_rule(VjpContext& c) { return {expanded(cotangent(c), c)}; }

// The number of an element among those that are folded into one, in row-major order.
V number_among_folded(const V& x, const Ints& axes) {
  Dim step = 1;
  V number{x.b, splat(*x.b, {DType::kI32, x.type().dims}, 0)};
  for (std::size_t i = axes.size(); i-- > 0;) {
    const Attrs attrs{{"dtype", DType::kI32}, {"dims", x.type().dims}, {"axis", axes[i]}};
    const V along{x.b, x.b->make("iota", {}, attrs)};
    const V scale = step.is_constant() ? V{x.b, x.b->scalar(DType::kI32, static_cast<double>(step.constant()))}
                                       : V{x.b, dim_value(*x.b, DType::kI32, step)};
    number = number + along * broadcast(scale, x.type().dims, {});
    step *= x.type().dim(axes[i]);
  }
  return number;
}

// A value with the axes that are folded put together, behind those that are kept; and the way back.
class FoldedLast {
 public:
  FoldedLast(V x, const Ints& axes, const Ints& kept) : permutation_(kept) {
    permutation_.insert(permutation_.end(), axes.begin(), axes.end());
    Dim folded = 1;
    for (const std::int64_t a : permutation_) moved_.push_back(x.type().dim(a));
    for (const std::int64_t a : axes) folded *= x.type().dim(a);
    lines_.assign(moved_.begin(), moved_.begin() + std::ssize(kept));
    lines_.push_back(folded);
  }
  V of(V x) const { return reshape(transpose(x, permutation_), lines_); }
  V back(V lines) const { return transpose(reshape(lines, moved_), inverse(permutation_)); }

 private:
  Ints permutation_;
  Dims moved_, lines_;
};

// All of the gradient goes to the first element that is the extreme, or to the first NaN.
Values first_extreme_rule(VjpContext& c) {
  const V x = operand(c, 0), g = expanded(cotangent(c), c);
  const Ints &axes = c.node.attrs.ints("axes"), kept = kept_axes(c.node);
  if (axes.empty()) return {g};
  const V line = FoldedLast(x, axes, kept).of(x);
  const V first{&c.b, c.b.make(c.node.op->name == "reduce_max" ? "argmax" : "argmin", {line},
                               {{"axis", static_cast<std::int64_t>(kept.size())}})};
  const V hit = compare("eq", number_among_folded(x, axes), broadcast(first, x.type().dims, kept));
  return {select(hit, g, zeros_like(g))};
}

// The gradient of a maximum is shared evenly by the elements that reach it, unless the attribute `ties` says first.
Values extreme_rule(VjpContext& c) {
  if (c.node.attrs.has("ties")) return first_extreme_rule(c);
  const V x = operand(c, 0), y{&c.b, c.result()};
  const V one = zeros_like(x) + 1.0;
  const V hit = select(compare("eq", x, expanded(y, c)), one, zeros_like(x));
  const V count = reduce("reduce_sum", hit, c.node.attrs.ints("axes"));
  return {expanded(cotangent(c) / count, c) * hit};
}

// Product of the others: of those before an element and of those behind it. Unlike y / x it is a product whatever is 0,
// and so are its derivatives.
Values product_rule(VjpContext& c) {
  const V x = operand(c, 0);
  const Ints& axes = c.node.attrs.ints("axes");
  if (axes.empty()) return {cotangent(c)};
  const FoldedLast lines(x, axes, kept_axes(c.node));
  const V line = lines.of(x);
  const std::int64_t last = line.type().rank() - 1;
  const V place{&c.b, c.b.make("iota", {}, {{"dtype", DType::kI32}, {"dims", line.type().dims}, {"axis", last}})};
  const V one = zeros_like(line) + 1.0;
  const V first = select(compare("eq", place, zeros_like(place)), one, zeros_like(line));
  const V end{&c.b, c.b.make("reverse", {first}, {{"axes", Ints{last}}})};
  const V others = recurrence(line, first, last, false, true) * recurrence(line, end, last, true, true);
  return {expanded(cotangent(c), c) * lines.back(others)};
}

double lowest(DType t) { return is_float(t) ? -INFINITY : static_cast<double>(range_of(t).min); }
double highest(DType t) { return is_float(t) ? INFINITY : static_cast<double>(range_of(t).max); }

template <class T>
T larger(T a, T b) {
  return b > a || b != b ? b : a;
}
template <class T>
T smaller(T a, T b) {
  return b < a || b != b ? b : a;
}

std::vector<Array> eval_max(const EvalContext& c) {
  return eval_fold(c, -INFINITY, [](auto a, auto b) { return larger(a, b); });
}

// The extreme moves no further than the element that moves most.
Array extreme_error(const ErrorContext& c) {
  Node n = c.node;
  n.types[0].dtype = DType::kF64;
  return eval_max(EvalContext{n, c.errors, c.dims})[0];
}

OpDef reduction(std::string_view name, Eval eval, Vjp vjp, ReduceLowering lower, std::string_view doc,
                std::string_view signature, ErrorBound error) {
  OpDef d;
  d.name = name;
  d.arity = 1;
  d.traits = kReduction | kFolding | (lower.any_order ? kChoosing : 0u);
  d.infer = infer_reduce;
  d.vjp = vjp;
  d.eval = eval;
  d.lower = lower;
  d.dtypes = kNumbers;
  d.doc = doc;
  d.signature = signature;
  d.error = error;
  return d;
}

}  // namespace

std::vector<OpDef> reduce_ops() {
  std::vector<OpDef> ops;
  ops.push_back(reduction(
      "reduce_sum", [](const EvalContext& c) { return eval_fold(c, 0, [](auto a, auto b) { return plus(a, b); }); },
      sum_rule, {"add", [](DType) { return 0.0; }}, "Sum over axes.", "reduce_sum(x: T[..]) {axes} -> T[..]",
      reduced_sum_error));
  ops.push_back(
      reduction("reduce_max", eval_max, extreme_rule, {"max", lowest, true},
                "Largest over axes; NaN when one is; ties share the gradient evenly, or it goes to the first (ties).",
                "reduce_max(x: T[..]) {axes, ties} -> T[..]", extreme_error));
  ops.push_back(reduction(
      "reduce_min",
      [](const EvalContext& c) { return eval_fold(c, INFINITY, [](auto a, auto b) { return smaller(a, b); }); },
      extreme_rule, {"min", highest, true},
      "Smallest over axes; NaN when one is; ties share the gradient evenly, or it goes to the first (ties).",
      "reduce_min(x: T[..]) {axes, ties} -> T[..]", extreme_error));
  ops.push_back(reduction(
      "reduce_prod", [](const EvalContext& c) { return eval_fold(c, 1, [](auto a, auto b) { return times(a, b); }); },
      product_rule, {"mul", [](DType) { return 1.0; }}, "Product over axes.", "reduce_prod(x: T[..]) {axes} -> T[..]",
      reduced_product_error));
  return ops;
}

}  // namespace gcompile::ir
