// Which axes of which values are "the same axis": the equivalence classes of axes under the ops that carry an axis from
// operands to results. It follows the data, never the extents, so a batch of 8 samples with 8 features has two classes,
// and a static and a symbolic batch give the same answer.
#pragma once

#include <vector>

#include "gcompile/ir/op.h"

namespace gcompile::passes {

using ir::AxisRelation;
// What the record of the node's op says.
std::vector<AxisRelation> axis_relations(const ir::Node& node);
std::vector<std::vector<std::pair<int, int>>> folded_axes(const ir::Node& node);

class AxisClasses {
 public:
  explicit AxisClasses(const std::vector<const ir::Node*>& nodes);
  // A number for the class of the axis; equal for axes of one class.
  int of(ir::Value v, int axis) const;
  // The axis of v in the class: -1 when there is none, -2 when there is more than one.
  int find(ir::Value v, int axis_class) const;

 private:
  int id(ir::Value v, int axis) const;
  int root(int i) const;
  void unite(ir::Value a, int axis_a, ir::Value b, int axis_b);
  ir::ValueMap<int> first_;          // id of axis 0
  mutable std::vector<int> parent_;  // union-find, with path halving
};

}  // namespace gcompile::passes
