// fold: evaluates nodes all of whose operands are constants with the interpreter, and puts the result in as a constant
// (one number and a broadcast when all elements are equal). Constant here are `constant`, `iota` with static extents
// and broadcasts of constants. These stay what they are: they cost no memory, a table of their elements would. A result
// that is larger than its operands is folded up to kFoldedElements elements. What cannot be evaluated, and
// what compiled code would give in other bits (approximated functions, sums of floats), is left for the run. Exact.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

inline constexpr std::int64_t kFoldedElements = 1024;

ir::Graph fold(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
