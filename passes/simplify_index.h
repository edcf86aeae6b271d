// simplify-index: simplifies the index expressions and loop extents of kernels by what is known of their symbols: a
// loop variable runs from 0 to its extent - 1, `lane` from 0 to 15, a symbol of the model within its bounds. Flattening
// and unflattening indices leave divisions behind that are not needed:
//
//   floordiv(4*i + j, 4) = i    mod(4*i + j, 4) = j    4*floordiv(i, 4) + mod(i, 4) = i    for 0 <= j < 4
#pragma once

#include "gcompile/ir/simplify_dim.h"
#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::KernelModule simplify_index(const ir::KernelModule& module, const PassContext& context);

}  // namespace gcompile::passes
