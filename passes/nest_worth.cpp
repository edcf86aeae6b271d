#include "gcompile/passes/nest_worth.h"

#include <algorithm>
#include <optional>

#include "gcompile/ir/op.h"
#include "gcompile/passes/alternatives.h"
#include "gcompile/passes/estimate.h"
#include "gcompile/passes/places.h"

namespace gcompile::passes {
namespace {

using ir::Node;
using ir::Value;

// Extents of the axes of a dot's operand that are contracted, or of its free ones, multiplied.
Dim extent_of(const Node& dot, std::size_t operand, bool contracted) {
  const auto &sums = dot.attrs.ints(operand == 0 ? "lhs_contract" : "rhs_contract"),
             &batch = dot.attrs.ints(operand == 0 ? "lhs_batch" : "rhs_batch");
  const auto is = [](const std::vector<std::int64_t>& axes, int a) {
    return std::find(axes.begin(), axes.end(), a) != axes.end();
  };
  const Type& t = dot.operands[operand].type();
  Dim product = 1;
  for (int a = 0; a < t.rank(); ++a)
    if (!is(batch, a) && is(sums, a) == contracted) product *= t.dim(a);
  return product;
}

// The extents of the matrix of a dot in a nest: of its uniform operand, the sums over the samples, or the result of
// each sample. Nothing where they are not constant, or there is no such matrix.
std::optional<std::pair<std::int64_t, std::int64_t>> matrix_of(const Node& dot, const NestPlan& plan) {
  const auto category = [&](std::size_t i) { return plan.category.at(dot.operands[i].node); };
  Dim rows = 0, columns = 0;
  if (category(0) == Category::kCarried && category(1) == Category::kCarried) {
    rows = extent_of(dot, 0, false);
    columns = extent_of(dot, 1, false);
  } else if (plan.category.at(&dot) == Category::kCarried && category(0) != category(1)) {
    const std::size_t uniform = category(0) == Category::kUniform ? 0 : 1;
    rows = extent_of(dot, uniform, false);
    columns = extent_of(dot, uniform, true);
  }
  if (!rows.is_constant() || !columns.is_constant() || rows.is(0)) return std::nullopt;
  return std::pair(rows.constant(), columns.constant());
}

// A dot of a nest with a matrix that is large enough for tiles. Both of its extents count; the samples do not.
const Node* better_in_tiles(const Nodes& computed, const NestPlan& plan, const Target& target) {
  constexpr std::int64_t kNarrow = 8;  // tiles along a shorter axis are mostly empty
  for (const Node* n : computed) {
    if (!n->op->is(ir::kContraction)) continue;
    const auto matrix = matrix_of(*n, plan);
    if (!matrix) continue;
    const auto [rows, columns] = *matrix;
    if (std::min(rows, columns) >= kNarrow && rows * columns >= target.tile_elements) return n;
  }
  return nullptr;
}

// " (estimates ...)" of all dots in a nest and in tiles, or nothing: for --explain, they decide nothing.
std::string forms_of_dots(const Nodes& computed, const NestPlan& plan, const Target& target) {
  Matrices matrices;
  for (const Node* n : computed)
    if (n->op->is(ir::kContraction))
      if (const auto m = matrix_of(*n, plan))
        matrices.emplace_back(static_cast<double>(m->first), static_cast<double>(m->second));
  if (matrices.empty()) return "";
  const std::int64_t samples = plan.extent.is_constant() ? plan.extent.constant() : kTypicalExtent;
  const std::string anchor = plan.extent.is_constant() ? "the batch" : plan.extent.str();
  return " (" + nest_or_tiles(matrices, anchor, static_cast<double>(samples), target) + ")";
}

// A sum at indices of a nest that is faster in loops: those go from an update to its element, a nest asks for every
// element of a sample whether an update is its own.
const Node* better_in_loops(const Nodes& computed, const NestPlan& plan, const AxisClasses& classes, int anchor,
                            const Target& target) {
  for (const Node* n : computed) {
    if (!std::holds_alternative<ir::ScatterLowering>(n->op->lower)) continue;
    if (plan.category.at(n) == Category::kUniform) continue;
    const auto without_anchor = [&](Value v) {
      std::int64_t size = 1;
      for (int a = 0; a < v.type().rank(); ++a)
        if (a != classes.find(v, anchor)) size *= v.type().dim(a).constant();
      return size;
    };
    if (without_anchor({n, 0}) * without_anchor(n->operands[1]) >= target.tile_elements) return n;
  }
  return nullptr;
}

// A value per sample that is read from memory and is so wide that lanes along it are full, in a nest that contracts
// nothing.
const Node* wide_argument(const Nodes& computed, const NestPlan& plan, const AxisClasses& classes, int anchor) {
  constexpr std::int64_t kWide = 4 * ir::kLanes;
  if (plan.carried_dots > 0) return nullptr;
  for (const Node* n : computed) {
    if (n->op->is(ir::kContraction)) return nullptr;
    for (const Value& v : n->operands) {
      if (!v.node->op->is(ir::kLeaf) || plan.category.at(v.node) != Category::kCarried) continue;
      std::int64_t width = 1;
      for (int a = 0; a < v.type().rank(); ++a)
        if (a != classes.find(v, anchor)) width *= v.type().dim(a).constant();
      if (width >= kWide) return v.node;
    }
  }
  return nullptr;
}

}  // namespace

std::int64_t frame_bytes(const std::unordered_set<const Node*>& placed, const NestPlan* plan,
                         const AxisClasses* classes, int anchor_class) {
  std::int64_t bytes = 0;
  for (const Node* n : placed) {
    std::int64_t size = static_cast<std::int64_t>(size_of(n->types[0].dtype));
    const int p = plan ? classes->find({n, 0}, anchor_class) : -1;
    for (int a = 0; a < n->types[0].rank(); ++a)
      if (a != p) size *= n->types[0].dim(a).constant();
    const bool lanes = plan && plan->category.at(n) != Category::kUniform;
    bytes += size * (lanes ? ir::kLanes : 1);
  }
  return bytes;
}

std::pair<std::string, bool> worth_a_nest(const Nodes& computed, const std::vector<Value>& outputs,
                                          const NestPlan& plan, const AxisClasses& classes, int anchor,
                                          const Target& target) {
  const bool folds_features = std::any_of(computed.begin(), computed.end(), [&](const Node* n) {
    return n->op->is(ir::kReduction) && plan.category.at(n) == Category::kCarried;
  });
  if (plan.reductions - plan.scatters + plan.carried_dots == 0 && !folds_features)
    return {"nothing is contracted or summed along the samples", false};
  if (const Node* wide = wide_argument(computed, plan, classes, anchor))
    return {wide->types[0].str() + " has rows that fill the lanes", false};
  if (const Node* dot = better_in_tiles(computed, plan, target))
    return {"the dot " + dot->operands[0].type().str() + " x " + dot->operands[1].type().str() + " is faster in tiles" +
                forms_of_dots(computed, plan, target),
            false};
  if (const Node* scatter = better_in_loops(computed, plan, classes, anchor, target))
    return {"the " + std::string(scatter->op->name) + " to " + scatter->types[0].str() + " is faster in loops", false};
  const std::int64_t bytes = frame_bytes(placed_nodes(computed, outputs), &plan, &classes, anchor);
  if (bytes > target.stack_limit)
    return {std::to_string(bytes) + " bytes of values per tile, more than " + std::to_string(target.stack_limit),
            false};
  return {"anchored nest over " + plan.extent.str() + ": " + std::to_string(plan.reductions) +
              " reductions over the anchor, " + std::to_string(bytes) + " bytes of values per tile" +
              forms_of_dots(computed, plan, target),
          true};
}

}  // namespace gcompile::passes
