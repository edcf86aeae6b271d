// tile: expands every contract (ir/kernel.h) into ordinary loops with a register tile: R rows times V vectors of
// accumulators are carried by the loops over the reduction axes, which load V vectors of one operand (the lane operand)
// and R scalars of the other (the row operand); then the epilogue runs for the tile. What rows are left over take
// smaller tiles, the last lanes a mask.
//
// Which axis the lanes run over, which one the rows, and the size of the tile follow from strides, constant extents and
// the Target. Where the lane operand is not contiguous along the lanes, or too large to be read from cache again for
// every row tile, a panel of V vectors of it is copied first to a temporary of its own, [k, lane]. An element is one
// sequential chain over the reduction, or as many as the contract says, whatever is chosen, so no choice changes bits.
#pragma once

#include "gcompile/passes/pass.h"

namespace gcompile::passes {

ir::KernelModule tile(const ir::KernelModule& module, const PassContext& context);

// Throws Error when the module has a contract: for the passes that come after tile.
void refuse_contracts(const ir::KernelModule& module, std::string_view pass);

}  // namespace gcompile::passes
