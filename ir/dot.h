// Graphviz text of a graph, for `gcompile --emit=dot | dot -Tsvg`: a box per node with its op, type and locations,
// states and updates apart, the bodies of fusions as clusters.
#pragma once

#include <string>

#include "gcompile/ir/graph.h"

namespace gcompile::ir {

std::string print_dot(const Graph& graph);

}  // namespace gcompile::ir
