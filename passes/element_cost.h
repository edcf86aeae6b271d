// What an element of an elementwise op costs to make: for choices between making a value again and keeping it, on which
// no bit of a result depends.
#pragma once

#include "gcompile/ir/graph.h"
#include "gcompile/ir/target.h"

namespace gcompile::passes {

// Instructions about, divisions and square roots counted by the cycles that they keep their unit; functions by what
// they expand to. Negative for what is not elementwise.
double element_cost(const ir::Node& node, const Target& target);

}  // namespace gcompile::passes
