// The scalar primitives: ops of the table that code generation knows itself, everything else having been expanded.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <span>
#include <string_view>

#include "gcompile/ir/kernel.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

using Values = std::span<llvm::Value* const>;

struct OpContext {
  llvm::IRBuilder<>& b;
  const Target& target;
  ir::VType type;  // of the result
  DType operands;  // dtype of the last operand: what a cast is from, what a comparison compares
};

// Operands are all scalars or all lane vectors. Bools are i1. InternalError for an op that is no primitive.
llvm::Value* emit_op(const OpContext& context, std::string_view op, Values operands);

// The LLVM type of a value in registers.
llvm::Type* register_type(llvm::LLVMContext& context, ir::VType type);
// To the nearest integer, halves to even; to the next one below.
llvm::Value* round_even(const OpContext& context, llvm::Value* x);
llvm::Value* round_down(const OpContext& context, llvm::Value* x);
// x in all lanes; x itself when it is a vector.
llvm::Value* splat(llvm::IRBuilder<>& b, llvm::Value* x);

}  // namespace gcompile::codegen
