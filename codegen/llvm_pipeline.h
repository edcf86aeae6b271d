// Which of LLVM's passes make machine code of a module: those of its own pipeline but a few that our IR has no need of,
// and one of ours. Everything is said to the objects at hand and nothing to LLVM as a whole, which a host program may
// use too.
#pragma once

#include <llvm/IR/LegacyPassManager.h>
#include <llvm/Support/CodeGen.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace gcompile::codegen {

// The whole middle end.
void add_middle_end(const llvm::TargetMachine& machine, llvm::legacy::PassManager& passes);

// What follows it. The code goes to `out`, which has to live as long as the passes.
void add_code_generation(llvm::TargetMachine& machine, llvm::legacy::PassManager& passes, llvm::raw_pwrite_stream& out,
                         llvm::CodeGenFileType kind);

}  // namespace gcompile::codegen
