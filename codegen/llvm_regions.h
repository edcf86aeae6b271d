// Regions of a program (ir/kernel.h) in its entry: loops over launches and launches on a condition. What moves from
// step to step are pointers: those of slices along their wholes, those of carries from what a step wrote to the next
// one.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <vector>

#include "gcompile/codegen/llvm_index.h"
#include "gcompile/ir/program.h"

namespace gcompile::codegen {

class RegionEmitter {
 public:
  // `table`: pointers to all buffers, which kernels are called with; regions write to it.
  RegionEmitter(const ir::Program& program, llvm::IRBuilder<>& b, llvm::Value* table, IndexEmitter::Symbol symbol);

  // What is emitted next belongs to this region (-1: to none): ends and begins others on the way there.
  void enter(int region);

 private:
  struct Open {
    int region;
    llvm::BasicBlock *header = nullptr, *exit = nullptr;
    llvm::PHINode* step = nullptr;
    llvm::Value* steps = nullptr;
    std::vector<llvm::PHINode*> carries = {};
    std::vector<llvm::Value*> out = {};  // pointers of outgoing carries, as they were
  };

  void begin(int region);
  void begin_loop(Open& open, const ir::Region& r);
  void begin_branch(Open& open, const ir::Region& r);
  void end();
  llvm::Value* predicate(const ir::Region& r);
  llvm::Value* bytes(const Dim& d);
  llvm::Value* entry(const std::string& buffer);  // the place of its pointer in the table
  llvm::Value* pointer(const std::string& buffer);
  void set_pointer(const std::string& buffer, llvm::Value* to);
  const ir::Region& region(int i) const { return program_.module.regions[static_cast<std::size_t>(i)]; }
  llvm::BasicBlock* block(const char* name);

  const ir::Program& program_;
  llvm::IRBuilder<>& b_;
  llvm::Value* table_;
  IndexEmitter index_;
  std::vector<Open> open_;
};

}  // namespace gcompile::codegen
