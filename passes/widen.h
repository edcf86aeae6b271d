// widen: what makes a 16-bit float is computed in f32 - its operands cast up, its result rounded once -, so that sums
// and products accumulate in f32, every value has the precision of its dtype, and no pass behind has to know these
// dtypes: in kernels they are loaded, stored, cast, compared and chosen. That is what the interpreter computes, bit for
// bit.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::Graph widen(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
