// One kernel -> one LLVM function `void kernel(ptr buffers, ptr dims)`; a parallel one takes the iterations it is to
// run and the number of its thread too: `..., i64 begin, i64 end, i64 worker)`.
#pragma once

#include <llvm/IR/Function.h>

#include "gcompile/codegen/llvm_debug.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

// Attributes that all functions of a target have: processor, width of vectors, an aligned stack, no unwinding.
void set_attributes(llvm::Function& function, const Target& target);

// "main.nest0.model.cpp_14": an identifier, so that it needs no quotes in assembly and in profilers.
std::string function_name(const ir::Program& program, const ir::Kernel& kernel);

// `debug` (may be null) gets the user's lines.
llvm::Function* emit_kernel(const ir::Program& program, const ir::Kernel& kernel, const Target& target,
                            llvm::Module& module, DebugInfo* debug = nullptr);

}  // namespace gcompile::codegen
