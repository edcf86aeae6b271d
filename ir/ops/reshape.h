// The index arithmetic of reshape.
#pragma once

#include "gcompile/ir/op.h"

namespace gcompile::ir {

std::vector<Type> infer_reshape(const InferContext& c);

// The operand's index for the result's. Axes are matched in groups of equal size, so that [N,4,8] -> [N,32] leaves N
// alone, and divisions are by constants only; where a group would have to be divided by a symbolic extent the answer is
// one row-major offset (of a whole operand of more than one axis).
Index reshape_index(const Node& node, const Index& index);

// Axes that stay axes: equal extents after equal products, from the front and from the back.
AxisMap reshape_axes(const Node& node);

}  // namespace gcompile::ir
