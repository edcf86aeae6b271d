// recurrence: h[k] = a[k] h[k - 1] + b[k] along an axis, in order. Its gradient is one from the other end, so it has
// derivatives of every order, also where factors are 0: products of all factors before a place are one.
#include <cmath>
#include <functional>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/own_loops.h"
#include "gcompile/ir/ops/recurrence.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

struct Way {
  std::size_t axis;
  bool reverse, delayed;
  explicit Way(const Node& n)
      : axis(static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"))), reverse(n.attrs.get<bool>("reverse")),
        delayed(n.attrs.get<bool>("delayed")) {}
};

std::vector<Type> infer_recurrence(const InferContext& c) {
  only_attributes(c, {"axis", "reverse", "delayed"});
  admit_dtype(c);
  same_operands(c);
  axis_attribute(c, "axis", c.operands[0].rank());
  attribute<bool>(c, "reverse");
  attribute<bool>(c, "delayed");
  return {c.operands[0]};
}

// Calls f(place, place of the factor, place before) along every line; the last two are -1 where there is none before.
void for_each_step(const Shape& shape, const Way& way,
                   const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& f) {
  const std::int64_t n = shape[static_cast<int>(way.axis)];
  for_each_index(shape, [&](const Position& begin) {
    if (begin[way.axis] != 0) return;
    Position at = begin;
    std::int64_t before = -1;
    for (std::int64_t k = 0; k < n; ++k) {
      at[way.axis] = way.reverse ? n - 1 - k : k;
      const std::int64_t here = flat_index(shape, at);
      f(here, before < 0 ? -1 : way.delayed ? before : here, before);
      before = here;
    }
  });
}

// In double, each rounded once.
std::vector<Array> eval_recurrence(const EvalContext& c) {
  Array out = Array::uninitialized(c.dtype(), c.shape());
  double carried = 0;
  for_each_step(c.shape(), Way(c.node), [&](std::int64_t here, std::int64_t factor, std::int64_t) {
    const double b = c.operands[1].at(here);
    carried = factor < 0 ? b : c.operands[0].at(factor) * carried + b;
    out.set(here, carried);
  });
  return {out};
}

// Every element is moved by what its operands are off, the one before among them, and rounded twice.
Array recurrence_error(const ErrorContext& c) {
  const DType t = c.value.dtype(), inside = accumulator(t);
  Array out = no_error(c.value);
  double carried = 0, moved = 0;
  for_each_step(c.value.shape(), Way(c.node), [&](std::int64_t here, std::int64_t factor, std::int64_t) {
    const double b = c.operands[1].at(here), eb = c.errors[1].at(here);
    const double a = factor < 0 ? 0 : c.operands[0].at(factor), ea = factor < 0 ? 0 : c.errors[0].at(factor);
    const double before = factor < 0 ? 0 : carried, was = factor < 0 ? 0 : moved;
    const double product = (std::abs(a) + ea) * (std::abs(before) + was);
    moved = product - std::abs(a * before) + eb + 2 * epsilon(inside) * (product + std::abs(b) + eb) + tiny(inside);
    carried = factor < 0 ? b : a * before + b;
    moved += overflow(product + std::abs(b) + eb, t);
    if (std::isnan(moved)) moved = std::isnan(carried) ? 0 : kUnknown;
    out.set(here, moved + rounding(carried, t));
  });
  return out;
}

// Every element at the place before it, in the direction of the recurrence; 0 at the first.
V delayed_by_one(V x, const Way& way) {
  const auto rank = x.type().dims.size();
  Ints low(rank, 0), high(rank, 0), starts(rank, 0), steps(rank, 1);
  (way.reverse ? high : low)[way.axis] = 1;
  Dims stops = x.type().dims;
  starts[way.axis] = way.reverse ? 1 : 0;
  if (way.reverse) stops[way.axis] += 1;
  const V wide{x.b, x.b->make("pad", {x, x.b->scalar(x.type().dtype, 0)}, {{"low", low}, {"high", high}})};
  return {x.b, x.b->make("slice", {wide}, {{"starts", starts}, {"stops", stops}, {"steps", steps}})};
}

// What an element is worth is its cotangent and, times the factor between, what the one behind it is worth.
Values recurrence_rule(VjpContext& c) {
  const Way way(c.node);
  const V a = operand(c, 0), h{&c.b, c.result()};
  const auto axis = static_cast<std::int64_t>(way.axis);
  const V worth = recurrence(a, cotangent(c), axis, !way.reverse, !way.delayed);
  if (!way.delayed) return {worth * delayed_by_one(h, way), worth};
  Way back = way;
  back.reverse = !way.reverse;
  return {delayed_by_one(worth, back) * h, worth};
}

// One pass along the axis for every line, with the last element carried; lanes are lines side by side.
void emit_recurrence(ElementContext& e, LoopWriter& loops, const Node& n) {
  const Dims& dims = n.types[0].dims;
  const DType dtype = n.types[0].dtype;
  const Way way(n);
  over_lines(loops, dims, way.axis, true, [&](Index at) {
    loops.carry(dims[way.axis], {e.literal(dtype, 0)}, [&](const Dim& k, const std::vector<Expr>& carried) {
      at[way.axis] = way.reverse ? dims[way.axis] - Dim(1) - k : k;
      const Expr a = e.element(n.operands[0], at), b = e.element(n.operands[1], at);
      if (way.delayed) {  // what is carried is multiplied already
        const Expr h = e.op("add", {carried[0], b});
        loops.store(at, h);
        return std::vector<Expr>{e.op("mul", {a, h})};
      }
      const Expr more = e.op("add", {e.op("mul", {a, carried[0]}), b});
      const Expr first = e.op("eq", {e.index(k), e.literal(DType::kI32, 0)});
      const Expr h = e.op("select", {first, b, more});  // the first factor has nothing to multiply, not even 0
      loops.store(at, h);
      return std::vector<Expr>{h};
    });
  });
}

AxisMap recurrence_axes(const Node& n) {
  AxisMap map = lines_along_axis(n);
  for (std::size_t i = 0, count = map.related.size(); i < count; ++i)
    map.related.push_back({1, map.related[i].operand_axis, map.related[i].result_axis});
  return map;
}

}  // namespace

V recurrence(V a, V b, std::int64_t axis, bool reverse, bool delayed) {
  return {a.b, a.b->make("recurrence", {a, b}, {{"axis", axis}, {"reverse", reverse}, {"delayed", delayed}})};
}

std::vector<OpDef> recurrence_ops() {
  OpDef d;
  d.name = "recurrence";
  d.arity = 2;
  d.traits = kFolding | kOwnLoops;
  d.infer = infer_recurrence;
  d.vjp = recurrence_rule;
  d.eval = eval_recurrence;
  d.lower = LoopLowering{emit_recurrence};
  d.axes = recurrence_axes;
  d.batch = [](BatchContext& c) -> Values {
    return {remade(c, {c.operand(0), c.operand(1)}, "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
  };
  d.dtypes = kFloats;
  d.domain = {.low = -1.2, .high = 1.2};  // of which products stay small
  d.tolerance = 0;
  d.doc = "a times the element before plus b, along an axis from its begin or its end (reverse); with `delayed`, a is "
          "that of the place before.";
  d.signature = "recurrence(a: T[..], b: T[..]) {axis, reverse, delayed} -> T[..]";
  d.on_nan = OnNan::kDropped;  // one factor is read by nothing
  d.error = recurrence_error;
  return {d};
}

}  // namespace gcompile::ir
