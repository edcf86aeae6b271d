// dce: dead code elimination. A graph's nodes are alive by being reached, so what is left to do is: states that are
// neither read nor updated leave the graph; results of fusions that nobody reads, and then the inputs of their bodies
// that only those needed, leave the fusion; locations of nodes that are not reached are forgotten. Inputs stay, read or
// not: they are the graph's signature. Exact.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph dce(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
