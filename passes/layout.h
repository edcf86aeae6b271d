// layout: in which order the axes of a state lie in memory. A product reads a matrix fastest where its lanes, which run
// over a free axis of the matrix, find neighbours; where they run across the rows of memory, panels of it are
// transposed for every call. So a matrix of which more products sum over the last axis than over the first is kept
// transposed: the storage in that order, the state's value in the graph of the type that lies in memory, `order (1, 0)`
// beside it. Between two orders that are as good the first product decides, for a function without gradients has that
// one alone.
//
// What is computed from it element by element - the momentum, the update - must agree, so states are grouped with all
// matrices that elementwise ops join them to, and a group is turned as a whole or not at all: not when one of it is
// read or made by anything but elementwise ops, products, transposes, broadcasts and updates, for the order of a sum
// may not depend on the layout; so no bits do. A storage whose order a compiled function pinned keeps it.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph layout(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
