// check-nan: a graph that tells whether its call met a NaN, and that updates nothing when it did. It adds one result,
// an i32 scalar `status`: 0, or 1 + the position in topological() of the first value among the checked ones that has a
// NaN. Every update becomes select(status == 0, new, old): all new values are there before the first is stored.
//
// Checked is not every value: nearly every op passes a NaN on, so one that matters shows at the end of its way, in a
// result or in a new state, and looking there costs next to nothing and keeps a small network one launch. A value in
// between is checked where a NaN would vanish unseen: before a comparison, a cast to an integer, argmax, pow. A NaN
// that a select does not choose or a slice leaves out never mattered and is none of this pass's; neither is one that x
// != x, x == x or is_finite asks for. Where the NaN came from is found afterwards (runtime/nan_report.h).
//
// Results keep every bit: what is checked has no reader less that contract would look at, or was read before.
#pragma once

#include <vector>

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

// The values that check-nan looks at, in topological order.
std::vector<ir::Value> checked_values(const ir::Graph& graph);

// The same graph when nothing in it can be NaN. Throws ModelError for a graph with fusions: run check-nan before fuse.
ir::Graph check_nan(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
