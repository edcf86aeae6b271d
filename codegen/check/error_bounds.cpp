#include "gcompile/codegen/check/error_bounds.h"

#include <cmath>

#include "gcompile/base/error.h"
#include "gcompile/codegen/check/control_bounds.h"
#include "gcompile/ir/interpreter.h"
#include "gcompile/ir/ops/errors.h"

namespace gcompile::codegen {
namespace {

using ir::Node;
using Values = ir::ValueMap<Bounded>;

Values evaluate(const ir::Graph& graph, Values values, const std::map<std::string, std::int64_t>& dims) {
  for (const Node* node : graph.topological()) {
    if (values.count({node, 0})) continue;
    std::vector<const Bounded*> operands;
    for (const ir::Value& v : node->operands) operands.push_back(&values.at(v));
    std::vector<Bounded> results = evaluate_all_with_bounds(*node, operands, dims);
    for (std::size_t r = 0; r < results.size(); ++r) values[{node, static_cast<int>(r)}] = std::move(results[r]);
  }
  return values;
}

}  // namespace

std::vector<Bounded> evaluate_all_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                                              const std::map<std::string, std::int64_t>& dims) {
  if (node.bodies.empty()) return {evaluate_with_bounds(node, operands, dims)};
  return run_bodies(node, operands, dims, [&](const ir::Graph& body, std::vector<Bounded> inputs) {
    Values inner;
    for (std::size_t i = 0; i < inputs.size(); ++i) inner[body.inputs[i].value] = std::move(inputs[i]);
    inner = evaluate(body, std::move(inner), dims);
    std::vector<Bounded> results;
    for (const auto& r : body.results) results.push_back(inner.at(r.value));
    return results;
  });
}

Bounded evaluate_with_bounds(const ir::Node& node, const std::vector<const Bounded*>& operands,
                             const std::map<std::string, std::int64_t>& dims) {
  std::vector<Array> arrays, errors;
  for (const Bounded* b : operands) {
    arrays.push_back(b->value);
    errors.push_back(b->error);
  }
  if (!node.op->error) throw InternalError("error_bounds: the op " + std::string(node.op->name) + " has no rule");
  Array value = ir::evaluate(node, arrays, dims)[0];
  Array error = node.op->error({node, arrays, errors, value, dims});
  for (double& e : error.mutable_data<double>())
    if (std::isnan(e)) e = ir::kUnknown;
  return {std::move(value), std::move(error)};
}

ir::ValueMap<Bounded> evaluate_with_bounds(const ir::Graph& graph, const std::vector<Array>& inputs,
                                           const std::vector<Array>& states,
                                           const std::map<std::string, std::int64_t>& dims) {
  Values values;
  const auto exact = [](const Array& a) { return Bounded{a, Array(DType::kF64, a.shape())}; };
  for (std::size_t i = 0; i < graph.inputs.size(); ++i) values[graph.inputs[i].value] = exact(inputs[i]);
  for (std::size_t i = 0; i < graph.states.size(); ++i)
    values[graph.states[i].value] = exact(in_order(states[i], graph.states[i].order));
  return evaluate(graph, std::move(values), dims);
}

}  // namespace gcompile::codegen
