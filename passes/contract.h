// contract: a * b + c becomes fma(a, b, c) where the product has no other reader and the target has the instruction;
// the forms c + a * b, a * b - c and c - a * b too. It is done on the graph, before fusion, so that how nodes are fused
// never changes a bit. Of a * b + c * d the first product is contracted.
//
// Not exact: an fma rounds once where mul and add round twice, so a result differs by at most kContractTolerance times
// |a * b| + |c| (for f32; for f64 times its own rounding unit's ratio).
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

inline constexpr double kContractTolerance = 0x1p-22;

ir::Graph contract(const ir::Graph& graph, const PassContext& context);

}  // namespace gcompile::passes
