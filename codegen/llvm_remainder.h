// The remainder of floats and the quotient that goes with it, for all finite operands exactly: a remainder is a number
// of the dtype, however large the quotient. Whatever the target, the bits are the same.
#pragma once

#include "gcompile/codegen/llvm_emit_ops.h"

namespace gcompile::codegen {

// With the sign of the divisor; NaN for a divisor 0.
llvm::Value* floored_remainder(const OpContext& context, llvm::Value* a, llvm::Value* divisor);
// (a - remainder) / divisor as the nearest integer; a / 0 for a divisor 0.
llvm::Value* floored_quotient(const OpContext& context, llvm::Value* a, llvm::Value* divisor);

}  // namespace gcompile::codegen
