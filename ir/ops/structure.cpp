// concat, pad: ops whose elements come from one of several places.
#include <algorithm>

#include "gcompile/ir/ops/batch.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

// Elements begin .. end of an axis. A slice begins at a constant: what begins elsewhere is gathered.
V sliced(V x, std::size_t axis, const Dim& begin, const Dim& end) {
  if (!begin.is_constant()) {
    const Dims count{end - begin};
    const V along{x.b, x.b->make("iota", {}, {{"dtype", DType::kI32}, {"dims", count}, {"axis", std::int64_t{0}}})};
    const V first = broadcast({x.b, dim_value(*x.b, DType::kI32, begin)}, count, {});
    return {x.b, x.b->make("gather", {x, along + first}, {{"axis", static_cast<std::int64_t>(axis)}})};
  }
  Ints starts(x.type().dims.size(), 0), steps(x.type().dims.size(), 1);
  Dims stops = x.type().dims;
  starts[axis] = begin.constant();
  stops[axis] = end;
  return {x.b, x.b->make("slice", {x.v}, {{"starts", starts}, {"stops", stops}, {"steps", steps}})};
}

// ---- concat

std::vector<Type> infer_concat(const InferContext& c) {
  only_attributes(c, {"axis"});
  if (c.operands.empty()) c.fail("takes at least one operand");
  Type t = c.operands[0];
  const auto axis = static_cast<std::size_t>(axis_attribute(c, "axis", t.rank()));
  t.dims[axis] = 0;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    Type o = c.operands[i];
    if (o.rank() != t.rank() || o.dtype != t.dtype) c.fail("the operands differ in dtype or rank: " + operand_list(c));
    const Dim extent = o.dims[axis];
    o.dims[axis] = t.dims[axis];
    if (!(o == t)) c.fail("the operands differ in more than axis " + std::to_string(axis) + ": " + operand_list(c));
    t.dims[axis] += extent;
  }
  return {t};
}

std::vector<Array> eval_concat(const EvalContext& c) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  Array out = Array::uninitialized(c.dtype(), c.shape());
  std::int64_t offset = 0;
  for (const Array& a : c.operands) {
    scatter(out, a, [&](const Position& at) {
      Position to = at;
      to[axis] += offset;
      return to;
    });
    offset += a.shape()[static_cast<int>(axis)];
  }
  return {out};
}

Values concat_rule(VjpContext& c) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  Values out;
  Dim offset = 0;
  for (const Value& v : c.node.operands) {
    const Dim end = offset + v.type().dims[axis];
    out.push_back(sliced(cotangent(c), axis, offset, end));
    offset = end;
  }
  return out;
}

// From the last operand to the first: where the index is below an operand's end, it is that operand's.
Expr lower_concat(ElementContext& e, const Node& n, const Index& at) {
  const auto axis = static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"));
  std::vector<Dim> begins{0};
  for (const Value& v : n.operands) begins.push_back(begins.back() + v.type().dims[axis]);
  const Expr position = e.index(at[axis]);
  const auto piece = [&](std::size_t i) {
    Index from = at;
    from[axis] = at[axis] - begins[i];
    return e.element(n.operands[i], from);
  };
  const DType dtype = n.types[0].dtype;
  Expr result = e.literal(dtype, 0);
  for (std::size_t i = n.operands.size(); i-- > 0;) {
    const Expr above = e.op("ge", {position, e.index(begins[i])});
    const Expr below = e.op("lt", {position, e.index(begins[i + 1])});
    result = e.guarded(
        e.op("and", {above, below}), [&] { return piece(i); }, result);
  }
  return result;
}

Values batch_concat(BatchContext& c) {
  Values operands;
  for (std::size_t i = 0; i < c.operands.size(); ++i) operands.push_back(c.operand(static_cast<int>(i)));
  return {remade(c, std::move(operands), "axis", c.node.attrs.get<std::int64_t>("axis") + 1)};
}

AxisMap concat_axes(const Node& n) {
  const auto axis = n.attrs.get<std::int64_t>("axis");
  AxisMap map;
  for (int o = 0; o < static_cast<int>(n.operands.size()); ++o)
    for (int a = 0; a < n.types[0].rank(); ++a)
      if (a != axis) map.related.push_back({o, a, a});
  return map;
}

// ---- pad

std::vector<Type> infer_pad(const InferContext& c) {
  only_attributes(c, {"low", "high"});
  Type t = c.operands[0];
  if (c.operands[1].rank() != 0 || c.operands[1].dtype != t.dtype)
    c.fail("the padding value must be a scalar of " + std::string(name(t.dtype)) + ", not " + c.operands[1].str());
  const Ints &low = attribute<Ints>(c, "low"), &high = attribute<Ints>(c, "high");
  if (low.size() != t.dims.size() || high.size() != t.dims.size())
    c.fail("low and high have one entry per axis of " + t.str());
  for (std::size_t a = 0; a < t.dims.size(); ++a) {
    if (low[a] < 0 || high[a] < 0) c.fail("axis " + std::to_string(a) + ": a padding must not be negative");
    t.dims[a] += Dim(low[a]) + Dim(high[a]);
  }
  return {t};
}

std::vector<Array> eval_pad(const EvalContext& c) {
  const Ints& low = c.node.attrs.ints("low");
  Array out = filled(c.operands[1], c.shape());
  scatter(out, c.operands[0], [&](const Position& at) {
    Position to = at;
    for (std::size_t a = 0; a < to.size(); ++a) to[a] += low[a];
    return to;
  });
  return {out};
}

// The value's cotangent is summed over the border alone: the difference of two sums would lose it beside large
// elements.
Values pad_rule(VjpContext& c) {
  const Ints& low = c.node.attrs.ints("low");
  const V g = cotangent(c);
  V inner = g;
  for (std::size_t a = 0; a < low.size(); ++a)
    inner = sliced(inner, a, low[a], Dim(low[a]) + c.operand(0).type().dims[a]);
  Ints all;
  for (int a = 0; a < g.type().rank(); ++a) all.push_back(a);
  if (all.empty()) return {inner, zeros_like(g)};
  const Value inside = splat(c.b, {DType::kBool, c.operand(0).type().dims}, 1), outside = c.b.scalar(DType::kBool, 0);
  const V is_inner{&c.b, c.b.make("pad", {inside, outside}, c.node.attrs)};
  return {inner, reduce("reduce_sum", select(is_inner, zeros_like(g), g), all)};
}

Expr lower_pad(ElementContext& e, const Node& n, const Index& at) {
  const Ints &low = n.attrs.ints("low"), &high = n.attrs.ints("high");
  Expr inside;
  Index from = at;
  const auto also = [&](Expr condition) { inside = inside ? e.op("and", {inside, condition}) : condition; };
  for (std::size_t a = 0; a < at.size(); ++a) {
    from[a] = at[a] - Dim(low[a]);
    if (low[a] > 0) also(e.op("ge", {e.index(at[a]), e.index(low[a])}));
    if (high[a] > 0) also(e.op("lt", {e.index(at[a]), e.index(Dim(low[a]) + n.operands[0].type().dims[a])}));
  }
  if (!inside) return e.element(n.operands[0], from);
  const Expr value = e.element(n.operands[1], {});
  return e.guarded(
      inside, [&] { return e.element(n.operands[0], from); }, value);
}

// A padding value of its own for every element of the batch is chosen where the padding is.
Values batch_pad(BatchContext& c) {
  Ints low = c.node.attrs.ints("low"), high = c.node.attrs.ints("high");
  low.insert(low.begin(), 0);
  high.insert(high.begin(), 0);
  const auto padded = [&](Value x, Value value) {
    return V{&c.b, c.b.make("pad", {x, value}, {{"low", low}, {"high", high}})};
  };
  const Value x = c.operand(0);
  if (!is_batched(c, 1)) return {padded(x, c.operands[1])};
  const V inner = padded(x, c.b.scalar(x.type().dtype, 0));
  const Value inside = splat(c.b, {DType::kBool, x.type().dims}, 1);
  return {select(padded(inside, c.b.scalar(DType::kBool, 0)), inner,
                 broadcast({&c.b, c.operands[1]}, inner.type().dims, {0}))};
}

AxisMap pad_axes(const Node& n) {
  const Ints &low = n.attrs.ints("low"), &high = n.attrs.ints("high");
  AxisMap map;
  for (int a = 0; a < n.types[0].rank(); ++a)
    if (low[static_cast<std::size_t>(a)] == 0 && high[static_cast<std::size_t>(a)] == 0)
      map.related.push_back({0, a, a});
  return map;
}

OpDef structured(std::string_view name, int arity, Infer infer, Eval eval, Vjp vjp,
                 Expr (*lower)(ElementContext&, const Node&, const Index&), AxisRule axes, Batch batch,
                 std::string_view doc, std::string_view signature, OnNan on_nan) {
  OpDef d;
  d.name = name;
  d.arity = arity;
  d.traits = kChoosing;
  d.infer = infer;
  d.vjp = vjp;
  d.eval = eval;
  d.lower = CustomLowering{lower};
  d.axes = axes;
  d.batch = batch;
  d.tolerance = 0;
  d.doc = doc;
  d.signature = signature;
  d.on_nan = on_nan;
  d.error = moved_error;
  return d;
}

}  // namespace

std::vector<OpDef> structure_ops() {
  return {
      structured("concat", -1, infer_concat, eval_concat, concat_rule, lower_concat, concat_axes, batch_concat,
                 "Operands one after the other along an axis.",
                 "concat(x0: T[.., A0, ..], x1: T[.., A1, ..], ..) {axis} -> T[.., A0 + A1 + .., ..]", OnNan::kShown),
      structured("pad", 2, infer_pad, eval_pad, pad_rule, lower_pad, pad_axes, batch_pad,
                 "A scalar around the operand.", "pad(x: T[..], value: T[]) {low, high} -> T[..]", OnNan::kDropped),
  };
}

}  // namespace gcompile::ir
