// Program -> LLVM module: one internal function per kernel, called in order by the exported entry
//   i32 gc_entry(ptr buffers, ptr dims, ptr parallel)
// which then makes the program's state copies and returns 0. `buffers` holds one pointer per buffer of the module,
// constants too; `dims` the values of program.symbols;
// `parallel` is a runtime::Parallel, which runs the parallel kernels whose work is worth it. Semantics are those of
// ir/kernel.h: 16 logical lanes whatever the target, no fast-math flags, no library functions but memcpy.
#pragma once

#include <llvm/IR/Module.h>
#include <memory>
#include <optional>

#include "gcompile/codegen/llvm_debug.h"
#include "gcompile/codegen/parts.h"
#include "gcompile/ir/program.h"
#include "gcompile/ir/target.h"

namespace gcompile::codegen {

inline constexpr const char* kEntryName = "gc_entry";

struct EmitOptions {
  bool profile = false;                                 // parallel->clock is told of every launch
  std::optional<DebugInfo::Kind> lines = std::nullopt;  // the user's lines
  const SharedKernels* shared = nullptr;                // one function for kernels that are alike; null: one for each
  std::optional<Part> part = std::nullopt;              // this part alone: kernels are external then
  const Cuts* cuts = nullptr;                           // with a part: kernels that are two functions
};

// InternalError for a program that breaks the rules of ir/kernel.h, or an op that should have been expanded before.
std::unique_ptr<llvm::Module> emit(const ir::Program& program, const Target& target, llvm::LLVMContext& context,
                                   const EmitOptions& options = {});

}  // namespace gcompile::codegen
