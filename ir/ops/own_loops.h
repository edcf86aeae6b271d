// Parts of ops that make their whole value by loops of their own (LoopLowering), line by line along an axis.
#pragma once

#include <functional>

#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {

// Calls `line` for the index of the first element of every line along `axis`: inside loops over the other axes. With
// `lanes` one of these runs over lanes, where one is long enough: the last that is not the axis, before shorter ones.
void over_lines(LoopWriter& loops, const Dims& dims, std::size_t axis, bool lanes,
                const std::function<void(Index)>& line);

// The axis rule of such ops: what is read of the operand is the same line, by the attribute `axis`.
AxisMap lines_along_axis(const Node& n);

}  // namespace gcompile::ir
