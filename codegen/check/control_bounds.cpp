#include "gcompile/codegen/check/control_bounds.h"

#include <limits>

#include "gcompile/ir/control.h"
#include "gcompile/ir/ops/eval.h"

namespace gcompile::codegen {
namespace {

using ir::Node;

bool is_certain(const Bounded& condition) { return condition.error.item() == 0; }

void forget(std::vector<Bounded>& values) {
  for (Bounded& v : values)
    v.error = Array::full(DType::kF64, v.error.shape(), std::numeric_limits<double>::infinity());
}

std::vector<Bounded> run_loop(const Node& node, const ir::ControlParts& s, const std::vector<const Bounded*>& operands,
                              const std::map<std::string, std::int64_t>& dims, const BoundedBody& run) {
  const std::int64_t steps = s.steps.evaluate(dims);
  std::vector<Bounded> results;
  for (std::size_t r = 0; r < node.types.size(); ++r) {
    if (r < s.carries) {
      results.push_back(*operands[r]);
      continue;
    }
    std::vector<std::int64_t> extents;
    for (const Dim& d : node.types[r].dims) extents.push_back(d.evaluate(dims));
    results.push_back({Array(node.types[r].dtype, Shape(extents)), Array(DType::kF64, Shape(extents))});
  }
  for (std::int64_t step = 0; step < steps; ++step) {
    const std::int64_t t = s.reverse ? steps - 1 - step : step;
    std::vector<Bounded> given;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      if (s.is_carry(i))
        given.push_back(results[i]);
      else if (s.is_sequence(i))
        given.push_back({ir::leading_element(operands[i]->value, t), ir::leading_element(operands[i]->error, t)});
      else
        given.push_back(*operands[i]);
    }
    std::vector<Bounded> made = run(node.body(), std::move(given));
    for (std::size_t r = 0; r < results.size(); ++r) {
      if (r < s.carries) {
        results[r] = std::move(made[r]);
        continue;
      }
      ir::set_leading_element(results[r].value, t, made[r].value);
      ir::set_leading_element(results[r].error, t, made[r].error);
    }
  }
  return results;
}

std::vector<Bounded> run_while(const Node& node, std::vector<Bounded> given, const BoundedBody& run) {
  bool certain = true;
  for (;;) {
    const std::vector<Bounded> goes_on = run(node.body(0), given);
    certain &= is_certain(goes_on[0]);
    if (goes_on[0].value.item() == 0) break;
    std::vector<Bounded> next = run(node.body(1), given);
    std::move(next.begin(), next.end(), given.begin());
  }
  given.resize(node.types.size());
  if (!certain) forget(given);
  return given;
}

}  // namespace

std::vector<Bounded> run_bodies(const Node& node, const std::vector<const Bounded*>& operands,
                                const std::map<std::string, std::int64_t>& dims, const BoundedBody& run) {
  using Kind = ir::ControlParts::Kind;
  const ir::ControlParts parts = ir::control_parts(node);
  if (parts.kind == Kind::kLoop) return run_loop(node, parts, operands, dims, run);
  std::vector<Bounded> given;
  for (std::size_t i = parts.deciding; i < operands.size(); ++i) given.push_back(*operands[i]);
  if (parts.kind == Kind::kWhile) return run_while(node, std::move(given), run);
  if (parts.kind == Kind::kCall) return run(node.body(), std::move(given));
  const Bounded& condition = *operands[0];
  std::vector<Bounded> results = run(node.body(condition.value.item() != 0 ? 0 : 1), std::move(given));
  if (!is_certain(condition)) forget(results);
  return results;
}

}  // namespace gcompile::codegen
