// Kernels that differ in nothing but names: layers of one size have them. One function is made for all that are alike;
// it is launched with a table of the buffers that the kernel at hand uses, in the order in which it first names them.
#pragma once

#include <cstddef>
#include <vector>

#include "gcompile/ir/program.h"

namespace gcompile::codegen {

struct SharedKernels {
  std::vector<std::size_t> first;        // of each kernel: the first one that is like it, itself when none before is
  std::vector<std::vector<int>> tables;  // its buffers, when another one is like it; else empty: all of the module's

  bool is_first(std::size_t kernel) const { return first[kernel] == kernel; }
};

SharedKernels share_kernels(const ir::Program& program);
// Every kernel for itself.
SharedKernels separate_kernels(const ir::Program& program);

}  // namespace gcompile::codegen
