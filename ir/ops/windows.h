// What ops over moving windows share: where windows lie, and zeros that are put between and around elements.
#pragma once

#include "gcompile/ir/ops/infer.h"
#include "gcompile/ir/ops/rules.h"

namespace gcompile::ir {

// How often a window of these extents fits along each of the axes, by the attributes `strides` and `dilations`. Refuses
// what is not positive and windows that do not fit.
Dims moved_extents(const InferContext& c, const Dims& extents, const Dims& windows);

// Zeros joined to both ends of an axis.
V with_zeros(V x, std::int64_t axis, const Dim& before, const Dim& after);
// The same of several axes at once, by a pad where all counts are constant.
V bordered(V x, const Ints& axes, const Dims& before, const Dims& after);
// x with step - 1 zeros between the elements of an axis.
V dilated(V x, std::int64_t axis, std::int64_t step);
// The first elements of an axis.
V leading(V x, std::int64_t axis, const Dim& count);

// That the windows fit: each extent along which they move has room for one.
std::vector<Need> room_for_windows(const Node& n, const Dims& extents, const Dims& windows);

}  // namespace gcompile::ir
