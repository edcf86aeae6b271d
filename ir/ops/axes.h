// Parts of the axis rules that the families share, and the rules of records that give none.
#pragma once

#include "gcompile/ir/op.h"
#include "gcompile/ir/ops/infer.h"

namespace gcompile::ir {

// By the record's traits and lowering: elementwise ops, reductions. Null for others.
AxisRule default_axes(const OpDef& op);

// The axes of an operand in order, without those that are folded away.
void relate_kept(AxisMap& map, int operand, int rank, const Ints& folded);

}  // namespace gcompile::ir
