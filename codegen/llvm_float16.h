// 16-bit floats in generated code: 16 bits in memory, an f32 of the same value in registers. Conversions of f16 are
// instructions where the target has them, else integer arithmetic with the same bits; bf16 is the upper half of an f32.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "gcompile/base/dtype.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

// Scalars and vectors of any length. The nearest f32 that is one of the dtype: ties to even, NaN stays.
llvm::Value* rounded_to_float16(llvm::IRBuilder<>& b, const Target& target, llvm::Value* x, DType dtype);
// Of such an f32 the 16 bits, and back.
llvm::Value* bits_of_float16(llvm::IRBuilder<>& b, const Target& target, llvm::Value* x, DType dtype);
llvm::Value* float16_of_bits(llvm::IRBuilder<>& b, const Target& target, llvm::Value* bits, DType dtype);

}  // namespace gcompile::codegen
