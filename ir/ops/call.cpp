// Calls: bodies that the pass `inline` puts in their place, once gradients have been taken. checkpoint computes its
// values again for the gradient, in place of keeping them; custom_vjp has a gradient that somebody else has written.
#include <algorithm>

#include "gcompile/ir/inline.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/batch_bodies.h"
#include "gcompile/ir/ops/bodies.h"
#include "gcompile/ir/ops/errors.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::vector<Array> eval_call(const EvalContext& c) {
  return interpret(c.node.body(), {c.operands.begin(), c.operands.end()}, {}, c.dims).results;
}

std::vector<Type> infer_checkpoint(const InferContext& c) {
  only_attributes(c, {});
  return result_types(body_for(c, 0, {c.operands.begin(), c.operands.end()}));
}

// Behind a barrier the body's values are others than those of the forward pass, so nothing merges them, and they are
// not made before the cotangent is there.
Values checkpoint_rule(VjpContext& c) {
  std::vector<Value> given, wrt;
  const Value after = *std::find_if(c.cotangents.begin(), c.cotangents.end(), [](Value g) { return bool(g); });
  for (std::size_t i = 0; i < c.node.operands.size(); ++i) {
    given.push_back(c.b.make("barrier", {c.node.operands[i], after}));
    wrt.push_back(c.wants(i) ? given.back() : Value{});
  }
  const std::vector<Value> again = inline_graph(c.b, c.node.body(), given);
  return c.differentiate(c.b, again, c.cotangents, wrt);
}

// ---- barrier

std::vector<Type> infer_barrier(const InferContext& c) {
  only_attributes(c, {});
  return {c.operands[0]};
}

AxisMap barrier_axes(const Node& n) {
  AxisMap map;
  for (int a = 0; a < n.types[0].rank(); ++a) map.related.push_back({0, a, a});
  return map;
}

// ---- custom_vjp

std::vector<Type> infer_custom(const InferContext& c) {
  only_attributes(c, {});
  std::vector<Type> given(c.operands.begin(), c.operands.end());
  const std::vector<Type> types = result_types(body_for(c, 0, given));
  std::vector<Type> wanted;
  std::copy_if(given.begin(), given.end(), std::back_inserter(wanted), [](const Type& t) { return is_float(t.dtype); });
  given.insert(given.end(), types.begin(), types.end());
  given.insert(given.end(), types.begin(), types.end());  // the cotangents
  for (const Type& t : types)
    if (!is_float(t.dtype)) c.fail("a result is " + t.str() + "; results have cotangents, so they are floats");
  const std::vector<Type> returned = result_types(body_for(c, 1, given));
  const auto text = [](const std::vector<Type>& list) {
    std::string s;
    for (const Type& t : list) s += (s.empty() ? "" : ", ") + t.str();
    return "(" + s + ")";
  };
  if (returned != wanted)
    c.fail("the gradient returns " + text(returned) + ", the floats among the operands are " + text(wanted));
  return types;
}

Values custom_rule(VjpContext& c) {
  std::vector<Value> given = c.node.operands;
  for (int r = 0; r < static_cast<int>(c.node.types.size()); ++r) given.push_back(c.result(r));
  for (std::size_t r = 0; r < c.node.types.size(); ++r)
    given.push_back(c.cotangents[r] ? c.cotangents[r] : splat(c.b, c.node.types[r], 0));
  const std::vector<Value> gradients = inline_graph(c.b, c.node.body(1), given);
  Values result(c.node.operands.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < result.size(); ++i)
    if (is_float(c.node.operands[i].type().dtype)) result[i] = gradients[next++];
  return result;
}

}  // namespace

std::vector<OpDef> call_ops() {
  return {
      {.name = "barrier",
       .arity = 2,
       .traits = kChoosing,
       .infer = infer_barrier,
       .vjp = [](VjpContext& c) -> Values {
         return {c.cotangent(), Value{}};
       },
       .eval = [](const EvalContext& c) -> std::vector<Array> { return {c.operands[0]}; },
       .lower = CustomLowering{[](ElementContext& e, const Node& n, const Index& at) {
         return e.element(n.operands[0], at);
       }},
       .axes = barrier_axes,
       .batch = [](BatchContext& c) -> Values {
         return {c.b.make("barrier", {c.operand(0), c.operands[1]})};
       },
       .tolerance = 0,
       .doc = "x, not before `after` is there: what is made of it is merged with nothing that is made of x itself.",
       .signature = "barrier(x: T[..], after: U[..]) -> T[..]",
       .error = [](const ErrorContext& c) { return c.errors[0]; }},
      {.name = "checkpoint",
       .arity = -1,
       .traits = kControl | kInlined,
       .infer = infer_checkpoint,
       .vjp = checkpoint_rule,
       .eval = eval_call,
       .batch = batch_call,
       .doc = "The body; its gradient computes its values again in place of keeping them (rematerialization).",
       .bodies = 1,
       .signature = "checkpoint(operands..) {body} -> results of the body"},
      {.name = "custom_vjp",
       .arity = -1,
       .traits = kControl | kInlined,
       .infer = infer_custom,
       .vjp = custom_rule,
       .eval = eval_call,
       .batch = batch_call,
       .dtypes = kFloats,
       .doc = "The first body; its gradient is the second, of the operands, the results and their cotangents.",
       .bodies = 2,
       .signature = "custom_vjp(operands..) {body, gradient} -> results of the body"},
  };
}

}  // namespace gcompile::ir
