// cse: common subexpression elimination by hash-consing. Nodes with the same op, operands, attributes and result types
// become one, which gets the locations of all of them; the operands of commutative ops may stand in either order.
// Inputs, states and nodes with a body stay what they are. Exact.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph cse(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
