// legal_nest: the dataflow classification of design's anchored nest. Carried values run along the anchor, reduced ones
// have it summed away, uniform ones never saw it.
#include <variant>

#include "gcompile/ir/op.h"
#include "gcompile/passes/fuse.h"

namespace gcompile::passes {
namespace {

bool folds_axis(const ir::Node& n, int operand, int axis) {
  for (const auto& group : folded_axes(n))
    for (const auto& [o, a] : group)
      if (o == operand && a == axis) return true;
  return false;
}

bool related(const std::vector<AxisRelation>& relations, int operand, int operand_axis, int result_axis) {
  for (const AxisRelation& r : relations)
    if (r.operand == operand && r.operand_axis == operand_axis && r.result_axis == result_axis) return true;
  return false;
}

}  // namespace

std::optional<NestPlan> legal_nest(const std::vector<const ir::Node*>& nodes, const AxisClasses& classes,
                                   int anchor_class, std::string* why) {
  NestPlan plan;
  bool have_extent = false;
  const auto refuse = [&](const ir::Node& n, const std::string& text) {
    *why = std::string(n.op->name) + " " + n.types[0].str() + ": " + text;
    return std::nullopt;
  };
  for (const ir::Node* node : nodes) {
    const ir::Node& n = *node;
    if (n.types.size() != 1) return refuse(n, "several results");
    if (n.op->is(ir::kOwnLoops)) return refuse(n, "is made by loops of its own");
    const int p = classes.find({node, 0}, anchor_class);
    if (p == -2) return refuse(n, "has the anchor twice");
    for (int a = 0; a < n.types[0].rank(); ++a)
      if (a != p && !n.types[0].dim(a).is_constant()) return refuse(n, "another symbolic axis");
    if (p >= 0 && !have_extent) {
      plan.extent = n.types[0].dim(p);
      have_extent = true;
    }
    bool any_reduced = false, any_carried = false;
    const auto relations = axis_relations(n);
    for (int o = 0; o < static_cast<int>(n.operands.size()); ++o) {
      const ir::Value v = n.operands[static_cast<std::size_t>(o)];
      const Category c = plan.category.at(v.node);
      any_reduced |= c == Category::kReduced;
      if (c != Category::kCarried) continue;
      any_carried = true;
      const int a = classes.find(v, anchor_class);
      if (p >= 0 && !related(relations, o, a, p)) return refuse(n, "reads other samples");
      if (p < 0 && !folds_axis(n, o, a)) return refuse(n, "mixes samples");
    }
    if (p >= 0) {
      if (any_reduced) return refuse(n, "a value per sample depends on a sum over samples");
      plan.category[node] = Category::kCarried;
      if (n.op->is(ir::kContraction)) ++plan.carried_dots;
    } else if (any_carried) {
      if (any_reduced) return refuse(n, "mixes values per sample with sums over samples");
      for (const ir::Value& v : n.operands)
        if (plan.category.at(v.node) != Category::kCarried) return refuse(n, "contracts samples with a uniform value");
      plan.category[node] = Category::kReduced;
      ++plan.reductions;
      plan.scatters += std::holds_alternative<ir::ScatterLowering>(n.op->lower);
    } else {
      plan.category[node] = any_reduced ? Category::kReduced : Category::kUniform;
    }
  }
  if (!have_extent) {
    *why = "no value has the anchor";
    return std::nullopt;
  }
  return plan;
}

}  // namespace gcompile::passes
