// One kernel -> one LLVM function `void kernel(ptr buffers, ptr dims)`; a parallel one takes the iterations it is to
// run and the number of its thread too: `..., i64 begin, i64 end, i64 worker)`.
#pragma once

#include <llvm/IR/Function.h>
#include <string>
#include <vector>

#include "gcompile/codegen/kernel_cut.h"
#include "gcompile/codegen/llvm_debug.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

// Arguments after buffers and dims: of a parallel kernel its iterations, and the number of the thread that runs them.
inline constexpr unsigned kArguments = 2, kBegin = 2, kEnd = 3, kWorker = 4;

// Attributes that all functions of a target have: processor, width of vectors, an aligned stack, no unwinding.
void set_attributes(llvm::Function& function, const Target& target);

// Of every kernel of the program: "main.nest0.model.cpp_14", an identifier, so that it needs no quotes in assembly and
// in profilers. No two are the same.
std::vector<std::string> function_names(const ir::Program& program);

// The function without its body, external.
llvm::Function* declare_kernel(const ir::Kernel& kernel, const std::string& name, const Target& target,
                               llvm::Module& module);
// The body. `table`: the buffers that the function is called with, all of the module's when it is empty. `debug` (may
// be null) gets the user's lines.
void emit_kernel(const ir::Program& program, const ir::Kernel& kernel, const std::vector<int>& table,
                 const Target& target, llvm::Function& function, DebugInfo* debug = nullptr,
                 const KernelCut* cut = nullptr, llvm::Function* behind = nullptr);

// What is behind a cut of a kernel of this name: a function that the kernel, given both, calls there.
llvm::Function* declare_behind(const KernelCut& cut, const std::string& kernel, const Target& target,
                               llvm::Module& module);
void emit_behind(const ir::Program& program, const ir::Kernel& kernel, const std::vector<int>& table,
                 const Target& target, const KernelCut& cut, llvm::Function& function);

}  // namespace gcompile::codegen
