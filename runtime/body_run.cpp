#include "gcompile/runtime/body_run.h"

#include <algorithm>
#include <cmath>

#include "gcompile/ir/bind_symbols.h"
#include "gcompile/ir/control.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/eval.h"

namespace gcompile::runtime {
namespace {

bool any_has_nan(std::span<const Array> values) {
  return std::any_of(values.begin(), values.end(), [](const Array& a) { return has_nan(a); });
}

BodyRun guilty_step(const ir::Node& n, const ir::ControlParts& parts, const std::vector<Array>& operands,
                    const Symbols& symbols) {
  const bool counted = parts.kind == ir::ControlParts::Kind::kLoop;
  const ir::Graph& body = n.body(counted ? 0 : 1);
  const std::int64_t steps = counted ? parts.steps.evaluate(symbols) : 0;
  std::vector<Array> given = operands;
  BodyRun guilty{&body, {}, ""};
  bool returned = false;
  for (std::int64_t step = 0; !returned && (!counted || step < steps); ++step) {
    const std::int64_t t = parts.reverse ? steps - 1 - step : step;
    for (std::size_t i = 0; i < given.size(); ++i)
      if (parts.is_sequence(i)) given[i] = ir::leading_element(operands[i], t);
    if (!counted && ir::interpret(n.body(0), given, {}, symbols).results[0].item() == 0) break;
    if (!any_has_nan(given))
      guilty = {&body, given, "step " + std::to_string(t) + " of the " + std::string(n.op->name)};
    std::vector<Array> made = ir::interpret(body, given, {}, symbols).results;
    returned = any_has_nan(std::span(made).subspan(parts.carries));
    std::move(made.begin(), made.begin() + static_cast<std::ptrdiff_t>(parts.carries), given.begin());
  }
  return guilty;
}

}  // namespace

Symbols symbols_of(const ir::Graph& graph, const std::vector<Array>& inputs) {
  std::vector<Type> types;
  std::vector<Shape> shapes;
  const auto add = [&](const Type& type, const Array& value) {
    types.push_back(type);
    shapes.push_back(value.shape());
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) add(graph.inputs[i].value.type(), inputs[i]);
  for (const auto& s : graph.states)
    if (s.storage) add(s.logical_type(), s.storage->value());
  Symbols symbols;
  ir::bind_symbols(types, shapes, symbols);
  return symbols;
}

bool has_nan(const Array& a) {
  if (!is_float(a.dtype())) return false;
  for (std::int64_t i = 0; i < a.size(); ++i)
    if (std::isnan(a.at(i))) return true;
  return false;
}

BodyRun guilty_run(const ir::Node& n, const std::vector<Array>& operands, const Symbols& symbols) {
  using Kind = ir::ControlParts::Kind;
  const ir::ControlParts parts = ir::control_parts(n);
  if (parts.is_loop()) return guilty_step(n, parts, operands, symbols);
  std::vector<Array> given(operands.begin() + static_cast<std::ptrdiff_t>(parts.deciding), operands.end());
  const std::string op(n.op->name);
  if (parts.kind == Kind::kCall) return {&n.body(), std::move(given), "the body of the " + op};
  return {&n.body(operands[0].item() != 0 ? 0 : 1), std::move(given), "a branch of the " + op};
}

}  // namespace gcompile::runtime
