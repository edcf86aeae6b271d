// Extents must be known at a call: numbers, or made of the extents of arguments. Internal to the frontend.
#pragma once

#include "gcompile/ir/graph.h"

namespace gcompile {

// ModelError, with the line, for an argument of a traced function whose extents do not say what their symbols are, and
// for a value, in bodies too, with a symbol in its shape that no argument says.
void refuse_unbound_symbols(const ir::Graph& graph);

}  // namespace gcompile
