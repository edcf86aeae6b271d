// simplify: applies the table of rewrite rules (simplify_rules_*.cpp, one line per rule) until none applies or the
// budget is used up. Every rule keeps the interpreter's results bit for bit (a NaN is a NaN). It drops stop_gradient,
// so it runs after gradient. Works on each node with its operands already simplified; what stands for a node gets its
// locations. Bodies of fusions are left alone.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph simplify(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
