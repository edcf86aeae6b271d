// fuse: groups the nodes of a graph into fusions, one kernel each. After it every node that computes something stands
// in the body of a `fusion` node with attributes
//   kind    "nest"  one loop over an anchor axis, whose lanes are samples (design: anchored nest), or
//           "rows"  one loop over leading axes that all its values share, which makes a row of each (row_groups.h), or
//           "loops" one loop nest per value that gets memory, in order;
//   anchor  for a nest, and for loops that stand for one over a single sample, per body input: the axis that is the
//           anchor, or -1;
//   rows    for rows: how many leading axes;
//   reason  why, for --explain.
// Legality and profitability are apart: legal_nest says whether a class of axes can be the anchor and why not, the
// choice is made by structure alone, never by the extent of a leading axis, so static and symbolic batches give the
// same code. One extent is apart: what would be a nest over a single sample becomes loops (one_sample.h), with the bits
// of that nest.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "gcompile/passes/axes.h"
#include "gcompile/passes/fuse_levels.h"
#include "gcompile/passes/pass.h"

namespace gcompile::passes {

enum class Category { kUniform, kCarried, kReduced };

// What every node of a nest is with respect to an anchor class.
struct NestPlan {
  std::unordered_map<const ir::Node*, Category> category;
  Dim extent = 0;      // of the anchor axis
  int reductions = 0;  // nodes that fold the anchor away
  int scatters = 0;    // of these the sums at indices (ScatterLowering)
  int carried_dots = 0;
};
// The plan, or nothing with `why` set.
std::optional<NestPlan> legal_nest(const std::vector<const ir::Node*>& nodes, const AxisClasses& classes,
                                   int anchor_class, std::string* why);

ir::Graph fuse(const ir::Graph& graph, const PassContext& context);

// The same, and what became of the nodes: one part for every fusion, in order.
struct Fused {
  struct Part {
    ir::Value fusion;                    // its first result
    std::vector<const ir::Node*> nodes;  // of the graph as it was
    std::vector<ir::Value> outputs;      // that its results stand for
  };
  ir::Graph graph;
  std::vector<Part> parts;
};
// `uniform` inputs are no samples. The graph holds no control flow.
Fused fuse_and_tell(const ir::Graph& graph, const PassContext& context, const UniformInputs& uniform = {});

}  // namespace gcompile::passes
