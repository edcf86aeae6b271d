// Loops that must not run where nothing asked for them. Where a branch, or a step of a loop, is computed for all
// members of a batch although some do not take it, its while loops would run for those too, on values that they were
// not meant for, and might never end.
#pragma once

#include <memory>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

// Whether there is a while loop in it, in its bodies too.
bool has_while(const Graph& graph);

// The graph with one more input, bool[], at this place among its inputs: its while loops, in its bodies too, go on only
// where that holds.
std::shared_ptr<const Graph> guarded(const Graph& graph, std::size_t place);

}  // namespace gcompile::ir
