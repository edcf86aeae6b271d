#include "gcompile/passes/axes.h"

#include <algorithm>

namespace gcompile::passes {
namespace {

ir::AxisMap map_of(const ir::Node& n) { return n.op->axes ? n.op->axes(n) : ir::AxisMap{}; }

}  // namespace

std::vector<AxisRelation> axis_relations(const ir::Node& n) { return map_of(n).related; }

std::vector<std::vector<std::pair<int, int>>> folded_axes(const ir::Node& n) { return map_of(n).folded; }

AxisClasses::AxisClasses(const std::vector<const ir::Node*>& nodes) {
  for (const ir::Node* n : nodes)
    for (std::size_t r = 0; r < n->types.size(); ++r) {
      first_[{n, static_cast<int>(r)}] = static_cast<int>(parent_.size());
      for (int a = 0; a < n->types[r].rank(); ++a) parent_.push_back(static_cast<int>(parent_.size()));
    }
  for (const ir::Node* n : nodes) {
    const ir::AxisMap map = map_of(*n);
    for (const AxisRelation& r : map.related)
      unite(n->operands[static_cast<std::size_t>(r.operand)], r.operand_axis, {n, 0}, r.result_axis);
    for (const auto& group : map.folded)
      for (std::size_t i = 1; i < group.size(); ++i)
        unite(n->operands[static_cast<std::size_t>(group[0].first)], group[0].second,
              n->operands[static_cast<std::size_t>(group[i].first)], group[i].second);
  }
}

int AxisClasses::id(ir::Value v, int axis) const { return first_.at(v) + axis; }

int AxisClasses::root(int i) const {
  auto at = [&](int k) -> int& { return parent_[static_cast<std::size_t>(k)]; };
  while (at(i) != i) i = at(i) = at(at(i));
  return i;
}

void AxisClasses::unite(ir::Value a, int axis_a, ir::Value b, int axis_b) {
  const int x = root(id(a, axis_a)), y = root(id(b, axis_b));
  parent_[static_cast<std::size_t>(std::max(x, y))] = std::min(x, y);
}

int AxisClasses::of(ir::Value v, int axis) const { return root(id(v, axis)); }

int AxisClasses::find(ir::Value v, int axis_class) const {
  int found = -1;
  for (int a = 0; a < v.type().rank(); ++a)
    if (of(v, a) == axis_class) found = found == -1 ? a : -2;
  return found;
}

}  // namespace gcompile::passes
