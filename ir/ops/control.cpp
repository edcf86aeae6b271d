// cond: one of two bodies, chosen when it runs. while: a body again and again as long as a condition holds.
#include <algorithm>

#include "gcompile/ir/control.h"
#include "gcompile/ir/inline.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/batch_bodies.h"
#include "gcompile/ir/ops/bodies.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {
namespace {

std::string type_list(const std::vector<Type>& types) {
  std::string text;
  for (const Type& t : types) text += (text.empty() ? "" : ", ") + t.str();
  return "(" + text + ")";
}

// ---- cond

std::vector<Type> infer_cond(const InferContext& c) {
  only_attributes(c, {});
  if (c.operands.empty() || !(c.operands[0] == Type{DType::kBool, {}}))
    c.fail("the condition must be bool[], not " + (c.operands.empty() ? "missing" : c.operands[0].str()));
  const std::vector<Type> given(c.operands.begin() + 1, c.operands.end());
  const std::vector<Type> types = result_types(body_for(c, 0, given)), others = result_types(body_for(c, 1, given));
  if (types != others)
    c.fail("one branch returns " + type_list(types) + ", the other one " + type_list(others) + "; they must agree");
  return types;
}

std::vector<Array> eval_cond(const EvalContext& c) {
  const std::vector<Array> given(c.operands.begin() + 1, c.operands.end());
  return interpret(c.node.body(c.operands[0].item() != 0 ? 0 : 1), given, {}, c.dims).results;
}

// The same condition over the gradients of the branches, each of which computes its values again.
Values cond_rule(VjpContext& c) {
  const std::vector<Value> primals(c.node.operands.begin() + 1, c.node.operands.end());
  std::vector<Value> operands{c.node.operands[0]};
  operands.insert(operands.end(), primals.begin(), primals.end());
  for (const Value& g : c.cotangents)
    if (g) operands.push_back(g);
  Bodies bodies;
  for (const auto& branch : c.node.bodies) {
    auto body = std::make_shared<Graph>("backward");
    body->bounds = c.b.graph().bounds;
    Builder b(*body);
    b.where = c.b.where;
    std::vector<Value> given, cotangents, wrt;
    for (std::size_t i = 0; i < primals.size(); ++i) {
      given.push_back(b.input(branch->inputs[i].name, primals[i].type()));
      wrt.push_back(c.wants(i + 1) ? given.back() : Value{});
    }
    for (const Value& g : c.cotangents) cotangents.push_back(g ? b.input("d", g.type()) : Value{});
    const std::vector<Value> again = inline_graph(b, *branch, given);
    const std::vector<Value> gradients = c.differentiate(b, again, cotangents, wrt);
    for (std::size_t i = 0; i < wrt.size(); ++i)
      if (wrt[i]) body->results.push_back({gradients[i] ? gradients[i] : splat(b, wrt[i].type(), 0), ""});
    bodies.push_back(std::move(body));
  }
  Values result(c.node.operands.size());
  if (bodies[0]->results.empty()) return result;
  const Value made = c.b.make("cond", std::move(operands), {}, std::move(bodies));
  int next = 0;
  for (std::size_t i = 0; i < primals.size(); ++i)
    if (c.wants(i + 1)) result[i + 1] = {made.node, next++};
  return result;
}

// ---- while

std::vector<Type> infer_while(const InferContext& c) {
  only_attributes(c, {"carries"});
  const std::int64_t carries = attribute<std::int64_t>(c, "carries");
  if (carries < 0 || static_cast<std::size_t>(carries) > c.operands.size())
    c.fail("attribute 'carries' is " + std::to_string(carries) + " of " + std::to_string(c.operands.size()) +
           " operands");
  const std::vector<Type> given(c.operands.begin(), c.operands.end());
  const std::vector<Type> condition = result_types(body_for(c, 0, given));
  if (condition != std::vector<Type>{{DType::kBool, {}}})
    c.fail("the condition returns " + type_list(condition) + ", it must be (bool[])");
  const std::vector<Type> types = result_types(body_for(c, 1, given));
  const std::vector<Type> wanted(given.begin(), given.begin() + carries);
  if (types != wanted)
    c.fail("the body returns " + type_list(types) + " for carries " + type_list(wanted) + "; a carry keeps its type");
  return types;
}

std::vector<Array> eval_while(const EvalContext& c) {
  std::vector<Array> given(c.operands.begin(), c.operands.end());
  while (interpret(c.node.body(0), given, {}, c.dims).results[0].item() != 0) {
    std::vector<Array> next = interpret(c.node.body(1), given, {}, c.dims).results;
    std::move(next.begin(), next.end(), given.begin());
  }
  given.resize(c.node.types.size());
  return given;
}

}  // namespace

std::vector<OpDef> control_ops() {
  return {
      {.name = "cond",
       .arity = -1,
       .traits = kControl,
       .infer = infer_cond,
       .vjp = cond_rule,
       .eval = eval_cond,
       .batch = batch_cond,
       .doc = "The results of the first body where the condition holds, else those of the second; the other one is not "
              "run.",
       .bodies = 2,
       .signature = "cond(condition: bool[], operands..) {then, else} -> results of the bodies",
       .control =
           [](const Node&) {
             return ControlParts{ControlParts::Kind::kBranches, 1};
           }},
      {.name = "while",
       .arity = -1,
       .traits = kControl,
       .infer = infer_while,
       .eval = eval_while,
       .batch = batch_while,
       .doc = "The second body again and again as long as the first says true of the carries and the invariants.",
       .no_gradient = "how many steps there are is known only when it has run, so what they computed is not kept; use "
                      "scan with a fixed number of steps, or stop_gradient() around the operands",
       .bodies = 2,
       .signature = "while(carries.., invariants..) {carries} {condition, body} -> carries..",
       .control =
           [](const Node& n) {
             const auto carries = static_cast<std::size_t>(n.attrs.get<std::int64_t>("carries"));
             return ControlParts{ControlParts::Kind::kWhile, 0, carries};
           }},
  };
}

}  // namespace gcompile::ir
