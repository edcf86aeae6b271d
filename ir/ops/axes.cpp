#include "gcompile/ir/ops/axes.h"

#include <algorithm>

namespace gcompile::ir {
namespace {

AxisMap of_elementwise(const Node& n) {
  AxisMap map;
  for (int o = 0; o < static_cast<int>(n.operands.size()); ++o)
    relate_kept(map, o, n.operands[static_cast<std::size_t>(o)].type().rank(), {});
  return map;
}

AxisMap of_reduction(const Node& n) {
  AxisMap map;
  const Ints& axes = n.attrs.ints("axes");
  relate_kept(map, 0, n.operands[0].type().rank(), axes);
  for (const std::int64_t a : axes) map.folded.push_back({{0, static_cast<int>(a)}});
  return map;
}

}  // namespace

AxisRule default_axes(const OpDef& op) {
  if (op.is(kElementwise)) return of_elementwise;
  if (std::holds_alternative<ReduceLowering>(op.lower)) return of_reduction;
  return nullptr;
}

void relate_kept(AxisMap& map, int operand, int rank, const Ints& folded) {
  int r = 0;
  for (int a = 0; a < rank; ++a)
    if (std::find(folded.begin(), folded.end(), a) == folded.end()) map.related.push_back({operand, a, r++});
}

}  // namespace gcompile::ir
