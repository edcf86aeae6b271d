// Leaves: what a graph starts from.
#include "gcompile/ir/ops/eval.h"
#include "gcompile/ir/ops/expand.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

Type declared(const InferContext& c) {
  const Dims& dims = attribute<Dims>(c, "dims");
  check_dims(c, dims);
  return {attribute<DType>(c, "dtype"), dims};
}

std::vector<Type> infer_named(const InferContext& c) {
  only_attributes(c, {"name", "dtype", "dims"});
  attribute<std::string>(c, "name");
  return {declared(c)};
}

std::vector<Type> infer_constant(const InferContext& c) {
  only_attributes(c, {"value"});
  const AttrValue* v = c.attrs.find("value");
  const Array* a = v ? std::get_if<Array>(v) : nullptr;
  if (!a) c.fail("attribute 'value' must be an array");
  return {Type::of(a->dtype(), a->shape())};
}

std::vector<Type> infer_iota(const InferContext& c) {
  only_attributes(c, {"dtype", "dims", "axis"});
  const Type t = declared(c);
  if (t.dtype == DType::kBool) c.fail("makes numbers, not bool");
  const Dim& extent = t.dim(axis_attribute(c, "axis", t.rank()));
  if (is_integer(t.dtype) && extent.is_constant() && !extent.is(0) && !range_of(t.dtype).holds(extent.constant() - 1))
    c.fail("counts to " + std::to_string(extent.constant() - 1) + ", and " + std::string(name(t.dtype)) +
           " holds the integers " + std::to_string(range_of(t.dtype).min) + " .. " +
           std::to_string(range_of(t.dtype).max));
  return {t};
}

// Whether an i32 may not hold the number, or an index that is smaller: the bounds of a symbol are such that it does.
bool is_wide(const Dim& d) { return !d.as_symbol() && !(d.is_constant() && d.constant() <= INT32_MAX); }
DType counted_in(const Dim& d) { return is_wide(d) ? DType::kI64 : DType::kI32; }

std::vector<Array> eval_iota(const EvalContext& c) {
  const auto axis = static_cast<std::size_t>(c.node.attrs.get<std::int64_t>("axis"));
  Array out = Array::uninitialized(c.dtype(), c.shape());
  std::int64_t i = 0;
  for_each_index(c.shape(), [&](const Position& index) { out.set_integer(i++, index[axis]); });
  return {out};
}

std::vector<Type> infer_dim(const InferContext& c) {
  only_attributes(c, {"dtype", "value"});
  if (attribute<Dims>(c, "value").size() != 1) c.fail("the attribute value must be one extent");
  if (attribute<DType>(c, "dtype") == DType::kBool) c.fail("makes a number, not bool");
  return {{attribute<DType>(c, "dtype"), {}}};
}

Array scalar(DType dtype, std::int64_t value) {
  Array out(dtype, Shape{});
  out.set_integer(0, value);
  return out;
}

}  // namespace

std::vector<OpDef> leaf_ops() {
  std::vector<OpDef> ops;
  ops.push_back({.name = "input",
                 .arity = 0,
                 .traits = kLeaf,
                 .infer = infer_named,
                 .doc = "An argument of the function.",
                 .signature = "input {name, dtype, dims} -> T[dims]"});
  ops.push_back({.name = "state",
                 .arity = 0,
                 .traits = kLeaf,
                 .infer = infer_named,
                 .doc = "A tensor that outlives the graph, as it was before all updates.",
                 .signature = "state {name, dtype, dims} -> T[dims]"});
  ops.push_back({.name = "constant",
                 .arity = 0,
                 .traits = kLeaf,
                 .infer = infer_constant,
                 .eval = [](const EvalContext& c) -> std::vector<Array> { return {c.node.attrs.get<Array>("value")}; },
                 .doc = "A value known when the graph is made.",
                 .signature = "constant {value} -> T[..]"});
  ops.push_back({.name = "iota",
                 .arity = 0,
                 .traits = kLeaf,
                 .infer = infer_iota,
                 .eval = eval_iota,
                 .lower = CustomLowering{[](ElementContext& e, const Node& n, const Index& at) {
                   const auto axis = static_cast<std::size_t>(n.attrs.get<std::int64_t>("axis"));
                   return e.cast(e.index(at[axis], counted_in(n.types[0].dims[axis])), n.types[0].dtype);
                 }},
                 .needs = [](const Node& n) -> std::vector<Need> {
                   const Type& t = n.types[0];
                   if (!is_integer(t.dtype) || t.dtype == DType::kI64) return {};
                   const std::int64_t axis = n.attrs.get<std::int64_t>("axis"), most = range_of(t.dtype).max;
                   return {{Dim(most) + Dim(1) - t.dim(axis), 0,
                            "it counts to " + (t.dim(axis) - Dim(1)).str() + ", and " + std::string(name(t.dtype)) +
                                " holds integers up to " + std::to_string(most)}};
                 },
                 .doc = "The index along one axis.",
                 .signature = "iota {dtype, dims, axis} -> T[dims]"});
  ops.push_back({.name = "dim",
                 .arity = 0,
                 .traits = kLeaf,
                 .infer = infer_dim,
                 .eval = [](const EvalContext& c) -> std::vector<Array> {
                   return {scalar(c.dtype(), c.node.attrs.dims("value")[0].evaluate(c.dims))};
                 },
                 .lower = CustomLowering{[](ElementContext& e, const Node& n, const Index&) {
                   const Dim& value = n.attrs.dims("value")[0];
                   return e.cast(e.index(value, counted_in(value)), n.types[0].dtype);
                 }},
                 .doc = "The value of an expression over symbolic extents, as a scalar.",
                 .signature = "dim {dtype, value} -> T[]"});
  return ops;
}

}  // namespace gcompile::ir
