// Where a large kernel is cut in two functions, which two threads make machine code of side by side: nearly all of a
// small network's step is one kernel. What stands behind the cut, in a loop over strips of samples or at the end of the
// kernel, becomes a function that the rest calls. The same instructions run in the same order, so the bits stay.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gcompile/ir/kernel.h"

namespace gcompile::codegen {

// Points into the kernel.
struct KernelCut {
  const ir::Block* block = nullptr;
  std::size_t begin = 0;  // the statements from here to the end of the block are the other function's
  std::int64_t size = 0;  // of these, in instructions
  // What it takes: variables of the loops around, scalars made before, and memory in the frame that both use.
  std::vector<std::string> variables = {};
  std::vector<const ir::Instr*> values = {};
  std::vector<const ir::Scratch*> shared = {};
  // What is made again there.
  std::vector<const ir::Instr*> literals = {};
};

// The cut that comes nearest to two halves; none when no legal one is near.
std::optional<KernelCut> cut_of(const ir::Kernel& kernel);

}  // namespace gcompile::codegen
