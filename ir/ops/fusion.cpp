// fusion: a group of nodes that becomes one kernel; made by the pass fuse.
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/families.h"
#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {
namespace {

std::vector<Type> infer_fusion(const InferContext& c) {
  only_attributes(c, {"kind", "anchor", "rows", "reason"});
  if (c.bodies.size() != 1) c.fail("a fusion has a body");
  const Graph& body = *c.bodies[0];
  const auto& kind = attribute<std::string>(c, "kind");
  if (kind != "nest" && kind != "rows" && kind != "loops") c.fail("kind '" + kind + "' is not nest, rows or loops");
  if (body.inputs.size() != c.operands.size())
    c.fail("the body has " + std::to_string(body.inputs.size()) + " inputs, the fusion " +
           std::to_string(c.operands.size()) + " operands");
  if (attribute<Ints>(c, "anchor").size() != c.operands.size()) c.fail("attribute 'anchor' has one entry per operand");
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    const std::int64_t axis = c.attrs.ints("anchor")[i];
    if (axis < -1 || axis >= c.operands[i].rank())
      c.fail("the anchor of operand " + std::to_string(i) + " is axis " + std::to_string(axis) + " of " +
             c.operands[i].str());
    if (!(body.inputs[i].value.type() == c.operands[i]))
      c.fail("operand " + std::to_string(i) + " is " + c.operands[i].str() + ", the body's input " +
             body.inputs[i].value.type().str());
  }
  if (!body.states.empty() || !body.updates.empty()) c.fail("a body has neither states nor updates");
  if ((kind == "rows") != c.attrs.has("rows")) c.fail("attribute 'rows' belongs to kind rows");
  const std::int64_t rows = kind == "rows" ? attribute<std::int64_t>(c, "rows") : 0;
  if (kind == "rows" && rows < 1) c.fail("rows of " + std::to_string(rows) + " axes");
  for (const auto& r : body.results)
    if (r.value.type().rank() < rows)
      c.fail("a result " + r.value.type().str() + " has no rows of " + std::to_string(rows) + " axes");
  std::vector<Type> types;
  for (const auto& r : body.results) types.push_back(r.value.type());
  return types;
}

}  // namespace

std::vector<OpDef> fusion_ops() {
  OpDef d;
  d.name = "fusion";
  d.arity = -1;
  d.traits = 0;
  d.bodies = 1;
  d.eval = [](const EvalContext& c) {
    return interpret(c.node.body(), {c.operands.begin(), c.operands.end()}, {}, c.dims).results;
  };
  d.infer = infer_fusion;
  d.doc = "A group of nodes that becomes one kernel; made by the pass fuse.";
  d.signature = "fusion(operands..) {kind, anchor, rows, reason} {body} -> results of the body";
  return {d};
}

}  // namespace gcompile::ir
