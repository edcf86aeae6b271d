// How a program is cut into modules that several threads make machine code of. A kernel, or half of one, is the same
// code wherever it is.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "gcompile/codegen/kernel_cut.h"
#include "gcompile/codegen/shared_kernels.h"
#include "gcompile/ir/program.h"

namespace gcompile::codegen {

struct Part {
  std::vector<std::size_t> kernels;  // indices into the program's, ascending
  std::vector<std::size_t> behind;   // kernels that are cut, of which what is behind the cut is here
  bool entry = false;                // whether the program's entry is in it
};

// So many instructions are worth a module of their own: LLVM takes some 8 ms for them, and 1 ms for a module with
// nothing in it.
inline constexpr std::int64_t kPartInstructions = 500;

// Of every kernel where it is cut, if it is: those that take a thread longer than a fair share of all would.
using Cuts = std::vector<std::optional<KernelCut>>;
Cuts cuts_of(const ir::Program& program, const SharedKernels& shared, int threads);

// At most `threads` parts, none much smaller than kPartInstructions, of about the same work; a function of its
// arguments. The first has the entry. One part: everything. Of kernels that are alike the first alone is in a part.
std::vector<Part> parts_of(const ir::Program& program, const SharedKernels& shared, int threads, const Cuts& cuts = {});

}  // namespace gcompile::codegen
