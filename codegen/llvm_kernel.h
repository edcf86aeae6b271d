// One kernel -> one LLVM function `void kernel(ptr buffers, ptr dims)`.
#pragma once

#include <llvm/IR/Function.h>

#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

// Attributes that all functions of a target have: processor, width of vectors, an aligned stack, no unwinding.
void set_attributes(llvm::Function& function, const Target& target);

llvm::Function* emit_kernel(const ir::Program& program, const ir::Kernel& kernel, const Target& target,
                            llvm::Module& module);

}  // namespace gcompile::codegen
