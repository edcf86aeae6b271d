// The rules of simplify, by family. Every rule keeps the interpreter's result bit for bit, zeros' signs included: that
// is why there is no x + 0 (wrong for -0), no x * 0 (wrong for infinity, NaN and negative x) and no -(a - b) = b - a
// (wrong for a = b) on floats. A NaN is a NaN: its sign and payload are not part of the result.
#pragma once

#include <span>

#include "gcompile/passes/rewrite_rule.h"

namespace gcompile::passes {

std::span<const Rule> arithmetic_rules();  // of numbers
std::span<const Rule> logic_rules();       // of conditions, comparisons, select and casts
std::span<const Rule> view_rules();        // of reshape, transpose, broadcast, slice, reverse
std::span<const Rule> structured_rules();  // of reductions, dot, concat, pad

// An elementwise op all of whose operands are broadcast in the same way, or constants with equal elements, is done
// before the broadcast: exp(broadcast(x)) = broadcast(exp(x)). An empty Value when this is not such a node.
ir::Value hoist_broadcast(const ir::Node& node, ir::Builder& b);

}  // namespace gcompile::passes
