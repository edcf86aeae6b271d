#include "gcompile/passes/fold.h"

#include <algorithm>
#include <cstring>

#include "gcompile/base/error.h"
#include "gcompile/ir/build.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/op.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

constexpr std::int64_t kMostOperandElements = 1 << 20;  // evaluating more would be felt in the compile time

bool is_broadcast(const Node& node) { return node.op->is(ir::kRepeating); }

bool is_constant(Value v) {
  while (is_broadcast(*v.node)) v = v.node->operands[0];
  return v.node->op->name == "constant" || v.node->op->name == "iota";
}

// Whether compiled code gives the interpreter's very bits. An approximated function or a sum of floats does not, and is
// left for the run: what is constant for one batch size is computed for another, and both must give the same bits.
bool same_when_compiled(const Node& node) {
  if (!is_float(node.types[0].dtype) || node.op->is(ir::kView)) return true;
  if (const auto* e = std::get_if<ir::ElementLowering>(&node.op->lower)) return !e->expand || node.op->tolerance == 0;
  if (const auto* r = std::get_if<ir::ReduceLowering>(&node.op->lower)) return r->any_order;
  return !node.op->is(ir::kContraction) && !node.op->is(ir::kFolding);
}

bool worth_it(const Node& node) {
  if (!same_when_compiled(node)) return false;
  if (is_broadcast(node) || !node.bodies.empty() || node.operands.empty() || node.types.size() != 1) return false;
  std::int64_t elements = 0;
  for (const Value& v : node.operands) {
    if (!is_constant(v) || !v.type().is_static()) return false;
    elements += v.type().shape().size();
  }
  if (!node.types[0].is_static() || elements > kMostOperandElements) return false;
  return node.types[0].shape().size() <= std::max(elements, kFoldedElements);
}

std::optional<Array> evaluate(const ir::Graph& graph, Value v) {
  ir::Graph alone("constant");
  alone.arena = graph.arena;
  alone.results = {{v, ""}};
  try {
    return ir::interpret(alone, {}).results.at(0);
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool all_equal(const Array& a) {
  const auto* bytes = static_cast<const char*>(a.raw());
  const std::size_t width = size_of(a.dtype());
  for (std::size_t i = 1; i < static_cast<std::size_t>(a.size()); ++i)
    if (std::memcmp(bytes, bytes + i * width, width) != 0) return false;
  return a.size() > 0;
}

Array first_of(const Array& a) {
  Array scalar = Array::uninitialized(a.dtype(), Shape{});
  std::memcpy(scalar.raw(), a.raw(), scalar.bytes());
  return scalar;
}

}  // namespace

ir::Graph fold(const ir::Graph& graph, const PassContext&) {
  return ir::rewrite(
      graph,
      [](const Node& node, const std::vector<Value>& operands, ir::Builder& b) -> std::optional<ir::Replacement> {
        if (!std::all_of(operands.begin(), operands.end(), is_constant)) return std::nullopt;
        const Value v = operands == node.operands ? node.result() : b.make(*node.op, operands, node.attrs, node.bodies);
        if (!worth_it(*v.node)) return std::nullopt;
        const auto value = evaluate(b.graph(), v);
        if (!value) return std::nullopt;
        if (value->rank() > 0 && all_equal(*value)) return ir::Replacement{ir::splat(b, v.type(), first_of(*value))};
        return ir::Replacement{b.constant(*value)};
      });
}

}  // namespace gcompile::passes
